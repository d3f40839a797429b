"""How a service tells the ledger about an aggregate: its pure functions, its topic and its table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.contracts.common import Actor, Event, Message
from shared.contracts.library import ReferenceLibrary
from shared.kernel.decider import Wake
from shared.kernel.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a decision may know beside state and command.

    `now` is the batch's one instant (I-18, UTC); `at` is when this act counts as done: `now`, or the broker time of
    the record it came in.
    """

    stream: UUID
    now: datetime
    at: datetime
    actor: Actor
    library: ReferenceLibrary


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """A message beside the event, sent by the same relay: a task for a department, a content record."""

    topic: str
    key: bytes
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepPrivate:
    """Keep these bytes encrypted under the stream (I-14) and publish `shared`, if given, on `topic`."""

    private: bytes
    topic: str
    shared: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetPrivate:
    """Delete what was kept under the stream and send a tombstone of type `type` on `topic` (I-14)."""

    topic: str
    type: str


Effect = Publish | KeepPrivate | ForgetPrivate

Decision = Sequence[Event] | Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """One aggregate of a service. The functions are pure; their types meet in `state`, `events` and the commands.

    decide(state or None, body, context): the events that happen (none: nothing to do), or a refusal.
    evolve(state or None, event): the state after the event.
    columns(state): values for the table's columns beside the ledger's own five.
    wakes(state): what should wake it.
    effects(state after, event, body): messages beside the event, private data to keep or to forget.
    """

    name: str
    topic: str
    table: sa.Table
    state: type[Any]
    events: tuple[type[Event], ...]
    decide: Callable[[Any, Any, Context], Decision]
    evolve: Callable[[Any, Any], Any]
    columns: Callable[[Any], Mapping[str, object]]
    wakes: Callable[[Any], Sequence[Wake]] = lambda _state: ()
    effects: Callable[[Any, Event, Any], Sequence[Effect]] = lambda _state, _event, _body: ()


def state_columns() -> tuple[sa.Column[Any], ...]:
    """Return the five columns with which every state table begins; the ledger alone writes them."""
    return (
        sa.Column("stream", sa.Uuid, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("head", sa.LargeBinary, nullable=False, comment="hash of the stream's last event (I-17)"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, comment="instant of the last event"),
        sa.Column("state", sa.LargeBinary, nullable=False, comment="JSON of the state"),
    )
