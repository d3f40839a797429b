"""What deciders and policies may see and say beside state, command and events; pure values.

They are here and not in the ledger because a service's domain imports only the kernel and the contracts.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from shared.contracts.common import Actor, Event, Message
from shared.contracts.envelope import CloudEvent
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.contracts.reference import Kind
from shared.kernel.errors import Refusal


class Serial(msgspec.Struct, frozen=True, kw_only=True):
    """A number of a day of the city that no other stream has or ever gets; numbers may be missing between two."""

    day: date
    number: int


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision may know beside state and command.

    `now` is the batch's one instant (I-18, UTC); `at` is when this act counts as done: `now`, or the broker time of
    the record it came in. `serial` is there where the command may begin a stream that people see a number of.
    """

    stream: UUID
    now: datetime
    at: datetime
    actor: Actor
    library: ReferenceLibrary
    serial: Serial | None = None


class Publish(msgspec.Struct, frozen=True, kw_only=True):
    """A message beside the event, sent by the same relay: a task for a department, a content record."""

    topic: str
    key: bytes
    message: Message


class KeepPrivate(msgspec.Struct, frozen=True, kw_only=True):
    """Keep these bytes encrypted under the stream (I-14) and publish `shared`, if given, on `topic`."""

    private: bytes
    topic: str
    shared: Message


class ForgetPrivate(msgspec.Struct, frozen=True, kw_only=True):
    """Delete what was kept under the stream and send a tombstone of type `type` on `topic` (I-14)."""

    topic: str
    type: str


Effect = Publish | KeepPrivate | ForgetPrivate

Decision = Sequence[Event] | Refusal


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Event `sequence` of `stream` on one of our own topics, as a consumer takes it."""

    topic: str
    stream: UUID
    sequence: int
    event: CloudEvent
    record: Record


class WaitForReference(msgspec.Struct, frozen=True, kw_only=True):
    """A policy's answer when an event names a reference version that is not here yet (I-19)."""

    kind: Kind
    name: str
    version: int
