"""What deciders and policies may see and say beside state, command and events; pure values.

They are here and not in the ledger because a service's domain imports only the kernel and the contracts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.common import Actor, Event, Message
from shared.contracts.envelope import CloudEvent
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.contracts.reference import Kind
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
class Delivery:
    """Event `sequence` of `stream` on one of our own topics, as a consumer takes it."""

    topic: str
    stream: UUID
    sequence: int
    event: CloudEvent
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitForReference:
    """A policy's answer when an event names a reference version that is not here yet (I-19)."""

    kind: Kind
    name: str
    version: int
