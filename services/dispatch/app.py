"""The composition root of dispatch: from settings to the parts that the roles run. Tests replace parts by arguments."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.dispatch.consumers import reaction, translate
from services.dispatch.queries import EVENTS, REFERENCE, Database
from services.dispatch.seed import seed_commands
from services.dispatch.settings import Settings
from services.dispatch.tables import case_aggregate, migrate, reference_aggregate
from shared.contracts.common import Answer
from shared.contracts.registry import ACTIONS_PREFIX, DISPATCH_REFERENCE, INTAKE_CONTENTS, INTAKE_REPORTS
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

SERVICE: Final = "dispatch"
ACTIONS: Final = "dispatch.actions"
CONTENTS: Final = "dispatch.contents"

_WATCH_SECONDS: Final = 1.0


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
    return compose_on(engine, Vault(base64.b64decode(settings.content_key.get_secret_value())), settings.city)


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
        engine=engine, ledger=ledger, references=references, database=Database(engine, references), city=city
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
    """Return the worker: filed reports, acts, contents and documents in; events, tasks, receipts and seals out."""
    ledger = dispatch.ledger
    events = ledger.policy(EVENTS, reaction(dispatch.city))
    acts = ledger.reception(ACTIONS, translate)
    documents = ledger.reference_copy(REFERENCE)
    contents = ledger.contents_copy(CONTENTS)

    async def seal() -> None:
        await keep_sealing(dispatch.engine, SERVICE)

    return Worker(
        kafka=kafka,
        service=SERVICE,
        engine=dispatch.engine,
        subscriptions=[
            Subscription(group=EVENTS, topics=(INTAKE_REPORTS,), handle=events.consume),
            Subscription(group=CONTENTS, topics=(INTAKE_CONTENTS,), handle=contents.consume),
            Subscription(group=ACTIONS, pattern=f"^{re.escape(ACTIONS_PREFIX)}.*", handle=acts.consume),
            Subscription(group=REFERENCE, topics=(DISPATCH_REFERENCE,), handle=documents.consume),
        ],
        tasks=[events.keep_resuming, acts.keep_resuming, documents.keep_resuming, seal, *beside],
        health=health,
    )


@asynccontextmanager
async def running(dispatch: Dispatch, watch: "ReferenceWatch") -> AsyncIterator[None]:
    """Keep the watch while the API is served, then leave the database."""
    watching = asyncio.create_task(watch.run(), name="reference-watch")
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await dispatch.engine.dispose()


@dataclass(slots=True)
class ReferenceWatch:
    """Follows whether the database answers and the city's units are here: without them nothing is decided."""

    dispatch: Dispatch
    _problem: str | None = field(default="not looked yet", init=False)

    def problem(self) -> str | None:
        """Say what is missing, for the health of the process."""
        return self._problem

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._look()
            await asyncio.sleep(_WATCH_SECONDS)

    async def _look(self) -> None:
        try:
            async with reading(self.dispatch.engine) as connection:
                library = await self.dispatch.references.refresh(connection)
        except Unavailable as error:
            self._problem = str(error)
        else:
            missing = library.units(self.dispatch.city) is None
            self._problem = f"The units of {self.dispatch.city} have not arrived yet." if missing else None
