"""What could not be acknowledged is owed for as long as the group leaves its partitions where they are."""

from datetime import UTC, datetime

from aiokafka import TopicPartition

from shared.contracts.records import Record
from shared.messaging.unacknowledged import Unacknowledged

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def records(topic: str, partition: int, *offsets: int) -> list[Record]:
    return [
        Record(topic=topic, partition=partition, offset=offset, timestamp=NOON, key=None, headers=(), value=None)
        for offset in offsets
    ]


def test_the_offset_behind_the_last_record_of_each_partition_is_owed() -> None:
    owed = Unacknowledged()
    owed.add([*records("a", 0, 3, 5, 4), *records("b", 1, 7)], share=1)
    owed.add(records("a", 0, 6), share=1)
    owed.add(records("a", 0, 1), share=1)
    assert owed.offsets(share=1) == {TopicPartition("a", 0): 7, TopicPartition("b", 1): 8}


def test_what_is_committed_is_owed_no_more() -> None:
    owed = Unacknowledged()
    owed.add(records("a", 0, 3), share=1)
    owed.clear()
    assert owed.offsets(share=1) == {}


def test_nothing_is_owed_of_an_earlier_share() -> None:
    """Another member may have committed more of the partition meanwhile."""
    owed = Unacknowledged()
    owed.add(records("a", 0, 3), share=1)
    assert owed.offsets(share=2) == {}
    owed.add(records("b", 0, 9), share=2)
    assert owed.offsets(share=2) == {TopicPartition("b", 0): 10}
    assert owed.offsets(share=1) == {}
