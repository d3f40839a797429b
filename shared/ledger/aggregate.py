"""How a service tells the ledger about an aggregate: its pure functions, its topic and its table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.contracts.common import Event
from shared.contracts.decisions import Context, Decision, Effect, ForgetPrivate, KeepPrivate, Publish
from shared.kernel.decider import Wake

__all__ = [
    "Aggregate",
    "Context",
    "Decision",
    "Effect",
    "ForgetPrivate",
    "KeepPrivate",
    "Publish",
    "state_columns",
]


def _woken_by_nothing(stream: UUID, wake: Wake) -> object:
    """Stand for the command of a wake where no state has any."""
    raise LookupError(f"Nothing says what the wake {wake.kind!r} of {stream} asks for.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """One aggregate of a service. The functions are pure; their types meet in `state`, `events` and the commands.

    decide(state or None, body, context): the events that happen (none: nothing to do), or a refusal.
    evolve(state or None, event): the state after the event.
    columns(state): values for the table's columns beside the ledger's own five.
    wakes(state): what should wake it.
    woken(stream, wake): the body of the command that a wake that is due asks for; decided like any other.
    effects(state after, event, body): messages beside the event, private data to keep or to forget.
    numbered: the commands to which `decide` gets a serial of the day where they begin a stream.
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
    woken: Callable[[UUID, Wake], object] = _woken_by_nothing
    effects: Callable[[Any, Any, Any], Sequence[Effect]] = lambda _state, _event, _body: ()
    numbered: tuple[type[Any], ...] = ()


def state_columns() -> tuple[sa.Column[Any], ...]:
    """Return the five columns with which every state table begins; the ledger alone writes them."""
    return (
        sa.Column("stream", sa.Uuid, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("head", sa.LargeBinary, nullable=False, comment="hash of the stream's last event (I-17)"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, comment="instant of the last event"),
        sa.Column("state", sa.LargeBinary, nullable=False, comment="JSON of the state"),
    )
