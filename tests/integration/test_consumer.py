"""The consumer on a real broker: every record reaches the handler, none is skipped, two members never overlap."""

import asyncio
import gc
import struct
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import combinations

from aiokafka import ConsumerRecord
from aiokafka.record.util import calc_crc32c
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter

from shared.contracts.records import Record
from shared.kernel.errors import Unavailable
from shared.messaging.connection import KafkaConnection
from shared.messaging.consumer import Subscription
from shared.messaging.provisioning import rights
from shared.observability import metrics
from tests.support.kafka import committed, connection_to, eventually, producing, running, send_values
from tests.support.servers import Broker, plain_topic, unique_name

PLACEHOLDER = "placeholder"
CRC_AT = 17
ATTRIBUTES_AT = 21
LONG_MILLISECONDS = 20_000


class Collector:
    """A handler that remembers what it was given; `before` may fail or wait."""

    def __init__(self, before: Callable[[], Awaitable[None]] | None = None) -> None:
        self.batches: list[tuple[Record, ...]] = []
        self._before = before

    async def __call__(self, records: Sequence[Record]) -> None:
        if self._before is not None:
            await self._before()
        self.batches.append(tuple(records))

    @property
    def records(self) -> list[Record]:
        return [record for batch in self.batches for record in batch]

    @property
    def values(self) -> list[bytes | None]:
        return [record.value for record in self.records]


class FailsAtFirst:
    """Raises the given errors, one a call, then nothing."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.calls = 0

    async def __call__(self) -> None:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)


def numbered(count: int, first: int = 0) -> list[bytes]:
    return [str(number).encode() for number in range(first, first + count)]


def filter_of(right: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        right.restype,
        right.name,
        right.resource_pattern_type,
        right.principal,
        right.host,
        right.operation,
        right.permission_type,
    )


async def send_bad_header_name(connection: KafkaConnection, topic: str) -> None:
    """Send a record whose header has a name that is not UTF-8; no client library of Python's own would."""
    async with producing(connection) as producer:
        batch = producer.create_batch()
        batch.append(timestamp=None, key=b"key", value=b"bad name", headers=[(PLACEHOLDER, b"x")])
        raw = bytearray(batch._build().replace(PLACEHOLDER.encode(), b"\xff" * len(PLACEHOLDER)))
        struct.pack_into(">I", raw, CRC_AT, calc_crc32c(raw[ATTRIBUTES_AT:]))
        batch._buffer = bytes(raw)
        await (await producer.send_batch(batch, topic, partition=0))


async def test_whatever_is_in_a_record_it_reaches_the_handler(broker: Broker) -> None:
    connection, topic, group = connection_to(broker), broker.fresh_topic("hostile"), unique_name("group")
    async with producing(connection) as producer:
        await producer.send_and_wait(topic, b"\xff\x00 no JSON", key=b"\xfe")
        await producer.send_and_wait(topic, b"{}", headers=[("ce_id", b"\xff\xfe"), ("reply_to", b"elsewhere")])
        await producer.send_and_wait(topic, None, key=b"tombstone")
        await producer.send_and_wait(topic, b"{}", headers=[("ce_type", None)])
    await send_bad_header_name(connection, topic)
    await send_values(connection, topic, [b"last"])
    handler = Collector()

    async with running(connection, Subscription(group=group, topics=(topic,), handle=handler)):
        await eventually(lambda: len(handler.records) >= 6, "six records")

    poison, header, tombstone, null_header, name, last = handler.records
    assert (poison.key, poison.value) == (b"\xfe", b"\xff\x00 no JSON")
    assert header.headers == (("ce_id", b"\xff\xfe"), ("reply_to", b"elsewhere"))
    assert (tombstone.key, tombstone.value) == (b"tombstone", None)
    assert null_header.headers == (("ce_type", None),)
    assert (name.value, name.headers) == (b"bad name", (("\\xff" * len(PLACEHOLDER), b"x"),))
    assert last.value == b"last"
    assert [record.offset for record in handler.records] == list(range(6))
    assert await committed(connection, group, topic) == [6]


async def test_nothing_is_lost_when_something_of_ours_is_down_twice(broker: Broker) -> None:
    connection, topic, group = connection_to(broker), broker.fresh_topic("down", partitions=2), unique_name("group")
    await send_values(connection, topic, numbered(20), partition=0)
    await send_values(connection, topic, numbered(20, first=20), partition=1)
    trouble = FailsAtFirst(Unavailable("no database"), Unavailable("no database"))
    handler = Collector(before=trouble)

    async with running(connection, Subscription(group=group, topics=(topic,), handle=handler)) as consumer:
        await eventually(
            lambda: consumer.problem() is not None and trouble.calls > 0, "the consumer says that it waits"
        )
        await eventually(lambda: len(handler.records) >= 40, "all records")
        await eventually(lambda: consumer.problem() is None, "the consumer is well again")

    by_partition = {
        number: [record.value for record in handler.records if record.partition == number] for number in (0, 1)
    }
    assert by_partition == {0: numbered(20), 1: numbered(20, first=20)}
    assert await committed(connection, group, topic, partitions=2) == [20, 20]


