"""What goes into the write path and what comes out of it."""

from datetime import datetime
from uuid import UUID

import msgspec

from shared.contracts.common import Actor, Answer
from shared.contracts.decisions import Delivery, WaitForReference
from shared.contracts.envelope import CloudEvent
from shared.contracts.records import Record
from shared.kernel.errors import Refusal

__all__ = [
    "Cause",
    "Command",
    "Delivery",
    "Failed",
    "Outcome",
    "ReceiptTo",
    "Request",
    "WaitForReference",
    "caused_by",
    "caused_by_record",
]


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Where a command comes from: travels on the events that it makes."""

    correlation: str
    causation: str | None = None
    traceparent: str | None = None


def caused_by(delivery: Delivery) -> Cause:
    """Return the cause of what a policy makes of this event."""
    event = delivery.event
    return Cause(
        correlation=event.correlationid or str(delivery.stream), causation=event.id, traceparent=event.traceparent
    )


def caused_by_record(record: Record, event: CloudEvent | None) -> Cause:
    """Return the cause of what a record asks for; `event` is None where it cannot be read."""
    if event is None:
        return Cause(correlation=record.place)
    return Cause(correlation=event.correlationid or event.id, causation=event.id, traceparent=event.traceparent)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The idempotency key of a command (I-2): the same (party, key) has one effect and one answer.

    `digest` tells a repeat (same digest) from a reuse of the key for something else (refused, nothing changed).
    """

    party: str
    key: str
    digest: bytes


class ReceiptTo(msgspec.Struct, frozen=True, kw_only=True):
    """The receipts topic that must hear the answer, and which message it answers."""

    topic: str
    party: str
    request: str | None
    record: str


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One command on one stream.

    `body` is what the aggregate's `decide` understands. `counts_as_of` is when the act counts as done, where that
    is not now (a department's act counts as of its record's broker time). A command with a `refusal` was refused
    before it could be decided: it is recorded and answered like any other. `record` is the record that it came
    in, if any: it is held when the command crashes its handler.
    """

    aggregate: str
    stream: UUID
    body: object
    actor: Actor
    cause: Cause
    request: Request | None = None
    receipt: ReceiptTo | None = None
    refusal: Refusal | None = None
    counts_as_of: datetime | None = None
    record: Record | None = None


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """A command that crashed its handler: our bug, answered 500 or held; nothing was changed."""

    reason: str


Outcome = Answer | Failed
