"""A small aggregate for tests of timers: a reminder rings when it is due, unless an answer came in time.

A stubborn one stays as it is when it should ring; one without a bell cannot even be asked to.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Literal
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.common import Actor, Event, Instant
from shared.contracts.decisions import Context, Decision
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.kernel.decider import Wake
from shared.kernel.identifiers import new_id
from shared.ledger.aggregate import Aggregate, state_columns
from shared.ledger.commands import Cause, Command, ReceiptTo, Request
from shared.ledger.engine import create_ledger_engine
from shared.ledger.ledger import Ledger
from shared.ledger.migrations import create_ledger_tables, lay_outbox_in_lots
from shared.ledger.references import References
from shared.ledger.tables import ledger_metadata
from shared.ledger.vault import Vault
from tests.support.servers import Postgres

ACTOR = Actor(client="test", unit="joint-administration", post="administrator")
REMINDERS = "dispatch.cases"
RECEIPTS = "dispatch.receipts.tester"
KEY = bytes(range(32))
Kind = Literal["bell", "stubborn", "mute"]


class ReminderSet(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "jointenforcement.reminder.set.v1"
    kind: Kind
    due_at: Instant
    note: str


class ReminderRang(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "jointenforcement.reminder.rang.v1"
    due_at: Instant
    note: str


class ReminderAnswered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "jointenforcement.reminder.answered.v1"
    late: bool


class Remind(msgspec.Struct, frozen=True, kw_only=True):
    """Ring at these instants, one after the other."""

    due_at: Instant
    kind: Kind = "bell"
    note: str = ""


class Ring(msgspec.Struct, frozen=True, kw_only=True):
    due_at: Instant


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    stream: UUID


class Reminder(msgspec.Struct, frozen=True, kw_only=True):
    kind: Kind
    due_at: Instant
    note: str
    waits: bool = True
    rang: int = 0


def decide(state: Reminder | None, body: Remind | Ring | Answer, context: Context) -> Decision:
    at, by = context.at, context.actor
    match body:
        case Remind():
            return [ReminderSet(at=at, by=by, kind=body.kind, due_at=body.due_at, note=body.note)]
        case _ if state is None or not state.waits:
            return []
        case Answer():
            return [ReminderAnswered(at=at, by=by, late=at > state.due_at)]
        case Ring() if state.kind == "bell" and state.due_at == body.due_at:
            return [ReminderRang(at=at, by=by, due_at=body.due_at, note=state.note)]
        case Ring():
            return []


def evolve(state: Reminder | None, event: Event) -> Reminder:
    match event:
        case ReminderSet():
            return Reminder(kind=event.kind, due_at=event.due_at, note=event.note, rang=state.rang if state else 0)
        case ReminderRang() if state is not None:
            return msgspec.structs.replace(state, waits=False, rang=state.rang + 1)
        case ReminderAnswered() if state is not None:
            return msgspec.structs.replace(state, waits=False)
        case _:
            raise ValueError(f"A reminder does not begin with {type(event).__name__}.")


def wakes(state: Reminder) -> Sequence[Wake]:
    return (Wake(kind=state.kind, due_at=state.due_at),) if state.waits else ()


def woken(stream: UUID, wake: Wake) -> object:
    if wake.kind == "mute":
        raise LookupError(f"{stream} has no bell.")
    return Ring(due_at=wake.due_at)


METADATA = sa.MetaData()
LEDGER = ledger_metadata(METADATA)
AGGREGATE = Aggregate(
    name="reminder",
    topic=REMINDERS,
    table=sa.Table(
        "reminders",
        METADATA,
        *state_columns(),
        sa.Column("rang", sa.BigInteger, nullable=False),
        sa.Column("waits", sa.Boolean, nullable=False),
    ),
    state=Reminder,
    events=(ReminderSet, ReminderRang, ReminderAnswered),
    decide=decide,
    evolve=evolve,
    columns=lambda state: {"rang": state.rang, "waits": state.waits},
    wakes=wakes,
    woken=woken,
)


async def migrate(engine: AsyncEngine) -> None:
    """Create the ledger's tables and the reminders."""

    def run(connection: sa.Connection) -> None:
        operations = Operations(MigrationContext.configure(connection))
        create_ledger_tables(operations)
        lay_outbox_in_lots(operations)
        METADATA.create_all(connection, tables=[AGGREGATE.table])

    async with engine.begin() as connection:
        await connection.run_sync(run)


@pytest.fixture
async def reminders_engine(postgres: Postgres) -> AsyncIterator[AsyncEngine]:
    """Return an engine on a fresh database of reminders."""
    engine = create_ledger_engine(postgres.fresh_database("reminders"), application="test")
    await migrate(engine)
    yield engine
    await engine.dispose()


def reminders_on(engine: AsyncEngine, service: str) -> Ledger:
    """Return the ledger of a service with reminders; its name is that of its leases, which all databases share."""
    return Ledger(
        engine=engine, service=service, aggregates=(AGGREGATE,), vault=Vault(KEY), references=References(engine)
    )


def remind(due_at: datetime, *, stream: UUID | None = None, kind: Kind = "bell", note: str = "") -> Command:
    """Return the command that sets a reminder."""
    return Command(
        aggregate=AGGREGATE.name,
        stream=stream or new_id(),
        body=Remind(due_at=due_at, kind=kind, note=note),
        actor=ACTOR,
        cause=Cause(correlation="test"),
    )


def reminders(count: int, first_due: datetime, *, apart: timedelta = timedelta()) -> list[Command]:
    """Return commands for so many reminders, the latest first; their notes say the order in which they are due."""
    return [remind(first_due + number * apart, note=str(number)) for number in reversed(range(count))]


def translate(record: Record, _library: ReferenceLibrary) -> Command:
    """Read an answer that a party sends: the value is the reminder's id; it counts as of its broker time."""
    stream = UUID((record.value or b"").decode())
    return Command(
        aggregate=AGGREGATE.name,
        stream=stream,
        body=Answer(stream=stream),
        actor=ACTOR,
        cause=Cause(correlation=record.place),
        request=Request(party="tester", key=record.place, digest=hashlib.sha256(record.value or b"").digest()),
        receipt=ReceiptTo(topic=RECEIPTS, party="tester", request=None, record=record.place),
        counts_as_of=record.timestamp,
        record=record,
    )
