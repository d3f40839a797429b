"""From a record of one of our own topics to an arrival of its stream; a record that cannot be read is dead (I-7)."""

from typing import Final
from uuid import UUID

import msgspec

from shared.contracts.envelope import SEQUENCE_DIGITS, CloudEvent, read_event
from shared.contracts.records import Record
from shared.kernel.errors import Unreadable
from shared.kernel.identifiers import named_id
from shared.ledger.commands import Delivery
from shared.ledger.take import UNREADABLE, Arrival

_LARGEST_SEQUENCE: Final = 2**63 - 1
NEXT = 0
"""The sequence of a record that does not say which it is: whatever its stream expects next."""


def arrival_of(record: Record) -> Arrival:
    """Read a record of a topic of ours; never raises.

    A record without a readable key belongs to a stream of its own, so that it stops nothing else.
    """
    stream, keyed = _stream(record)
    try:
        event = read_event(record.headers, record.value)
        problem = _problem(event, stream, keyed=keyed)
    except Unreadable as unreadable:
        event, problem = None, unreadable.detail
    if event is None or problem is not None:
        delivery = Delivery(
            topic=record.topic,
            stream=stream,
            sequence=(_sequence(record) or NEXT) if keyed else 1,
            event=event or _nothing(),
            record=record,
        )
        return Arrival(delivery=delivery, reason=UNREADABLE, detail=problem)
    return Arrival(
        delivery=Delivery(
            topic=record.topic, stream=stream, sequence=event.sequence or NEXT, event=event, record=record
        )
    )


def with_sequence(arrival: Arrival, sequence: int) -> Arrival:
    """Return the arrival at that place of its stream."""
    delivery = arrival.delivery
    return Arrival(
        delivery=Delivery(
            topic=delivery.topic,
            stream=delivery.stream,
            sequence=sequence,
            event=delivery.event,
            record=delivery.record,
        ),
        held_id=arrival.held_id,
        reason=arrival.reason,
        detail=arrival.detail,
    )


def alone(arrival: Arrival) -> Arrival:
    """Return the arrival on a stream of its own, not held yet: its place is another's."""
    delivery = arrival.delivery
    own = named_id("record", delivery.record.place)
    return Arrival(
        delivery=Delivery(topic=delivery.topic, stream=own, sequence=1, event=delivery.event, record=delivery.record),
        reason=arrival.reason,
        detail=arrival.detail,
    )


def encode_record(record: Record) -> bytes:
    """Return the record as bytes, for holding it."""
    return msgspec.msgpack.encode(record)


def decode_record(raw: bytes) -> Record:
    """Return the record that `encode_record` encoded."""
    return msgspec.msgpack.decode(raw, type=Record)


def _stream(record: Record) -> tuple[UUID, bool]:
    try:
        return UUID((record.key or b"").decode("ascii")), True
    except (ValueError, UnicodeDecodeError):
        return named_id("record", record.place), False


def _problem(event: CloudEvent, stream: UUID, *, keyed: bool) -> str | None:
    if not keyed:
        return "The record's key is not the id of a stream."
    if event.subject != str(stream):
        return f"The event's subject {event.subject} is not the record's key {stream}."
    if not event.sequence:
        return "The event has no sequence."
    return None


def _sequence(record: Record) -> int | None:
    for name, value in record.headers:
        if name == "ce_sequence" and value is not None and value.isdigit() and len(value) <= SEQUENCE_DIGITS:
            sequence = int(value)
            return sequence if sequence <= _LARGEST_SEQUENCE else None
    return None


def _nothing() -> CloudEvent:
    return CloudEvent(id="", source="", type="", data=None)
