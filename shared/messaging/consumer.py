"""Batches of records for a handler: everything that a topic holds arrives, in order, until the handler has taken it.

At least once: a batch is acknowledged after its handler returned and comes again otherwise. That it has its effect
once is the ledger's work (I-2, I-6).
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage
from faststream.message import AckStatus

from shared.contracts.records import Record
from shared.kernel.errors import Unavailable
from shared.messaging.backoff import Backoff, brief, pause
from shared.messaging.connection import DRAIN_SECONDS
from shared.messaging.drain import Drain
from shared.messaging.lag import Lag
from shared.messaging.polls import Polls
from shared.messaging.records import to_records
from shared.messaging.unacknowledged import Unacknowledged
from shared.observability import metrics
from shared.observability.crash import reach
from shared.observability.logging import bind
from shared.observability.tracing import batch_span

if TYPE_CHECKING:
    from faststream.kafka.subscriber.usecase import BatchSubscriber

Handle = Callable[[Sequence[Record]], Awaitable[None]]
"""Takes a whole batch; when it returns, everything is committed. Raises Unavailable when nothing could be done."""

MAXIMUM_RECORDS: Final = 2000
"""One transaction's worth (design section 1)."""
UNHURRIED_MILLISECONDS: Final = 100
"""For work that nobody waits for: what a reporter is told, what is counted (ADR 0022)."""

_BACKOFF: Final = Backoff(first=0.2, most=10.0)
_PAUSE_MILLISECONDS: Final = 10
"""FastStream's pause after no record came; how long to wait for one is set by `Polls`."""
_SESSION_MILLISECONDS: Final = 10_000
"""After this long without a heartbeat the group gives a killed member's partitions to another."""
_REBALANCE_MILLISECONDS: Final = 30_000
_COMMIT_SECONDS: Final = 20.0
_COMMIT_AGAIN_SECONDS: Final = 1.0
_STALE_POLL_SECONDS: Final = 60.0
_LEAVE_SECONDS: Final = 45.0
"""More than one request may take (40 s)."""
_FETCH_BYTES: Final = 4 * 1024 * 1024
_GATHERED_BYTES: Final = 512 * 1024
_IDLE_FETCH_MILLISECONDS: Final = 500
"""How long the broker keeps a question while there is nothing to read."""

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """What a service reads in one consumer group: some topics, or all whose names match a pattern."""

    group: str
    handle: Handle
    topics: tuple[str, ...] = ()
    pattern: str | None = None
    max_records: int = MAXIMUM_RECORDS
    gather_milliseconds: int = 0
    """How long records may gather at the broker, unless they are many; 0: they come at once. For work that nobody waits
    for within that time: a batch of a few records costs as much as one of dozens."""

    def __post_init__(self) -> None:
        if bool(self.topics) == (self.pattern is not None):
            raise ValueError(f"The subscription {self.group} needs topics or a pattern, and not both.")


@dataclass(frozen=True, slots=True)
class _Failure:
    cause: Literal["unavailable", "error"]
    reason: str


