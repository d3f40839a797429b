"""Read topics from the beginning, outside any consumer group: for comparing, never for working."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.contracts.records import Record
from shared.kernel.errors import Unavailable
from shared.messaging.connection import KafkaConnection
from shared.messaging.records import to_record

Place = tuple[str, int]
"""Topic and partition."""

_BATCH_RECORDS: Final = 2000
_WAIT_MILLISECONDS: Final = 1000
_FETCH_BYTES: Final = 4 * 1024 * 1024


async def read_all(
    connection: KafkaConnection, topics: Sequence[str], *, since: Mapping[Place, int] | None = None
) -> AsyncIterator[list[Record]]:
    """Yield every record that these topics hold at the time of the call, in batches, each partition in its order.

    Args:
        connection: of a principal that may read the topics; no group is needed and nothing is committed.
        topics: which exist.
        since: the first offset wanted of a partition, where that is not its beginning.

    Raises:
        Unavailable: when the broker is away or does not let us read.
    """
    consumer = AIOKafkaConsumer(
        *topics,
        **connection.client_arguments(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    try:
        await consumer.start()
        left = await _what_is_left(consumer, since or {})
        while left:
            fetched = await consumer.getmany(*left, timeout_ms=_WAIT_MILLISECONDS, max_records=_BATCH_RECORDS)
            batch = [
                to_record(record)
                for partition, records in fetched.items()
                for record in records
                if record.offset < left[partition]
            ]
            if batch:
                yield batch
            left = {partition: end for partition, end in left.items() if await consumer.position(partition) < end}
    except KafkaError as error:
        raise Unavailable(f"Kafka does not let us read {', '.join(topics)}: {error}") from error
    finally:
        await consumer.stop()


async def _what_is_left(consumer: AIOKafkaConsumer, since: Mapping[Place, int]) -> dict[TopicPartition, int]:
    """Stand where reading begins; return the end of each partition that has something to read."""
    partitions = sorted(consumer.assignment())
    begins = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    left: dict[TopicPartition, int] = {}
    for partition in partitions:
        begin = max(begins[partition], since.get((partition.topic, partition.partition), 0))
        consumer.seek(partition, begin)
        if begin < ends[partition]:
            left[partition] = ends[partition]
    return left
