"""Two small services that feed each other: intake's asks become dispatch's tasks, whose events come back to the asks.

Every event has a mark, which says what it stands for: `x:<key>` came from outside, `<topic>/<stream>#<n>` is the
effect of event n of a stream. So each effect can be counted. A task has a serial of its day, and a deadline that an
act in time takes away.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar, Final, Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa

from shared.contracts.common import Actor, Event, Instant
from shared.contracts.decisions import Context, Decision
from shared.contracts.envelope import CloudEvent, read_event
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.contracts.registry import party_uri
from shared.kernel.decider import Wake
from shared.kernel.errors import Refusal
from shared.ledger.aggregate import Aggregate, state_columns
from shared.ledger.commands import Cause, Command, Delivery, ReceiptTo, Request, WaitForReference
from shared.ledger.requests import request_of

ASKS: Final = "intake.reports"
HUBS: Final = "intake.hubs"
TASKS: Final = "dispatch.cases"
DOCUMENTS: Final = "dispatch.reference"
SUBMISSIONS: Final = "intake.submissions.tester"
ACTIONS: Final = "dispatch.actions.tester"
RECEIPTS: Final = {SUBMISSIONS: "intake.receipts.tester", ACTIONS: "dispatch.receipts.tester"}
HUB: Final = UUID(int=0xB)
TIME_TO_ACT: Final = timedelta(hours=1)
ACTOR: Final = Actor(client="simulator", unit="joint-administration", post="administrator")
DEADLINE: Final = "deadline"


class Marked(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "jointenforcement.tally.marked.v1"
    mark: str
    serial: str | None = None


class Expired(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "jointenforcement.tally.expired.v1"
    mark: str


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    mark: str


class Fire(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    due_at: Instant


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    marks: tuple[str, ...] = ()
    due_at: Instant | None = None


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What an outside party sends: `body` differs where a key is used for something else."""

    key: str
    stream: UUID
    mark: str


class Faults:
    """Bugs of ours that an operator sees fixed: while they are there, what says `crash` raises."""

    def __init__(self, *, blind_wakes: bool) -> None:
        self.fixed = False
        self.blind_wakes = blind_wakes


def from_outside(mark: str) -> bool:
    return mark.startswith("x:")


def _decide(faults: Faults, state: Memory | None, body: Mark | Fire, context: Context) -> Decision:
    match body:
        case Fire():
            current = state is not None and state.due_at == body.due_at
            if not (current or faults.blind_wakes):
                return []
            return [Expired(at=context.at, by=context.actor, mark=f"expired:{body.due_at.isoformat()}")]
        case Mark(mark=mark) if "crash" in mark and from_outside(mark) and not faults.fixed:
            raise RuntimeError("told to crash")
        case Mark(mark=mark) if "refuse" in mark and from_outside(mark):
            return Refusal(code="told", detail="Told to refuse.")
        case Mark():
            serial = f"{context.serial.day}-{context.serial.number}" if context.serial else None
            return [Marked(at=context.at, by=context.actor, mark=body.mark, serial=serial)]


def _evolve(state: Memory | None, event: Event) -> Memory:
    before = state or Memory()
    if not isinstance(event, Marked | Expired):
        raise TypeError(type(event).__name__)
    due = before.due_at
    if state is None:
        due = event.at + TIME_TO_ACT
    elif isinstance(event, Expired) or (from_outside(event.mark) and due is not None and event.at <= due):
        due = None
    return Memory(marks=(*before.marks, event.mark), due_at=due)


def _wakes(state: Memory) -> Sequence[Wake]:
    return () if state.due_at is None else (Wake(kind=DEADLINE, due_at=state.due_at),)


def _table(name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), *state_columns(), sa.Column("marks", sa.Text, nullable=False))


_TABLES: Final = {name: _table(f"{name}s") for name in ("ask", "hub", "task")}


def _aggregate(faults: Faults, name: str, topic: str, *, waking: bool = False) -> Aggregate:
    return Aggregate(
        name=name,
        topic=topic,
        table=_TABLES[name],
        state=Memory,
        events=(Marked, Expired),
        decide=lambda state, body, context: _decide(faults, state, body, context),
        evolve=_evolve,
        columns=lambda state: {"marks": " ".join(state.marks)},
        wakes=_wakes if waking else lambda _state: (),
        woken=lambda _stream, wake: Fire(kind=wake.kind, due_at=wake.due_at),
        numbered=(Mark,) if waking else (),
    )


def aggregates(service: str, faults: Faults) -> tuple[Aggregate, ...]:
    """Return the aggregates of a service."""
    if service == "intake":
        return _aggregate(faults, "ask", ASKS), _aggregate(faults, "hub", HUBS)
    return (_aggregate(faults, "task", TASKS, waking=True),)


def command(aggregate: str, stream: UUID, mark: str, request: Request | None = None) -> Command:
    """Return a command that puts a mark."""
    return Command(
        aggregate=aggregate,
        stream=stream,
        body=Mark(mark=mark),
        actor=ACTOR,
        cause=Cause(correlation=mark.replace("\x00", "")),
        request=request,
    )


def effect(delivery: Delivery) -> str:
    """Return the mark of what follows from an event."""
    return f"{delivery.topic}/{delivery.stream}#{delivery.sequence}"


def mark_of(delivery: Delivery) -> str:
    return msgspec.json.decode(delivery.event.data or b"{}", type=dict[str, object])["mark"]  # type: ignore[return-value]


def react_in_dispatch(
    faults: Faults, delivery: Delivery, library: ReferenceLibrary
) -> Sequence[Command] | WaitForReference:
    """Make a mark on the task of every mark from outside on an ask."""
    mark = mark_of(delivery)
    if "await" in mark and library.get("units", "jiaohe", 1) is None:
        return WaitForReference(kind="units", name="jiaohe", version=1)
    if "poison" in mark and not faults.fixed:
        raise RuntimeError("poisoned")
    return [command("task", delivery.stream, effect(delivery))] if from_outside(mark) else []


def react_in_intake(_faults: Faults, delivery: Delivery, _library: ReferenceLibrary) -> Sequence[Command]:
    """Mark on the ask what became of its task, and count at the hub what came from outside."""
    if delivery.topic == TASKS:
        return [command("ask", delivery.stream, effect(delivery))]
    if from_outside(mark_of(delivery)):
        return [command("hub", HUB, effect(delivery))]
    return []


def letter_event(topic: str, letter: Letter) -> CloudEvent:
    """Return the event in which a party sends its letter."""
    kind: Literal["sources", "departments"] = "sources" if topic == SUBMISSIONS else "departments"
    source, data = party_uri(kind, "tester"), msgspec.json.encode(letter)
    return CloudEvent(id=letter.key, source=source, type="jointenforcement.tally.letter.v1", data=data)


def translate(record: Record, _library: ReferenceLibrary) -> Command:
    """Read an outside party's letter; every one wants a receipt."""
    letter = msgspec.json.decode(record.value or b"", type=Letter)
    request = request_of(record, read_event(record.headers, record.value))
    made = command(
        "ask" if record.topic == SUBMISSIONS else "task",
        letter.stream,
        letter.mark,
        request,
    )
    receipt = ReceiptTo(topic=RECEIPTS[record.topic], party=request.party, request=letter.key, record=record.place)
    return msgspec.structs.replace(made, receipt=receipt, counts_as_of=record.timestamp, record=record)


def mark(key: str, variant: str, kind: str) -> str:
    """Return what a client sends under a key: `kind` is what it does to us."""
    return f"x:{key}:{variant}:{kind}"
