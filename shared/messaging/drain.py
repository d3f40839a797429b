"""A rebalance waits for the running batch, so that no two members work on the same records at the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition

from shared.observability import metrics

log = structlog.get_logger()


class Drain(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka's class has no types
    """The rebalance listener of one consumer; the wait is bounded, because a group waits only so long for a member.

    Exactly-once effects never rest on it: they rest on positions and requests. It spares the work of repeating.
    """

    def __init__(self, group: str, *, seconds: float) -> None:
        self._group = group
        self._seconds = seconds
        self._idle = asyncio.Event()
        self._idle.set()
        self.joined = False
        """Whether the group has given this member its share (which may be none) and not taken it back."""
        self.shares = 0
        """How many times the group has given this member its share."""

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Hold off rebalances while the block runs."""
        self._idle.clear()
        try:
            yield
        finally:
            self._idle.set()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Wait for the running batch; the group wants the partitions back."""
        self.joined = False
        if revoked:
            metrics.CONSUMER_REBALANCES.labels(self._group).inc()
        try:
            await asyncio.wait_for(self._idle.wait(), self._seconds)
        except TimeoutError:
            metrics.CONSUMER_DRAIN_TIMEOUTS.labels(self._group).inc()
            log.warning("consumer.drain_timeout", group=self._group, seconds=self._seconds)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Note that the group has given out its partitions."""
        self.joined = True
        self.shares += 1
        metrics.CONSUMER_PARTITIONS.labels(self._group).set(len(assigned))
        log.info("consumer.assigned", group=self._group, partitions=len(assigned))
