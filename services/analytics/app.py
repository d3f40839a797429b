"""The composition root of analytics: from settings to what the roles run. Tests replace parts by arguments."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from services.analytics import tables
from services.analytics.consumers.projection import TOPICS
from services.analytics.consumers.rebuild import Place, RebuildReport, ShowProgress, rebuild_beside
from services.analytics.consumers.subscriptions import SERVICE, copying, counting
from services.analytics.queries import ReadModel
from services.analytics.settings import Settings
from shared.contracts.records import Record
from shared.contracts.registry import DISPATCH_REFERENCE
from shared.ledger.engine import create_ledger_engine
from shared.ledger.references import References
from shared.ledger.vault import Vault
from shared.messaging.connection import KafkaConnection
from shared.messaging.consumer import UNHURRIED_MILLISECONDS, Subscription
from shared.messaging.reader import read_all
from shared.messaging.worker import Task, Worker
from shared.observability.health import Health

__all__ = ["SERVICE", "Analytics", "build_worker", "compose", "compose_on", "rebuild"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analytics:
    """What every role needs: the database, the read model and the reference documents that name things."""

    engine: AsyncEngine
    vault: Vault
    read_model: ReadModel
    references: References
    city: str


def compose(settings: Settings, *, role: str) -> Analytics:
    """Return the parts; nothing is connected yet."""
    engine = create_ledger_engine(settings.database_url.get_secret_value(), application=f"{SERVICE}-{role}")
    return compose_on(engine, settings.vault(), settings.city)


def compose_on(engine: AsyncEngine, vault: Vault, city: str) -> Analytics:
    """Return the parts on this database."""
    return Analytics(engine=engine, vault=vault, read_model=ReadModel(engine), references=References(engine), city=city)


def build_worker(
    analytics: Analytics, kafka: KafkaConnection, *, health: Health, beside: tuple[Task, ...] = ()
) -> Worker:
    """Return the worker: events in, reference documents in, announcements of held messages out; `beside` runs along."""
    events = counting(analytics.engine, analytics.vault)
    documents = copying(analytics.engine, analytics.vault)
    return Worker(
        kafka=kafka,
        service=SERVICE,
        engine=analytics.engine,
        subscriptions=[
            Subscription(
                group=tables.EVENTS, topics=TOPICS, handle=events.consume, gather_milliseconds=UNHURRIED_MILLISECONDS
            ),
            Subscription(group=tables.REFERENCE, topics=(DISPATCH_REFERENCE,), handle=documents.consume),
        ],
        tasks=[events.keep_resuming, documents.keep_resuming, *beside],
        health=health,
    )


async def rebuild(settings: Settings, progress: ShowProgress) -> RebuildReport:
    """Make the read model again from offset 0 beside the live one and compare the two (I-9).

    Args:
        settings: of the running service.
        progress: is told how many records were read so far.

    Raises:
        Unavailable: when the database or the broker is away; the live read model is as it was.
    """
    kafka = settings.kafka(f"{SERVICE}.rebuild")

    def read(topics: Sequence[str], *, since: Mapping[Place, int]) -> AsyncIterator[list[Record]]:
        return read_all(kafka, topics, since=since)

    return await rebuild_beside(
        settings.database_url.get_secret_value(),
        settings.vault(),
        read,
        progress=progress,
        patience_seconds=settings.rebuild_patience_seconds,
    )
