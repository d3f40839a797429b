"""The composition root of dispatch: from settings to the parts that the roles run. Tests replace parts by arguments."""

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.dispatch.consumers import reaction, translate, translate_ask
from services.dispatch.domain.adjustments import RecomputeClocks
from services.dispatch.policies import OF_THE_CITY
from services.dispatch.queries import EVENTS, REFERENCE, Database
from services.dispatch.queries.outdated import outdated_cases
from services.dispatch.seed import seed_commands
from services.dispatch.settings import Settings
from services.dispatch.tables import CASE, case_aggregate, migrate, reference_aggregate
from shared.contracts.common import Answer
from shared.contracts.library import ReferenceLibrary
from shared.contracts.registry import (
    ACTIONS_PREFIX,
    DISPATCH_MERGES,
    DISPATCH_REFERENCE,
    INTAKE_CONTENTS,
    INTAKE_REPORTS,
)
from shared.ledger.engine import create_ledger_engine
from shared.ledger.expiry import keep_expiring
from shared.ledger.ledger import Ledger
from shared.ledger.recomputing import Recomputing
from shared.ledger.references import References
from shared.ledger.seals import keep_sealing
from shared.ledger.timers import Timers
from shared.ledger.vault import Vault
from shared.messaging.connection import KafkaConnection
from shared.messaging.consumer import Subscription
from shared.messaging.inbound import ConsumedTopics
from shared.messaging.worker import Task, Worker
from shared.observability.health import Health
from shared.runtime.watch import ReferenceWatch

SERVICE: Final = "dispatch"
ACTIONS: Final = "dispatch.actions"
CONTENTS: Final = "dispatch.contents"
MERGES: Final = "dispatch.merges"


class SeedError(Exception):
    """A document of the seed was refused; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """What every role needs: the database, the write path, the reads and the reference documents."""

    engine: AsyncEngine
    ledger: Ledger
    references: References
    database: Database
    city: str


def compose(settings: Settings, *, role: str) -> Dispatch:
    """Return the parts; nothing is connected yet."""
    engine = create_ledger_engine(settings.database_url.get_secret_value(), application=f"{SERVICE}-{role}")
    return compose_on(engine, settings.vault(), settings.city)


def compose_on(engine: AsyncEngine, vault: Vault, city: str) -> Dispatch:
    """Return the parts on this database."""
    references = References(engine)
    ledger = Ledger(
        engine=engine,
        service=SERVICE,
        aggregates=(case_aggregate(city), reference_aggregate(city)),
        vault=vault,
        references=references,
    )
    return Dispatch(
        engine=engine, ledger=ledger, references=references, database=Database(engine, references, city), city=city
    )


async def migrate_and_seed(dispatch: Dispatch) -> None:
    """Bring the schema up to date and publish version 1 of every reference document that is not in force yet.

    Raises:
        SeedError: if a document is refused.
    """
    async with dispatch.engine.begin() as connection:
        await connection.run_sync(migrate)
    commands = seed_commands()
    for command, outcome in zip(commands, await dispatch.ledger.execute(commands), strict=True):
        if not isinstance(outcome, Answer) or outcome.outcome == "refused":
            raise SeedError(f"{command.cause.correlation}: {outcome}")


def build_worker(
    dispatch: Dispatch, kafka: KafkaConnection, *, health: Health, beside: tuple[Task, ...] = ()
) -> Worker:
    """Return the worker: filed reports, acts, what cases ask, contents and documents in; all that follows out.

    Beside them time does its work: wakes fire, and clocks follow the calendar.
    """
    ledger = dispatch.ledger
    events = ledger.policy(EVENTS, reaction(dispatch.city))
    merges = ledger.reception(MERGES, translate_ask)
    acts = ledger.reception(ACTIONS, translate)
    documents = ledger.reference_copy(REFERENCE)
    contents = ledger.contents_copy(CONTENTS)

    async def expire() -> None:
        await keep_expiring(dispatch.engine, dispatch.ledger.vault, SERVICE)

    async def seal() -> None:
        await keep_sealing(dispatch.engine, SERVICE)

    deciding = [
        Subscription(group=EVENTS, topics=(INTAKE_REPORTS,), handle=events.consume),
        Subscription(group=MERGES, topics=(DISPATCH_MERGES,), handle=merges.consume),
        Subscription(group=ACTIONS, pattern=f"^{re.escape(ACTIONS_PREFIX)}.*", handle=acts.consume),
    ]
    timers = Timers(ledger, ConsumedTopics(kafka, deciding))
    health.add("timers", timers.problem)
    health.add_notice("timers", timers.notice)
    return Worker(
        kafka=kafka,
        service=SERVICE,
        engine=dispatch.engine,
        subscriptions=[
            *deciding,
            Subscription(group=CONTENTS, topics=(INTAKE_CONTENTS,), handle=contents.consume),
            Subscription(group=REFERENCE, topics=(DISPATCH_REFERENCE,), handle=documents.consume),
        ],
        tasks=[
            events.keep_resuming,
            merges.keep_resuming,
            acts.keep_resuming,
            documents.keep_resuming,
            contents.keep_resuming,
            timers.run,
            recomputing(dispatch).run,
            expire,
            seal,
            *beside,
        ],
        health=health,
    )


def recomputing(dispatch: Dispatch) -> Recomputing:
    """Return what lets the clocks of open cases follow a newer calendar or limit policy."""
    return Recomputing(
        ledger=dispatch.ledger,
        references=dispatch.references,
        city=dispatch.city,
        aggregate=CASE,
        outdated=outdated_cases,
        recompute=lambda case: RecomputeClocks(case_id=case),
    )


def reference_watch(dispatch: Dispatch) -> ReferenceWatch:
    """Return what follows whether the city's documents are here: without them nothing is decided and no clock runs."""

    def missing(library: ReferenceLibrary) -> str | None:
        kinds = [kind for kind in OF_THE_CITY if library.current(kind, dispatch.city) is None]
        return f"Not arrived yet of {dispatch.city}: {', '.join(kinds)}." if kinds else None

    return ReferenceWatch(engine=dispatch.engine, references=dispatch.references, missing=missing)
