"""What groups have consumed, on a real broker: an answer comes when everything before it was acknowledged."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from shared.contracts.records import Record
from shared.kernel.errors import Unavailable
from shared.messaging.connection import KafkaConnection
from shared.messaging.consumer import Subscription
from shared.messaging.inbound import ConsumedTopics
from tests.support.kafka import committed, connection_to, eventually, running, send_values
from tests.support.servers import Broker, plain_topic, unique_name

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
NOBODY_LISTENS = "127.0.0.1:9"


async def takes(_records: Sequence[Record]) -> None:
    """Handle whatever comes."""


def reading(*topics: str, pattern: str | None = None) -> Subscription:
    return Subscription(group=unique_name("group"), topics=topics, pattern=pattern, handle=takes)


@pytest.fixture
async def kafka(broker: Broker) -> KafkaConnection:
    """The way to a broker that knows groups: one that has just started makes their topic when first asked."""
    connection, topic = connection_to(broker), broker.fresh_topic("first")
    async with asking(connection, reading(topic)) as consumed:

        async def knows_groups() -> bool:
            with suppress(Unavailable):
                return await consumed.consumed_until(NOON) == NOON
            return False

        await eventually(knows_groups, "the broker knows groups")
    return connection


@asynccontextmanager
async def asking(kafka: KafkaConnection, *subscriptions: Subscription) -> AsyncIterator[ConsumedTopics]:
    consumed = ConsumedTopics(kafka, subscriptions)
    try:
        yield consumed
    finally:
        await consumed.close()


async def comes_to(consumed: ConsumedTopics, instant: datetime) -> None:
    async def there() -> bool:
        return await consumed.consumed_until(instant) == instant

    await eventually(there, f"consumed until {instant}")


async def test_topics_that_nobody_has_written_to_are_consumed(broker: Broker, kafka: KafkaConnection) -> None:
    topic = broker.fresh_topic("empty", partitions=12)
    async with asking(kafka, reading(topic)) as consumed:
        assert await consumed.consumed_until(NOON) == NOON


async def test_a_record_that_no_group_has_acknowledged_holds_the_answer_back(
    broker: Broker, kafka: KafkaConnection
) -> None:
    topic = broker.fresh_topic("unread", partitions=3)
    subscription = reading(topic)
    async with asking(kafka, subscription) as consumed:
        assert await consumed.consumed_until(NOON) == NOON
        await send_values(kafka, topic, [b"1"], partition=2)
        later = NOON + timedelta(hours=1)
        assert await consumed.consumed_until(later) == NOON
        assert await consumed.consumed_until(later) == NOON
        async with running(kafka, subscription):
            await comes_to(consumed, later)


async def test_what_comes_in_after_the_question_need_not_be_consumed(broker: Broker, kafka: KafkaConnection) -> None:
    topic = broker.fresh_topic("later")
    subscription = reading(topic)
    await send_values(kafka, topic, [b"1"])
    async with asking(kafka, subscription) as consumed:
        assert await consumed.consumed_until(NOON) is None
        async with running(kafka, subscription):
            await eventually(lambda: _acknowledged(kafka, subscription, topic, 1), "the first is acknowledged")
        await send_values(kafka, topic, [b"2"])
        assert await consumed.consumed_until(NOON + timedelta(hours=1)) == NOON
        assert await consumed.consumed_until(NOON + timedelta(hours=2)) == NOON


async def test_every_group_must_have_come_so_far(broker: Broker, kafka: KafkaConnection) -> None:
    topic = broker.fresh_topic("two-groups")
    ahead, behind = reading(topic), reading(topic)
    await send_values(kafka, topic, [b"1"])
    async with running(kafka, ahead), asking(kafka, ahead, behind) as consumed:
        await eventually(lambda: _acknowledged(kafka, ahead, topic, 1), "one group has it")
        assert await consumed.consumed_until(NOON) is None
        async with running(kafka, behind):
            await comes_to(consumed, NOON)


async def test_a_topic_that_a_pattern_matches_counts_as_soon_as_it_is_there(
    broker: Broker, kafka: KafkaConnection
) -> None:
    prefix = unique_name("pattern")
    subscription = reading(pattern=f"^{prefix}\\..*")
    broker.create_topics([plain_topic(f"{prefix}.first")])
    async with asking(kafka, subscription) as consumed:
        assert await consumed.consumed_until(NOON) == NOON
        broker.create_topics([plain_topic(f"{prefix}.second"), plain_topic(f"other-{prefix}.third")])
        await send_values(kafka, f"other-{prefix}.third", [b"1"])
        assert await consumed.consumed_until(NOON + timedelta(hours=1)) == NOON + timedelta(hours=1)
        await send_values(kafka, f"{prefix}.second", [b"1"])
        later = NOON + timedelta(hours=2)
        assert await consumed.consumed_until(later) < later  # type: ignore[operator]  # it has answered before
        async with running(kafka, subscription):
            await comes_to(consumed, later)


async def test_a_topic_that_is_deleted_while_it_is_waited_for_is_waited_for_no_more(
    broker: Broker, kafka: KafkaConnection
) -> None:
    prefix = unique_name("deleted")
    subscription = reading(pattern=f"^{prefix}\\..*")
    broker.create_topics([plain_topic(f"{prefix}.stays"), plain_topic(f"{prefix}.goes")])
    await send_values(kafka, f"{prefix}.goes", [b"1"])
    async with asking(kafka, subscription) as consumed:
        assert await consumed.consumed_until(NOON) is None
        admin = AdminClient(broker.access.client_settings())
        for future in admin.delete_topics([f"{prefix}.goes"]).values():
            await asyncio.to_thread(future.result)

        async def answered() -> bool:
            with suppress(Unavailable):
                return await consumed.consumed_until(NOON) == NOON
            return False

        await eventually(answered, "an answer without the topic")


async def test_what_is_too_old_to_be_read_is_not_waited_for(broker: Broker, kafka: KafkaConnection) -> None:
    topic = broker.fresh_topic("expired")
    await send_values(kafka, topic, [b"1", b"2"])
    async with asking(kafka, reading(topic)) as consumed:
        assert await consumed.consumed_until(NOON) is None
        await _delete_records(broker, topic, before=2)
        await comes_to(consumed, NOON)


async def test_a_topic_that_is_not_there_is_no_empty_one(kafka: KafkaConnection) -> None:
    async with asking(kafka, reading(unique_name("absent"))) as consumed:
        with pytest.raises(Unavailable, match="absent"):
            await consumed.consumed_until(NOON)


async def test_a_broker_that_is_away_gives_no_answer_and_says_so(broker: Broker, kafka: KafkaConnection) -> None:
    topic = broker.fresh_topic("away")
    async with asking(replace(kafka, bootstrap=(NOBODY_LISTENS,)), reading(topic)) as consumed:
        with pytest.raises(Unavailable, match="does not say what has been consumed"):
            await consumed.consumed_until(NOON)


async def test_an_acknowledgement_that_was_lost_is_given_again(
    broker: Broker, kafka: KafkaConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be the last one of its partition: nothing else would ever acknowledge what it was for."""
    topic = broker.fresh_topic("lost")
    subscription = reading(topic)
    commit = AIOKafkaConsumer.commit
    lost: list[object] = []

    async def lose_the_first(consumer: AIOKafkaConsumer, offsets: Any = None) -> None:  # noqa: ANN401 - aiokafka's
        if not lost:
            lost.append(offsets)
            raise KafkaError("the acknowledgement is lost")
        await commit(consumer, offsets)

    monkeypatch.setattr(AIOKafkaConsumer, "commit", lose_the_first)
    await send_values(kafka, topic, [b"1", b"2"])
    async with running(kafka, subscription), asking(kafka, subscription) as consumed:
        await eventually(lambda: bool(lost), "the acknowledgement is lost")
        await comes_to(consumed, NOON)
    assert await committed(kafka, subscription.group, topic) == [2]


async def _acknowledged(kafka: KafkaConnection, subscription: Subscription, topic: str, offset: int) -> bool:
    return await committed(kafka, subscription.group, topic) == [offset]


async def _delete_records(broker: Broker, topic: str, *, before: int) -> None:
    admin = AdminClient(broker.access.client_settings())
    for future in admin.delete_records([TopicPartition(topic, 0, before)]).values():
        await asyncio.to_thread(future.result)
