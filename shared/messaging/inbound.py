"""What some groups have consumed: the instant before which everything that had come in has been acknowledged.

The end of every partition is noted at an instant; once the groups have committed that far, whatever was appended
before the instant has been handled, by whichever member. Knows neither wakes nor clocks.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.kernel.errors import Unavailable
from shared.messaging.backoff import brief
from shared.messaging.connection import KafkaConnection
from shared.messaging.consumer import Subscription

_ANSWER_SECONDS: Final = 10.0
_REQUEST_MILLISECONDS: Final = 5000

log = structlog.get_logger()

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """The ends of all partitions at an instant, of those groups that have not come so far."""

    at: datetime
    ends: Mapping[str, Offsets]


class ConsumedTopics:
    """Follows how far groups have consumed; asks the broker only when it is asked itself (an `Inbound` of timers)."""

    def __init__(self, kafka: KafkaConnection, subscriptions: Sequence[Subscription]) -> None:
        self._kafka = kafka
        self._subscriptions = subscriptions
        self._broker: _Broker | None = None
        self._mark: _Mark | None = None
        self._reached: datetime | None = None

    async def consumed_until(self, now: datetime) -> datetime | None:
        """Return the latest known instant before which everything that had come in has been acknowledged.

        Args:
            now: not later than the call. The answer is the `now` of this call or of an earlier one.

        Raises:
            Unavailable: when the broker does not answer.
        """
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._look(now)
        except (KafkaError, TimeoutError, OSError) as error:
            await self.close()
            raise Unavailable(f"Kafka does not say what has been consumed: {brief(error)}") from error
        return self._reached

    async def close(self) -> None:
        """Disconnect; the next question begins anew, also where a topic is gone that was waited for."""
        broker, self._broker, self._mark = self._broker, None, None
        if broker is not None:
            await broker.close()

    async def _look(self, now: datetime) -> None:
        if self._broker is None:
            self._broker = _Broker(self._kafka)
            await self._broker.connect()
        if self._mark is None:
            self._mark = _Mark(at=now, ends=await self._broker.ends(self._subscriptions))
        left = {group: await self._broker.left(group, ends) for group, ends in self._mark.ends.items()}
        behind = {group: ends for group, ends in left.items() if ends}
        if behind:
            self._mark = _Mark(at=self._mark.at, ends=behind)
        else:
            self._reached, self._mark = self._mark.at, None


class _Broker:
    """The questions to the broker, over connections of their own."""

    def __init__(self, kafka: KafkaConnection) -> None:
        arguments = kafka.client_arguments() | {"request_timeout_ms": _REQUEST_MILLISECONDS}
        self._admin = AIOKafkaAdminClient(**arguments)
        self._reader = AIOKafkaConsumer(**arguments, group_id=None, enable_auto_commit=False)

    async def connect(self) -> None:
        await self._admin.start()
        await self._reader.start()

    async def close(self) -> None:
        for end in (self._reader.stop, self._admin.close):
            try:
                await end()
            except (KafkaError, OSError) as error:
                log.info("inbound.not_closed", reason=brief(error))

    async def ends(self, subscriptions: Sequence[Subscription]) -> Mapping[str, Offsets]:
        """Return the end of every partition that each group reads.

        Raises:
            Unavailable: when a topic that a group reads is not there: nobody knows then what is on it.
        """
        described = await self._admin.describe_topics()
        partitions = {topic["topic"]: _partitions_of(topic) for topic in described if topic["partitions"]}
        places = {each.group: _places(each, partitions) for each in subscriptions}
        ends = await self._reader.end_offsets({place for mine in places.values() for place in mine})
        return {group: {place: ends[place] for place in mine} for group, mine in places.items()}

    async def left(self, group: str, ends: Offsets) -> Offsets:
        """Return those partitions, with the noted end, that the group has not consumed so far."""
        committed = await self._admin.list_consumer_group_offsets(group)
        left = [place for place, end in ends.items() if place not in committed or committed[place].offset < end]
        # What nobody has committed, and there is nothing to read, is empty, or was deleted because of its age.
        begins = await self._reader.beginning_offsets(left) if left else {}
        return {place: ends[place] for place in left if begins[place] < ends[place]}


def _partitions_of(topic: Mapping[str, Any]) -> list[TopicPartition]:
    return [TopicPartition(topic["topic"], partition["partition"]) for partition in topic["partitions"]]


def _places(subscription: Subscription, partitions: Mapping[str, Sequence[TopicPartition]]) -> list[TopicPartition]:
    """Return the partitions that a group reads.

    Raises:
        Unavailable: when a topic that it names is not there.
    """
    if subscription.pattern is None:
        topics: Sequence[str] = subscription.topics
    else:
        topics = [topic for topic in partitions if re.match(subscription.pattern, topic)]
    missing = sorted(set(topics) - partitions.keys())
    if missing:
        raise Unavailable(f"The group {subscription.group} reads {', '.join(missing)}, which Kafka does not show.")
    return [place for topic in topics for place in partitions[topic]]
