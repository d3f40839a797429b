"""Kafka for tests: a connection to the test broker, consumers that run, records made and read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contracts.records import Record
from shared.messaging.connection import KafkaConnection
from shared.messaging.consumer import Consumer, Subscription
from shared.messaging.records import to_record
from tests.support.patience import pauses
from tests.support.servers import Broker

DEADLINE_SECONDS: Final = 40.0


def connection_to(broker: Broker, client_id: str = "test") -> KafkaConnection:
    """Return the administrator's connection to the test broker."""
    return KafkaConnection(
        bootstrap=(broker.bootstrap,),
        client_id=client_id,
        username=broker.access.username,
        password=broker.access.password,
    )


async def eventually(
    condition: Callable[[], bool | Awaitable[bool]], what: str, *, seconds: float = DEADLINE_SECONDS
) -> None:
    """Return when the condition holds; fail with `what` when it does not within the deadline."""
    deadline = asyncio.get_running_loop().time() + seconds
    for pause in pauses():
        verdict = condition()
        if verdict if isinstance(verdict, bool) else await verdict:
            return
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(pause)


@asynccontextmanager
async def running(connection: KafkaConnection, subscription: Subscription) -> AsyncIterator[Consumer]:
    """Run one consumer while the block runs."""
    broker, stopping = connection.broker(), asyncio.Event()
    consumer = Consumer(subscription, broker, stopping)
    work = asyncio.create_task(consumer.run())
    try:
        yield consumer
    finally:
        stopping.set()
        await work


@asynccontextmanager
async def producing(connection: KafkaConnection) -> AsyncIterator[AIOKafkaProducer]:
    """Give a plain producer."""
    producer = AIOKafkaProducer(**connection.client_arguments(), acks="all")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def send_values(connection: KafkaConnection, topic: str, values: Sequence[bytes], *, partition: int = 0) -> None:
    """Append records with these values to a partition."""
    async with producing(connection) as producer:
        await asyncio.gather(
            *[await producer.send(topic, value, key=b"key", partition=partition) for value in values],
        )


async def committed(connection: KafkaConnection, group: str, topic: str, *, partitions: int = 1) -> list[int]:
    """Return the group's committed offset in each partition; 0 where it has none."""
    consumer = AIOKafkaConsumer(**connection.client_arguments(), group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        consumer.assign(places)
        return [await consumer.committed(place) or 0 for place in places]
    finally:
        await consumer.stop()


async def everything_on(connection: KafkaConnection, topic: str) -> list[Record]:
    """Return all records of the topic, partition by partition in their order."""
    consumer = AIOKafkaConsumer(
        topic, **connection.client_arguments(), enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        places = sorted(consumer.assignment())
        ends = await consumer.end_offsets(places)
        found: list[Record] = []
        while any([await consumer.position(place) < ends[place] for place in places]):
            fetched = await consumer.getmany(timeout_ms=500)
            found += [to_record(raw) for records in fetched.values() for raw in records]
        return sorted(found, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()
