"""A record of our own topics becomes an arrival, whatever is in it."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.records import Record
from shared.kernel.identifiers import new_id
from shared.ledger.arrivals import NEXT, arrival_of, decode_record, encode_record
from tests.support.tally import NOON, event_record, outside_record

HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_id", "ce_type", "ce_source", "ce_specversion", "ce_sequence", "ce_subject", "x"]),
        st.none() | st.binary(max_size=40) | st.sampled_from([b"1.0", b"1", b"7"]),
    ),
    max_size=9,
)


def test_an_event_of_ours_arrives_at_its_place() -> None:
    stream = new_id()
    arrival = arrival_of(event_record(stream, 3))
    assert (arrival.delivery.stream, arrival.delivery.sequence, arrival.reason) == (stream, 3, None)


def test_a_record_without_a_key_stands_alone() -> None:
    one, other = arrival_of(outside_record("a", 1)), arrival_of(outside_record("a", 2))
    assert one.reason == other.reason == "unreadable"
    assert one.delivery.stream != other.delivery.stream


def test_an_unreadable_record_that_says_its_sequence_is_held_there() -> None:
    stream = new_id()
    broken = Record(
        topic="dispatch.cases",
        partition=0,
        offset=1,
        timestamp=NOON,
        key=str(stream).encode(),
        headers=(("ce_sequence", b"00007"),),
        value=b"{}",
    )
    assert (arrival_of(broken).delivery.sequence, arrival_of(broken).reason) == (7, "unreadable")


def test_a_subject_that_is_not_the_key_is_unreadable() -> None:
    record = event_record(new_id(), 1)
    other = Record(
        topic=record.topic,
        partition=0,
        offset=1,
        timestamp=NOON,
        key=str(new_id()).encode(),
        headers=record.headers,
        value=record.value,
    )
    assert arrival_of(other).reason == "unreadable"


@given(st.none() | st.binary(max_size=40), HEADERS, st.none() | st.binary(max_size=60))
def test_no_record_raises_and_every_record_can_be_held(
    key: bytes | None, headers: list[tuple[str, bytes | None]], value: bytes | None
) -> None:
    record = Record(
        topic="dispatch.cases", partition=1, offset=5, timestamp=NOON, key=key, headers=tuple(headers), value=value
    )
    arrival = arrival_of(record)
    assert isinstance(arrival.delivery.stream, UUID)
    assert arrival.reason is not None or arrival.delivery.sequence != NEXT
    assert decode_record(encode_record(record)) == record
