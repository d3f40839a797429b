"""Each stream is 1..n, on its topic as in its ledger, byte for byte, and its hash chain fits (I-4, I-17)."""

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final
from uuid import UUID

from tests.reliability.history.copies import Streams, later_copies
from tests.reliability.history.facts import Facts, Finding, Published, State, Stored
from tests.reliability.history.read_topics import digest_of

_PARTITIONS: Final = 12
_TOPICS: Final = {"report": "intake.reports", "case": "dispatch.cases", "reference": "dispatch.reference"}
"""The topic of each aggregate."""

Ledger = Mapping[tuple[str, str], list[Stored]]


def check_streams(facts: Facts, streams: Streams) -> Iterator[Finding]:
    """Compare topics and ledgers."""
    ledger = _ledger(facts)
    states = {(state.service, state.stream): state for state in facts.states}
    yield from (Finding(invariant="I-4", what="no event of ours", where=place) for place in facts.strangers)
    for (topic, stream), events in streams.items():
        yield from _in_order(topic, stream, [event.sequence for event in events])
        yield from _on_its_partition(events)
    for known, again in later_copies(facts):
        if (known.digest, known.partition) != (again.digest, again.partition):
            where = f"{again.topic} {again.stream}:{again.sequence}"
            what = f"the copy at offset {again.offset} has other bytes than that at {known.offset}"
            yield Finding(invariant="I-4", what=what, where=where)
    for (topic, stream), rows in ledger.items():
        published = {event.sequence: event for event in streams.get((topic, stream), ())}
        yield from _in_order(f"{rows[0].service}.events", stream, [row.sequence for row in rows])
        yield from _as_stored(rows, published)
        yield from _state(rows, states.pop((rows[0].service, stream), None))
    for topic, stream in streams.keys() - ledger.keys():
        yield Finding(invariant="I-4", what="on the topic, and not in the ledger", where=f"{topic} {stream}")
    for service, stream in states:
        yield Finding(invariant="I-5", what="a state without events", where=f"{service} {stream}")


def _ledger(facts: Facts) -> Ledger:
    rows = sorted(facts.stored, key=lambda row: (row.aggregate, row.stream, row.sequence))
    grouped = groupby(rows, key=lambda row: (_TOPICS[row.aggregate], row.stream))
    return {place: list(events) for place, events in grouped}


def _in_order(topic: str, stream: str, sequences: list[int]) -> Iterator[Finding]:
    if sequences != list(range(1, len(sequences) + 1)):
        wrong = next(index for index, sequence in enumerate(sequences, start=1) if sequence != index)
        what = f"event {sequences[wrong - 1]} stands where {wrong} is due"
        yield Finding(invariant="I-4", what=what, where=f"{topic} {stream}")


def _on_its_partition(events: list[Published]) -> Iterator[Finding]:
    for event in events:
        wanted = zlib.crc32(event.stream.encode()) % _PARTITIONS
        if event.partition != wanted:
            where = f"{event.topic} {event.stream}:{event.sequence}"
            what = f"on partition {event.partition}, not on {wanted} as its key says"
            yield Finding(invariant="I-4", what=what, where=where)


def _as_stored(rows: list[Stored], published: Mapping[int, Published]) -> Iterator[Finding]:
    """Compare a stream's rows with their first copies, and follow the chain."""
    head = bytes(32)
    topic = _TOPICS[rows[0].aggregate]
    for row in rows:
        where = f"{topic} {row.stream}:{row.sequence}"
        event = published.get(row.sequence)
        if event is None:
            yield Finding(invariant="I-4", what="in the ledger, and not on the topic", where=where)
        elif event.digest != _digest(row, head):
            yield Finding(invariant="I-4", what="the topic has other bytes than the ledger", where=where)
        if chain(head, row) != row.hash:
            yield Finding(invariant="I-17", what="its hash does not follow from its predecessor's", where=where)
        head = row.hash
    if len(published) > len(rows):
        what = f"{len(published)} events on the topic, {len(rows)} in the ledger"
        yield Finding(invariant="I-4", what=what, where=f"{topic} {rows[0].stream}")


def _state(rows: list[Stored], state: State | None) -> Iterator[Finding]:
    last = rows[-1]
    where = f"{last.service} {last.stream}"
    if state is None:
        yield Finding(invariant="I-5", what="events without a state", where=where)
    elif (state.sequence, state.head) != (last.sequence, last.hash):
        what = f"the state stands at {state.sequence}, the events end at {last.sequence}"
        yield Finding(invariant="I-5", what=what, where=where)


def chain(previous: bytes, row: Stored) -> bytes:
    """Return the hash that the event must have after its predecessor's (docs: `shared.ledger.hashchain`)."""
    digest = hashlib.sha256(previous)
    digest.update(UUID(row.id).bytes + UUID(row.stream).bytes + row.sequence.to_bytes(8, "big"))
    digest.update(f"{row.type}\x1f{row.at}\x1f".encode())
    digest.update(row.data)
    return digest.digest()


def _digest(row: Stored, previous: bytes) -> bytes:
    headers = {
        "ce_specversion": "1.0",
        "ce_id": row.id,
        "ce_source": f"/joint/services/{row.service}",
        "ce_type": row.type,
        "ce_subject": row.stream,
        "ce_time": row.at,
        "ce_sequence": f"{row.sequence:020d}",
        "ce_partitionkey": row.stream,
        "ce_correlationid": row.correlation,
        "ce_causationid": row.causation,
        "ce_traceparent": row.traceparent,
        "ce_previoushash": previous.hex() if row.sequence > 1 else None,
        "content-type": "application/json",
    }
    return digest_of([(name, text.encode()) for name, text in headers.items() if text is not None], row.data)
