"""What a batch is going to write, collected in memory while it decides; the effects of one unit land together."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from shared.contracts.common import Answer
from shared.ledger.aggregate import Aggregate


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `events`."""

    stream: UUID
    sequence: int
    aggregate: str
    event: UUID
    type: str
    occurred_at: datetime
    correlation: str
    causation: str | None
    traceparent: str | None
    data: bytes
    hash: bytes


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the relay will send: exactly these headers and bytes, to the partition of its key.

    `id` tells the messages of one round of the relay apart.
    """

    id: int = 0
    topic: str
    key: bytes
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None


class StreamState(msgspec.Struct, frozen=True, kw_only=True):
    """A stream as the batch sees it: sequence 0 and no state before its first event."""

    aggregate: Aggregate
    stream: UUID
    sequence: int
    head: bytes
    changed_at: datetime | None
    state: Any


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `requests`: what was answered to (party, key)."""

    party: str
    key: str
    digest: bytes
    answer: Answer


class HeldRow(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be held: with a reason it is a dead letter, without one it waits (for `waits_for`, or a gap)."""

    consumer: str
    topic: str
    stream: UUID
    sequence: int
    record: bytes
    reason: str | None
    detail: str | None
    waits_for: str | None


class PrivateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `private`: sealed bytes, or None when they were forgotten."""

    stream: UUID
    sealed: bytes | None
    revision: int


@dataclass(slots=True, kw_only=True)
class Draft:
    """Rows to write. A unit of work fills a draft of its own, which is merged only when the whole unit succeeded."""

    states: dict[UUID, StreamState] = field(default_factory=dict)
    requests: dict[tuple[str, str], RequestRow] = field(default_factory=dict)
    events: list[EventRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    private: list[PrivateRow] = field(default_factory=list)
    held: list[HeldRow] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    """Ids of held rows that are handled now."""
    unreleased: list[tuple[int, HeldRow]] = field(default_factory=list)
    """Held rows that stay, with what is now known about them."""
    positions: dict[tuple[str, UUID], int] = field(default_factory=dict)

    def merge(self, unit: "Draft") -> None:
        """Take over everything that a unit of work decided."""
        self.states.update(unit.states)
        self.requests.update(unit.requests)
        self.events += unit.events
        self.outbox += unit.outbox
        self.private += unit.private
        self.held += unit.held
        self.released += unit.released
        self.unreleased += unit.unreleased
        self.positions.update(unit.positions)
