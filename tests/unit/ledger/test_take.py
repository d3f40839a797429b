"""What of a stream may be taken: every order of arrival ends in the same events, each once, in order (I-6, I-7)."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import CloudEvent
from shared.ledger.commands import Delivery
from shared.ledger.take import Arrival, take
from tests.support.tally import event_record

STREAM = UUID(int=7)
EVENT = CloudEvent(id="", source="", type="", data=None)


def arrival(sequence: int, *, held_id: int | None = None, reason: str | None = None) -> Arrival:
    record = event_record(STREAM, sequence)
    delivery = Delivery(topic=record.topic, stream=STREAM, sequence=sequence, event=EVENT, record=record)
    return Arrival(delivery=delivery, held_id=held_id, reason=reason)


def sequences(arrivals: object) -> list[int]:
    assert isinstance(arrivals, list)
    return [one.delivery.sequence for one in arrivals]


def test_the_next_event_is_taken() -> None:
    assert sequences(list(take(4, [], [arrival(5)]).next)) == [5]


def test_a_repeat_is_dropped_and_counted() -> None:
    taken = take(4, [], [arrival(4), arrival(1), arrival(5), arrival(5)])
    assert (sequences(list(taken.next)), taken.repeats) == ([5], 3)


def test_what_lies_behind_a_gap_waits() -> None:
    taken = take(4, [], [arrival(7), arrival(6)])
    assert (list(taken.next), sequences(list(taken.waiting))) == ([], [6, 7])


def test_the_filled_hole_frees_what_was_held() -> None:
    taken = take(4, [arrival(6, held_id=1), arrival(7, held_id=2), arrival(9, held_id=3)], [arrival(5)])
    assert sequences(list(taken.next)) == [5, 6, 7]
    assert [one.held_id for one in taken.next] == [None, 1, 2]
    assert list(taken.waiting) == []


def test_a_dead_letter_stops_its_stream() -> None:
    taken = take(4, [arrival(5, held_id=1, reason="crashed")], [arrival(6), arrival(5)])
    assert (list(taken.next), sequences(list(taken.waiting)), taken.repeats) == ([], [6], 1)


def test_a_new_dead_letter_is_held_with_its_reason_and_what_follows_waits() -> None:
    taken = take(0, [], [arrival(1), arrival(2, reason="unreadable"), arrival(3)])
    assert sequences(list(taken.next)) == [1]
    assert [(one.delivery.sequence, one.reason) for one in taken.dead] == [(2, "unreadable")]
    assert sequences(list(taken.waiting)) == [3]


@given(
    st.lists(st.integers(1, 12), max_size=60),
    st.integers(1, 12),
    st.lists(st.integers(1, 8), min_size=1, max_size=20),
)
def test_whatever_comes_in_whatever_batches_each_event_is_taken_once_and_in_order(
    noise: list[int], last: int, sizes: list[int]
) -> None:
    arriving = [*noise, *range(last, 0, -1)]
    position = 0
    held: dict[int, Arrival] = {}
    taken_in_order: list[int] = []
    while arriving:
        size = sizes[len(arriving) % len(sizes)]
        batch, arriving = arriving[:size], arriving[size:]
        verdict = take(position, list(held.values()), [arrival(sequence) for sequence in batch])
        for one in verdict.next:
            taken_in_order.append(one.delivery.sequence)
            held.pop(one.delivery.sequence, None)
            position = one.delivery.sequence
        for one in verdict.waiting:
            held[one.delivery.sequence] = arrival(one.delivery.sequence, held_id=one.delivery.sequence)

    highest = last
    while highest + 1 in noise:
        highest += 1
    assert taken_in_order == list(range(1, highest + 1))
    assert all(sequence > highest + 1 for sequence in held)