class Consumer:
    """One subscription on a FastStream broker."""

    def __init__(self, subscription: Subscription, broker: KafkaBroker, stopping: asyncio.Event) -> None:
        self._subscription = subscription
        self._broker = broker
        self.group = subscription.group
        self._stopping = stopping
        self._drain = Drain(self.group, seconds=DRAIN_SECONDS)
        self._polls = Polls()
        self._failures = 0
        self._problem: str | None = None
        self._problem_in_share = 0
        self._lag = Lag(self.group)
        self._committing = asyncio.Lock()
        self._unacknowledged = Unacknowledged()
        self._subscriber = self._subscribe(broker)
        self._subscriber(self._consume)

    def problem(self) -> str | None:
        """Say what keeps this consumer from working, for the health of its process; None when nothing does."""
        if self._subscriber.consumer is None:
            return "not started"
        # What was put back before the group shared out anew is now the business of whoever has the partition.
        if self._problem is not None and self._problem_in_share == self._drain.shares:
            return f"halted after {self._failures} failures: {self._problem}"
        if self._coordinator_away():
            return "the broker that coordinates the group does not answer"
        if not self._drain.joined:
            return "no assignment"
        if self._polls.age() > _STALE_POLL_SECONDS:
            return f"last poll {self._polls.age():.0f} s ago"
        return None

    async def run(self) -> None:
        """Consume until told to stop; then end the running batch, acknowledge it and leave the group."""
        await self._broker.connect()
        joined = asyncio.create_task(self._stay_joined(), name=f"join {self.group}")
        told = asyncio.create_task(self._stopping.wait(), name=f"stop {self.group}")
        again = asyncio.create_task(self._acknowledge_again(), name=f"acknowledge {self.group}")
        try:
            await asyncio.wait([joined, told], return_when=asyncio.FIRST_COMPLETED)
            if joined.done():
                joined.result()
        finally:
            # Whoever still waits for its group's rebalance is not going to read anything.
            for task in (joined, told, again):
                task.cancel()
            await asyncio.wait([joined, told, again])
            await self._subscriber.stop()

    async def _stay_joined(self) -> None:
        """Read with a client until it does not ask for records any more; then with a new one."""
        while True:
            await self._start()
            await self._polls.end()
            log.error("consumer.client_replaced", group=self.group, last_poll_seconds=round(self._polls.age()))
            metrics.CONSUMER_CLIENTS_REPLACED.labels(self.group).inc()
            await self._leave()

    async def _leave(self) -> None:
        """Give the client up; the group notices by itself what the client does not say any more."""
        self._drain.joined = False
        try:
            await asyncio.wait_for(self._subscriber.stop(), _LEAVE_SECONDS)
        except (KafkaError, TimeoutError) as error:
            log.warning("consumer.not_left", group=self.group, reason=brief(error))

    async def _start(self) -> None:
        """Join the group; again while the broker is away, or does not allow it."""
        failures = 0
        while True:
            try:
                await self._subscriber.start()
            except KafkaError as error:
                failures += 1
                log.warning("consumer.broker_away", group=self.group, reason=brief(error))
                await self._leave()
                await asyncio.sleep(_BACKOFF.jittered(failures))
            else:
                self._polls.watch(self._subscriber.consumer)
                log.info("consumer.started", group=self.group)
                return

    async def observe(self) -> None:
        """Bring this consumer's gauges up to date."""
        metrics.CONSUMER_LAST_POLL_AGE.labels(self.group).set(self._polls.age())
        await self._lag.observe(self._subscriber.consumer)

    def _subscribe(self, broker: KafkaBroker) -> "BatchSubscriber":
        return broker.subscriber(
            *self._subscription.topics,
            pattern=self._subscription.pattern,
            group_id=self.group,
            batch=True,
            max_records=self._subscription.max_records,
            batch_timeout_ms=_PAUSE_MILLISECONDS,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            listener=self._drain,
            parser=self._parse,
            decoder=_as_it_is,
            no_reply=True,
            session_timeout_ms=_SESSION_MILLISECONDS,
            rebalance_timeout_ms=_REBALANCE_MILLISECONDS,
            fetch_max_bytes=_FETCH_BYTES,
            fetch_min_bytes=_GATHERED_BYTES if self._subscription.gather_milliseconds else 1,
            fetch_max_wait_ms=self._subscription.gather_milliseconds or _IDLE_FETCH_MILLISECONDS,
        )

    async def _parse(self, batch: "tuple[ConsumerRecord[Any, Any], ...]") -> KafkaAckableMessage:
        """Replace FastStream's parser, which drops a batch in silence when a header is not UTF-8."""
        return KafkaAckableMessage(
            raw_message=batch, body=to_records(batch), headers={}, consumer=self._subscriber.consumer
        )

    async def _consume(self, message: KafkaAckableMessage) -> None:
        # It keeps what its decoder returned, which is itself: a cycle that would hold the records for a long while.
        message.clear_cache()
        records = cast("tuple[Record, ...]", message.body)
        with (
            self._polls.handling(),
            bind(group=self.group),
            batch_span(f"consume {self.group}", _traceparents(records)),
        ):
            async with self._drain.busy():
                failure = await self._attempt(message, records)
            if failure is None:
                self._failures, self._problem = 0, None
                return
            # Outside of `busy`: a rebalance need not wait for our wait.
            self._failures += 1
            self._problem, self._problem_in_share = failure.reason, self._drain.shares
            wait = _BACKOFF.jittered(self._failures)
            metrics.CONSUMER_RETRIES.labels(self.group, failure.cause).inc()
            log.warning("consumer.put_back", cause=failure.cause, reason=failure.reason, seconds=round(wait, 1))
            await pause(wait, self._stopping)

    async def _attempt(self, message: KafkaAckableMessage, records: tuple[Record, ...]) -> _Failure | None:
        """Hand the batch over and acknowledge it, or put it back."""
        started = monotonic()
        reach("consumer_before_handle")
        try:
            await self._subscription.handle(records)
        except Unavailable as error:
            _put_back(message, records)
            return _Failure("unavailable", brief(error))
        except Exception as error:  # a handler's bug halts its own group: nothing is skipped (I-8)
            log.exception("consumer.failed")
            _put_back(message, records)
            return _Failure("error", brief(error))
        reach("consumer_after_handle_before_ack")
        await self._acknowledge(message, records)
        reach("consumer_after_ack")
        self._count(records, monotonic() - started)
        return None

    async def _acknowledge(self, message: KafkaAckableMessage, records: Sequence[Record]) -> None:
        """Commit inside the drained region; what the broker refuses is acknowledged again, or comes again."""
        try:
            async with self._committing:
                await asyncio.wait_for(message.ack(), _COMMIT_SECONDS)
        except (KafkaError, ConsumerStoppedError, TimeoutError) as error:
            message.committed = AckStatus.ACKED  # FastStream must not try once more
            self._unacknowledged.add(records, self._drain.shares)
            metrics.CONSUMER_COMMIT_FAILURES.labels(self.group).inc()
            log.warning("consumer.commit_failed", reason=brief(error))
        else:
            self._unacknowledged.clear()

    async def _acknowledge_again(self) -> None:
        """Commit what could not be committed: were it the last of its partition, nobody would know it was handled."""
        while True:
            await asyncio.sleep(_COMMIT_AGAIN_SECONDS)
            async with self._committing:
                consumer, offsets = self._subscriber.consumer, self._unacknowledged.offsets(self._drain.shares)
                if consumer is None or not self._drain.joined or not offsets:
                    continue
                try:
                    await asyncio.wait_for(consumer.commit(offsets), _COMMIT_SECONDS)
                except (KafkaError, ConsumerStoppedError, IllegalStateError, TimeoutError) as error:
                    log.warning("consumer.commit_failed", reason=brief(error))
                else:
                    self._unacknowledged.clear()

    def _count(self, records: Sequence[Record], seconds: float) -> None:
        for topic, count in Counter(record.topic for record in records).items():
            metrics.CONSUMER_RECORDS.labels(self.group, topic).inc(count)
        metrics.CONSUMER_BATCH_RECORDS.labels(self.group).observe(len(records))
        metrics.CONSUMER_BATCH_SECONDS.labels(self.group).observe(seconds)

    def _coordinator_away(self) -> bool:
        """Tell whether the group's coordinator is lost; heartbeats notice it within some seconds."""
        # A consumer goes on asking for records while the broker is away, so its last poll says nothing.
        coordinator = self._subscriber.consumer and self._subscriber.consumer._coordinator  # noqa: SLF001
        return coordinator is None or coordinator.coordinator_id is None


async def _as_it_is(message: KafkaAckableMessage) -> KafkaAckableMessage:
    """Decode nothing: the handler gets the message."""
    return message


def _put_back(message: KafkaAckableMessage, records: Sequence[Record]) -> None:
    """Seek to the first record of each partition, so that the whole batch comes again."""
    first: dict[TopicPartition, int] = {}
    for record in records:
        place = TopicPartition(record.topic, record.partition)
        first[place] = min(record.offset, first.get(place, record.offset))
    for place, offset in first.items():
        try:
            message.consumer.seek(place, offset)
        except IllegalStateError:
            log.info("consumer.partition_lost", topic=place.topic, partition=place.partition)
    message.committed = AckStatus.NACKED


def _traceparents(records: Sequence[Record]) -> Iterator[str | None]:
    for record in records:
        for name, value in record.headers:
            if name == "ce_traceparent" and value is not None:
                yield value.decode("ascii", errors="ignore")
