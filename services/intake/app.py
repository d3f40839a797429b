"""The composition root of intake: from settings to the parts that the roles run. Tests replace parts by arguments."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.intake.consumers import after_references, translate
from services.intake.domain.admission import missing_documents
from services.intake.queries import REFERENCE_CONSUMER, ReportQueries
from services.intake.settings import Settings
from services.intake.tables import report_aggregate
from shared.contracts.registry import DISPATCH_REFERENCE, SUBMISSIONS_PREFIX
from shared.kernel.errors import Unavailable
from shared.ledger.engine import create_ledger_engine
from shared.ledger.ledger import Ledger
from shared.ledger.reading import reading
from shared.ledger.references import References
from shared.ledger.seals import keep_sealing
from shared.ledger.vault import Vault
from shared.messaging.connection import KafkaConnection
from shared.messaging.consumer import Subscription
from shared.messaging.worker import Task, Worker
from shared.observability.health import Health

SERVICE: Final = "intake"
SUBMISSIONS_CONSUMER: Final = "intake.submissions"

_WATCH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What every role needs: the database, the write path, the reads and the reference documents."""

    engine: AsyncEngine
    ledger: Ledger
    references: References
    queries: ReportQueries
    city: str


def compose(settings: Settings, *, role: str) -> Intake:
    """Return the parts; nothing is connected yet."""
    engine = create_ledger_engine(settings.database_url.get_secret_value(), application=f"{SERVICE}-{role}")
    return compose_on(engine, Vault(base64.b64decode(settings.content_key.get_secret_value())), settings.city)


def compose_on(engine: AsyncEngine, vault: Vault, city: str) -> Intake:
    """Return the parts on this database."""
    references = References(engine)
    ledger = Ledger(
        engine=engine, service=SERVICE, aggregates=(report_aggregate(city),), vault=vault, references=references
    )
    return Intake(engine=engine, ledger=ledger, references=references, queries=ReportQueries(engine, vault), city=city)


def build_worker(intake: Intake, kafka: KafkaConnection, *, health: Health, beside: tuple[Task, ...] = ()) -> Worker:
    """Return the worker: submissions in, reference documents in, events out, seals; `beside` runs along."""
    submissions = intake.ledger.reception(SUBMISSIONS_CONSUMER, translate)
    documents = intake.ledger.reference_copy(REFERENCE_CONSUMER)
    watch = ReferenceWatch(intake)
    health.add("references", watch.problem)

    async def seal() -> None:
        await keep_sealing(intake.engine, SERVICE)

    return Worker(
        kafka=kafka,
        service=SERVICE,
        engine=intake.engine,
        subscriptions=[
            Subscription(
                group=SUBMISSIONS_CONSUMER,
                pattern=f"^{re.escape(SUBMISSIONS_PREFIX)}.*",
                handle=after_references(submissions.consume, intake.references, intake.city),
            ),
            Subscription(group=REFERENCE_CONSUMER, topics=(DISPATCH_REFERENCE,), handle=documents.consume),
        ],
        tasks=[submissions.keep_resuming, documents.keep_resuming, watch.run, seal, *beside],
        health=health,
    )


@asynccontextmanager
async def running(intake: Intake, watch: "ReferenceWatch") -> AsyncIterator[None]:
    """Keep the watch while the API is served, then leave the database."""
    watching = asyncio.create_task(watch.run(), name="reference-watch")
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await intake.engine.dispose()


@dataclass(slots=True)
class ReferenceWatch:
    """Follows whether the database answers and the reference documents are here: without them nothing is decided."""

    intake: Intake
    _problem: str | None = field(default="not looked yet", init=False)

    def problem(self) -> str | None:
        """Say what is missing, for the health of the process."""
        return self._problem

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(_WATCH_SECONDS)

    async def look(self) -> None:
        """Look once."""
        try:
            async with reading(self.intake.engine) as connection:
                library = await self.intake.references.refresh(connection)
        except Unavailable as error:
            self._problem = str(error)
        else:
            self._problem = missing_documents(library, self.intake.city)