async def test_a_consumer_whose_partition_went_to_another_has_no_problem_any_more(broker: Broker) -> None:
    topic, group = broker.fresh_topic("handed-over"), unique_name("group")
    await send_values(connection_to(broker), topic, numbered(3))
    failing, working = Collector(before=FailsAtFirst(*[Unavailable("no database")] * 1000)), Collector()

    def reading(handler: Collector) -> Subscription:
        return Subscription(group=group, topics=(topic,), handle=handler)

    # The group gives its one partition to the member whose name comes first.
    async with running(connection_to(broker, "b"), reading(failing)) as first:
        await eventually(lambda: "no database" in (first.problem() or ""), "the first consumer halts")
        async with running(connection_to(broker, "a"), reading(working)):
            await eventually(lambda: working.values == numbered(3), "the second one has the records")
            await eventually(lambda: first.problem() is None, "the first one has nothing to complain of")


async def test_a_consumer_whose_right_was_taken_away_for_a_while_reads_on(secured_broker: Broker) -> None:
    reader = unique_name("reader")
    topic = replace(plain_topic(unique_name("withdrawn")), readers=(reader,))
    secured_broker.provision([topic])
    (mine,) = [right for right in rights([topic]) if right.name == f"{reader}."]
    admin = AdminClient(secured_broker.access.client_settings())
    connection = connection_to(replace(secured_broker, access=secured_broker.access_of(reader)))
    handler = Collector()

    subscription = Subscription(group=f"{reader}.test", topics=(topic.name,), handle=handler)
    async with running(connection, subscription) as consumer:
        await send_values(connection_to(secured_broker), topic.name, [b"before"])
        await eventually(lambda: handler.values == [b"before"], "the first record")
        (withdrawn,) = admin.delete_acls([filter_of(mine)]).values()
        assert len(withdrawn.result()) == 1
        await eventually(lambda: consumer.problem() is not None, "the consumer says that it cannot work")
        secured_broker.provision([topic])
        await send_values(connection_to(secured_broker), topic.name, [b"after"])
        await eventually(lambda: handler.values == [b"before", b"after"], "the second record", seconds=80)
        await eventually(lambda: consumer.problem() is None, "the consumer is well again")


async def test_a_bug_in_the_handler_skips_nothing(broker: Broker) -> None:
    connection, topic, group = connection_to(broker), broker.fresh_topic("bug"), unique_name("group")
    await send_values(connection, topic, numbered(3))
    handler = Collector(before=FailsAtFirst(ValueError("a bug")))

    async with running(connection, Subscription(group=group, topics=(topic,), handle=handler)):
        await eventually(lambda: len(handler.records) >= 3, "the records")

    assert handler.values == numbered(3)
    assert metrics.CONSUMER_RETRIES.labels(group, "error")._value.get() == 1


async def test_a_member_that_starts_again_continues_where_the_group_stood(broker: Broker) -> None:
    connection, topic, group = connection_to(broker), broker.fresh_topic("again"), unique_name("group")
    await send_values(connection, topic, numbered(5))
    first, second = Collector(), Collector()

    async with running(connection, Subscription(group=group, topics=(topic,), handle=first)):
        await eventually(lambda: len(first.records) >= 5, "the first records")
    await send_values(connection, topic, numbered(5, first=5))
    async with running(connection, Subscription(group=group, topics=(topic,), handle=second)):
        await eventually(lambda: len(second.records) >= 5, "the other records")

    assert (first.values, second.values) == (numbered(5), numbered(5, first=5))


async def test_a_batch_holds_no_more_records_than_asked_for(broker: Broker) -> None:
    connection, topic = connection_to(broker), broker.fresh_topic("small")
    await send_values(connection, topic, numbered(7))
    handler = Collector()

    subscription = Subscription(group=unique_name("group"), topics=(topic,), handle=handler, max_records=3)
    async with running(connection, subscription):
        await eventually(lambda: len(handler.records) >= 7, "the records")

    assert [len(batch) for batch in handler.batches] == [3, 3, 1]


async def test_few_records_gather_for_who_is_not_in_a_hurry(broker: Broker) -> None:
    connection, topic = connection_to(broker), broker.fresh_topic("gather")
    handler = Collector()
    subscription = Subscription(
        group=unique_name("group"), topics=(topic,), handle=handler, gather_milliseconds=LONG_MILLISECONDS
    )
    async with running(connection, subscription) as consumer:
        await eventually(lambda: consumer.problem() is None, "the consumer reads")
        await send_values(connection, topic, numbered(1))
        await asyncio.sleep(1)
        assert handler.batches == []
        await send_values(connection, topic, [b"." * 100_000] * 6)
        await eventually(lambda: len(handler.records) >= 7, "as much as is worth a batch")

    assert handler.values[0] == numbered(1)[0]


