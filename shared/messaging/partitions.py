"""Whole batches to partitions: at most one open batch a partition, each partition succeeds alone, order is kept.

Ten times the rate of `send()` (ADR 3). A producer that has failed is discarded without flush and made anew: an
idempotent producer takes a batch's sequence numbers before it sends it, so after a failure its next batch is out of
order for the broker, for ever.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.contracts.registry import partition_for
from shared.ledger.relaying import OutboxRow
from shared.messaging.backoff import brief
from shared.messaging.connection import KafkaConnection
from shared.observability import metrics

METADATA_SECONDS: Final = 1.0
"""How long a topic may take to tell its partitions; a topic that is missing costs each round this much at most."""
SEND_SECONDS: Final = 10.0
"""How long the broker may take to acknowledge one batch; aiokafka itself would try for ever."""
_CLOSE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of some rows: the ids that Kafka acknowledged, and why a topic's others were not."""

    sent: frozenset[int]
    failed: Mapping[str, str]


class PartitionSender:
    """Sends rows; owns the producer. Not for two callers at a time."""

    def __init__(self, kafka: KafkaConnection) -> None:
        self._kafka = kafka
        self._producer: AIOKafkaProducer | None = None
        self._spoilt = False

    async def send(self, rows: Sequence[OutboxRow]) -> Delivery:
        """Send the rows, each to the partition of its key, those of one partition in the order given.

        Raises:
            KafkaError: when the broker cannot be reached at all.
        """
        producer = await self._started()
        by_topic: dict[str, list[OutboxRow]] = defaultdict(list)
        for row in rows:
            by_topic[row.topic].append(row)
        sent: set[int] = set()
        reasons = await asyncio.gather(
            *[self._send_topic(producer, topic, topic_rows, sent) for topic, topic_rows in by_topic.items()]
        )
        if self._spoilt:
            await self.discard()
        failed = {topic: reason for topic, reason in zip(by_topic, reasons, strict=True) if reason is not None}
        return Delivery(sent=frozenset(sent), failed=failed)

    async def discard(self) -> None:
        """Give up the producer without flush: nothing that is still in it will be sent."""
        producer, self._producer, self._spoilt = self._producer, None, False
        if producer is not None:
            await _discard(producer)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = self._kafka.producer()
            try:
                await producer.start()
            except BaseException:
                await _discard(producer)
                raise
            self._producer = producer
        return self._producer

    async def _send_topic(
        self, producer: AIOKafkaProducer, topic: str, rows: Sequence[OutboxRow], sent: set[int]
    ) -> str | None:
        """Send one topic's rows and note what was sent; return why not all of them were."""
        try:
            partitions = await asyncio.wait_for(producer.partitions_for(topic), METADATA_SECONDS)
        except (KafkaError, TimeoutError) as error:
            return _reason(error, "the topic is not known to the broker")
        groups: dict[int, list[OutboxRow]] = defaultdict(list)
        for row in rows:
            groups[partition_for(row.key, len(partitions))].append(row)
        outcomes = await asyncio.gather(
            *[self._send_partition(producer, topic, number, group, sent) for number, group in groups.items()]
        )
        metrics.RELAY_PUBLISHED.labels(topic).inc(sum(1 for row in rows if row.id in sent))
        return next((reason for reason in outcomes if reason is not None), None)

    async def _send_partition(
        self, producer: AIOKafkaProducer, topic: str, partition: int, rows: Sequence[OutboxRow], sent: set[int]
    ) -> str | None:
        """Send one partition's rows, batch after batch; stop at the first that is not acknowledged."""
        rest = list(rows)
        while rest:
            batch = producer.create_batch()
            packed = _pack(batch, rest)
            try:
                await _acknowledged(producer, batch, topic, partition)
            except (KafkaError, TimeoutError) as error:
                self._spoilt = True
                return _reason(error, "the broker did not acknowledge in time")
            sent.update(row.id for row in rest[:packed])
            del rest[:packed]
        return None


def _pack(batch: BatchBuilder, rows: Sequence[OutboxRow]) -> int:
    """Append rows until the batch is full; return how many are in it, at least one."""
    for number, row in enumerate(rows):
        if batch.append(timestamp=None, key=row.key, value=row.value, headers=list(row.headers)) is None:
            return number
    return len(rows)


async def _acknowledged(producer: AIOKafkaProducer, batch: BatchBuilder, topic: str, partition: int) -> None:
    """Send the batch and return when all replicas in sync have it.

    Raises:
        KafkaError: when the broker refuses it.
        TimeoutError: when nobody knows.
    """
    async with asyncio.timeout(SEND_SECONDS):
        future = await producer.send_batch(batch, topic, partition=partition)
        # The producer goes on with a batch that we no longer wait for, until it is discarded.
        future.add_done_callback(_look_at)
        await asyncio.shield(future)


def _look_at(future: "asyncio.Future[object]") -> None:
    """Take notice of a failure that nobody waits for any more, so that asyncio does not report it."""
    if not future.cancelled():
        future.exception()


def _reason(error: BaseException, otherwise: str) -> str:
    return brief(error) if str(error) else f"{type(error).__name__}: {otherwise}"


async def _discard(producer: AIOKafkaProducer) -> None:
    """Close without the flush of `stop()`: close the connections first, then end the task that sends."""
    producer._closed = True  # noqa: SLF001 - there is no public way to close without flush
    with contextlib.suppress(KafkaError, TimeoutError):
        await asyncio.wait_for(producer.client.close(), _CLOSE_SECONDS)
    sender = producer._sender.sender_task  # noqa: SLF001
    if sender is None:
        return
    # The first cancellation makes it wait for requests under way, the second one ends those too.
    for _ in range(3):
        if sender.done():
            break
        sender.cancel()
        await asyncio.wait([sender], timeout=_CLOSE_SECONDS / 2)
    if sender.done() and not sender.cancelled():
        sender.exception()
