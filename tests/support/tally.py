"""A small aggregate for tests of the ledger: a tally that adds amounts, with a twin table to mix aggregates."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

import msgspec
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.common import Actor, Event
from shared.contracts.decisions import Context, Decision, Effect, ForgetPrivate, KeepPrivate
from shared.contracts.envelope import CloudEvent, binary_headers
from shared.contracts.intake import Content, ContentForgotten
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.contracts.registry import party_uri
from shared.kernel.decider import Wake
from shared.kernel.errors import Refusal
from shared.kernel.identifiers import new_id
from shared.ledger.aggregate import Aggregate, state_columns
from shared.ledger.commands import Cause, Command, Delivery, ReceiptTo, Request, WaitForReference
from shared.ledger.migrations import create_contents_table, create_ledger_tables, lay_outbox_in_lots
from shared.ledger.tables import contents_table, ledger_metadata

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
ACTOR = Actor(client="test", unit="joint-administration", post="administrator")


class Added(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "jointenforcement.tally.added.v1"
    amount: int
    note: str


class Hidden(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "jointenforcement.tally.hidden.v1"


class Add(msgspec.Struct, frozen=True, kw_only=True):
    amount: int
    note: str = ""
    secret: bytes | None = None


class Hide(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    total: int = 0
    notes: tuple[str, ...] = ()
    hidden: bool = False


def decide(state: Tally | None, body: Add | Hide, context: Context) -> Decision:
    match body:
        case Hide():
            return [Hidden(at=context.at, by=context.actor)]
        case Add(amount=amount) if amount < 0:
            return Refusal(code="negative", detail="A tally only grows.")
        case Add(note="crash"):
            raise RuntimeError("told to crash")
        case Add():
            return [Added(at=context.at, by=context.actor, amount=body.amount, note=body.note)]


def evolve(state: Tally | None, event: Event) -> Tally:
    before = state or Tally()
    match event:
        case Added():
            return Tally(total=before.total + event.amount, notes=(*before.notes, event.note), hidden=before.hidden)
        case _:
            return Tally(total=before.total, notes=before.notes, hidden=True)


def columns(state: Tally) -> dict[str, object]:
    return {"total": state.total, "notes": list(state.notes), "detail": {"hidden": state.hidden}}


def wakes(state: Tally) -> Sequence[Wake]:
    return () if state.hidden else (Wake(kind="remind", due_at=NOON + timedelta(days=state.total)),)


def effects(_state: Tally, event: Event, body: Add | Hide) -> Sequence[Effect]:
    if isinstance(body, Add) and body.secret is not None:
        content = Content(report_id=UUID(int=1), description=body.secret.decode(), address=None, photos=())
        return (KeepPrivate(private=body.secret, topic="intake.contents", shared=content),)
    if isinstance(event, Hidden):
        return (ForgetPrivate(topic="intake.contents", type=ContentForgotten.type),)
    return ()


METADATA = sa.MetaData()
LEDGER = ledger_metadata(METADATA)
CONTENTS = contents_table(METADATA)


def _table(name: str) -> sa.Table:
    return sa.Table(
        name,
        METADATA,
        *state_columns(),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("notes", ARRAY(sa.Text), nullable=False),
        sa.Column("detail", JSONB, nullable=False),
    )


def _aggregate(name: str, table: sa.Table) -> Aggregate:
    return Aggregate(
        name=name,
        topic="intake.reports",
        table=table,
        state=Tally,
        events=(Added, Hidden),
        decide=decide,
        evolve=evolve,
        columns=columns,
        wakes=wakes,
        effects=effects,
    )


TALLIES = _aggregate("tally", _table("tallies"))
TWINS = _aggregate("twin", _table("twins"))


async def migrate(engine: AsyncEngine) -> None:
    """Create the ledger's tables as a service's first migration does, and the two state tables."""

    def run(connection: sa.Connection) -> None:
        operations = Operations(MigrationContext.configure(connection))
        create_ledger_tables(operations)
        lay_outbox_in_lots(operations)
        create_contents_table(operations)
        METADATA.create_all(connection, tables=[TALLIES.table, TWINS.table])

    async with engine.begin() as connection:
        await connection.run_sync(run)


def add(stream: UUID, amount: int = 1, *, aggregate: str = "tally", key: str | None = None, **body: object) -> Command:
    request = None
    if key is not None:
        request = Request(party="test", key=key, digest=hashlib.sha256(repr((amount, body)).encode()).digest())
    return Command(
        aggregate=aggregate,
        stream=stream,
        body=msgspec.convert({"amount": amount, **body}, Add),
        actor=ACTOR,
        cause=Cause(correlation="test"),
        request=request,
    )


def event_record(
    stream: UUID,
    sequence: int,
    *,
    note: str = "",
    topic: str = "dispatch.cases",
    type_: str = Added.type,
    data: bytes | None = None,
    offset: int | None = None,
) -> Record:
    """Return a record of a topic of ours with one event of a stream."""
    payload = data if data is not None else msgspec.json.encode({"note": note})
    event = CloudEvent(
        id=str(new_id()),
        source=party_uri("services", "dispatch"),
        type=type_,
        subject=str(stream),
        sequence=sequence,
        time=NOON,
        data=payload,
    )
    return Record(
        topic=topic,
        partition=0,
        offset=offset if offset is not None else sequence,
        timestamp=NOON,
        key=str(stream).encode(),
        headers=tuple(binary_headers(event)),
        value=payload,
    )


def react(delivery: Delivery, _library: ReferenceLibrary) -> Sequence[Command] | WaitForReference:
    """A policy for tests: each event adds one to the tally of the same id, under its note."""
    body = msgspec.json.decode(delivery.event.data or b"", type=dict[str, str])
    note = body["note"]
    if note.startswith("wait:") and _library.get("units", "jiaohe", int(note[5:])) is None:
        return WaitForReference(kind="units", name="jiaohe", version=int(note[5:]))
    return [add(delivery.stream, note=note)]


def translate(record: Record, _library: ReferenceLibrary) -> Command:
    """A translator for tests: the value is the note; every record wants a receipt."""
    note = (record.value or b"").decode()
    command = add(new_id(), note=note, key=note)
    receipt = ReceiptTo(topic="intake.receipts.tester", party="tester", request=note, record=record.place)
    return Command(
        aggregate=command.aggregate,
        stream=command.stream,
        body=command.body,
        actor=command.actor,
        cause=command.cause,
        request=command.request,
        receipt=receipt,
        record=record,
    )


def outside_record(note: str, offset: int) -> Record:
    """Return a record of an outside party's topic."""
    return Record(
        topic="intake.submissions.tester",
        partition=0,
        offset=offset,
        timestamp=NOON,
        key=None,
        headers=(),
        value=note.encode(),
    )
