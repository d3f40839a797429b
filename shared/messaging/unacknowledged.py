"""What was handled and could not be acknowledged, for as long as the group leaves its partitions with this member."""

from collections.abc import Sequence

from aiokafka import TopicPartition

from shared.contracts.records import Record


class Unacknowledged:
    """The offsets that a consumer still has to commit.

    They belong to one share of the group: after the next one whoever has a partition reads on from what was committed,
    and may have committed more than is known here.
    """

    def __init__(self) -> None:
        self._share = 0
        self._offsets: dict[TopicPartition, int] = {}

    def add(self, records: Sequence[Record], share: int) -> None:
        """Note that these records were handled in this share."""
        if share != self._share:
            self._share, self._offsets = share, {}
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            self._offsets[place] = max(record.offset + 1, self._offsets.get(place, 0))

    def offsets(self, share: int) -> dict[TopicPartition, int]:
        """Return what is to be committed, if this is still the same share."""
        return dict(self._offsets) if share == self._share else {}

    def clear(self) -> None:
        """Everything handled was committed."""
        self._offsets = {}
