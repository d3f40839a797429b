"""What a consumer has still to read, as figures: partitions in its hands, and records beyond its position in each."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.observability import metrics


class Lag:
    """The gauges of one group's member; what is taken from it is shown no more."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._shown: set[TopicPartition] = set()

    async def observe(self, client: AIOKafkaConsumer | None) -> None:
        """Bring the gauges up to date; without a client nothing is in hand."""
        assigned = set() if client is None else set(client.assignment())
        metrics.CONSUMER_PARTITIONS.labels(self._group).set(len(assigned))
        for gone in self._shown - assigned:
            metrics.CONSUMER_LAG.remove(self._group, gone.topic, str(gone.partition))
            self._shown.discard(gone)
        for place in assigned:
            await self._show(client, place)

    async def _show(self, client: AIOKafkaConsumer, place: TopicPartition) -> None:
        try:
            end = client.highwater(place)
            if end is None:
                return
            position = await asyncio.wait_for(client.position(place), 1.0)
        except (KafkaError, TimeoutError, AssertionError):
            return  # the partition was taken from us between two awaits
        self._shown.add(place)
        metrics.CONSUMER_LAG.labels(self._group, place.topic, str(place.partition)).set(max(0, end - position))
