"""Counting from outside: how far topics reach, and how far groups have acknowledged them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.messaging.connection import KafkaConnection

Topics = Mapping[str, int]
"""Names of topics and their numbers of partitions."""

_POLL_SECONDS: Final = 0.1
_STANDSTILL_SECONDS: Final = 60.0


class Counter:
    """Asks the broker. Nothing is ever deleted from the topics that it is asked about."""

    def __init__(self, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> None:
        self._consumer = consumer
        self._admin = admin

    async def records(self, topics: Topics) -> int:
        """Return how many records the topics hold together."""
        return sum((await self._consumer.end_offsets(_places(topics))).values())

    async def acknowledged(self, group: str, topics: Topics) -> int:
        """Return how many records of the topics the group has acknowledged."""
        offsets = await self._admin.list_consumer_group_offsets(group, partitions=_places(topics))
        return sum(max(0, known.offset) for known in offsets.values())

    async def reach(self, topics: Topics, wanted: int) -> None:
        """Return when the topics hold as many records."""
        await _until(lambda: self.records(topics), wanted, f"records on {', '.join(topics)}")

    async def acknowledge_all(self, group: str, topics: Topics) -> None:
        """Return when the group has acknowledged everything that is on the topics now."""
        wanted = await self.records(topics)
        await _until(lambda: self.acknowledged(group, topics), wanted, f"records acknowledged by {group}")


@asynccontextmanager
async def counting(kafka: KafkaConnection) -> AsyncIterator[Counter]:
    """Give a counter."""
    arguments = kafka.client_arguments()
    consumer, admin = AIOKafkaConsumer(**arguments), AIOKafkaAdminClient(**arguments)
    await asyncio.gather(consumer.start(), admin.start())
    try:
        yield Counter(consumer, admin)
    finally:
        await asyncio.gather(consumer.stop(), admin.close())


async def _until(count: Callable[[], Awaitable[int]], wanted: int, what: str) -> None:
    """Wait for the exact count; fail when there are more, or when nothing moves for long."""
    last, moved = -1, time.monotonic()
    while (found := await count()) != wanted:
        assert found < wanted, f"{found} {what} where {wanted} were expected"
        if found != last:
            last, moved = found, time.monotonic()
        assert time.monotonic() - moved < _STANDSTILL_SECONDS, f"only {found} of {wanted} {what}"
        await asyncio.sleep(_POLL_SECONDS)


def _places(topics: Topics) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic, partitions in topics.items() for number in range(partitions)]