async def test_no_batch_stays_in_memory_after_the_next_ones_were_handled(broker: Broker) -> None:
    connection, topic, group = connection_to(broker), broker.fresh_topic("memory"), unique_name("group")
    handled = 0

    async def count(records: Sequence[Record]) -> None:
        nonlocal handled
        handled += len(records)

    gc.disable()  # as good as, between two of the collections that a worker makes
    try:
        async with running(connection, Subscription(group=group, topics=(topic,), handle=count)):
            for sent in range(1, 5):
                await send_values(connection, topic, numbered(1))
                await eventually(lambda: handled == sent, "the record")  # noqa: B023 - awaited before it changes
            records = [one for one in gc.get_objects() if isinstance(one, ConsumerRecord) and one.topic == topic]
    finally:
        gc.enable()
    assert 0 not in {record.offset for record in records}


class Slow:
    """A member's handler: it notes when it works on which records, and its first batch waits to be released."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.released = asyncio.Event()
        self.worked: list[tuple[float, float, set[tuple[int, int]]]] = []

    async def __call__(self, records: Sequence[Record]) -> None:
        clock = asyncio.get_running_loop().time
        begun = clock()
        self.started.set()
        await self.released.wait()
        self.worked.append((begun, clock(), {(record.partition, record.offset) for record in records}))


async def test_two_members_never_work_on_the_same_records_while_the_group_rebalances(broker: Broker) -> None:
    connection, topic, group = connection_to(broker), broker.fresh_topic("share", partitions=4), unique_name("group")
    for partition in range(4):
        await send_values(connection, topic, numbered(50), partition=partition)
    slow, other = Slow(), Slow()
    other.released.set()

    def subscription(handle: Slow) -> Subscription:
        return Subscription(group=group, topics=(topic,), handle=handle)

    def worked() -> list[tuple[float, float, set[tuple[int, int]]]]:
        return [*slow.worked, *other.worked]

    everything = {(partition, offset) for partition in range(4) for offset in range(100)}
    async with running(connection, subscription(slow)), AsyncExitStack() as later:
        await asyncio.wait_for(slow.started.wait(), 30)
        await later.enter_async_context(running(connection_to(broker, "other"), subscription(other)))
        revoked = metrics.CONSUMER_REBALANCES.labels(group)._value
        await eventually(lambda: revoked.get() > 0, "the group wants the partitions back")
        assert other.worked == []
        slow.released.set()
        for partition in range(4):
            await send_values(connection, topic, numbered(50), partition=partition)
        await eventually(lambda: set().union(*[done for _, _, done in worked()]) >= everything, "all records")

    assert other.worked != []
    for (begun, ended, mine), (begun_too, ended_too, theirs) in combinations(worked(), 2):
        assert not (mine & theirs and begun < ended_too and begun_too < ended)
    assert sum(len(done) for _, _, done in worked()) == len(everything)
    assert await committed(connection, group, topic, partitions=4) == [100] * 4


async def test_a_topic_made_later_joins_a_pattern(broker: Broker) -> None:
    connection, prefix = connection_to(broker), unique_name("parties")
    early = broker.fresh_topic(f"{prefix}.early")
    await send_values(connection, early, [b"early"])
    handler = Collector()

    subscription = Subscription(group=unique_name("group"), pattern=rf"^{prefix}\..*", handle=handler)
    async with running(connection, subscription) as consumer:
        await eventually(lambda: handler.values == [b"early"], "the early record")
        late = broker.fresh_topic(f"{prefix}.late")
        await send_values(connection, late, [b"late"])
        await eventually(lambda: handler.values == [b"early", b"late"], "the late record")
        await eventually(lambda: consumer.problem() is None, "the consumer is well")


async def test_lag_is_what_the_partition_holds_beyond_the_position(broker: Broker) -> None:
    connection, topic, group = connection_to(broker), broker.fresh_topic("lag"), unique_name("group")
    await send_values(connection, topic, numbered(10))
    slow = Slow()

    async with running(connection, Subscription(group=group, topics=(topic,), handle=slow, max_records=4)) as consumer:
        await asyncio.wait_for(slow.started.wait(), 30)
        await consumer.observe()
        assert metrics.CONSUMER_LAG.labels(group, topic, "0")._value.get() == 6
        assert metrics.CONSUMER_PARTITIONS.labels(group)._value.get() == 1
        slow.released.set()
        await eventually(lambda: sum(len(done) for _, _, done in slow.worked) == 10, "the records")
        await consumer.observe()
        assert metrics.CONSUMER_LAG.labels(group, topic, "0")._value.get() == 0
    assert consumer.problem() == "not started"
