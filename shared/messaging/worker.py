"""The worker role of a service: its consumers, its relay and whatever else must run beside them, until told to stop.

Stopping drains: no new batch is taken, the running one ends and is acknowledged, then the relay stops. A part that
ends by itself ends the process, so that whoever supervises it sees it and starts it again.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final

import structlog

from shared.ledger.relaying import AsyncEngine, Outbox
from shared.ledger.standing import Standing
from shared.messaging.backoff import brief, pause
from shared.messaging.connection import DRAIN_SECONDS, KafkaConnection
from shared.messaging.consumer import Consumer, Subscription
from shared.messaging.partitions import PartitionSender
from shared.messaging.relay import Relay
from shared.observability.health import Health

Task = Callable[[], Awaitable[None]]
"""Runs until it is cancelled; raises, or returns, when it cannot go on."""

_OBSERVE_SECONDS: Final = 5.0
_CANCEL_SECONDS: Final = 5.0
_RELAY_STOP_SECONDS: Final = 15.0
_CONSUMERS_STOP_SECONDS: Final = DRAIN_SECONDS + 5.0

log = structlog.get_logger()


class WorkerFailed(SystemExit):
    """A part of the worker ended by itself: the process ends with exit code 1."""

    def __init__(self, part: str) -> None:
        super().__init__(1)
        self.part = part


class Worker:
    """Everything that runs in the background of a service.

    `engine` reaches the service's own database; without one there is no outbox and no relay. `tasks` run beside the
    consumers and are cancelled after them. `health` knows every consumer and the relay.
    """

    def __init__(
        self,
        *,
        kafka: KafkaConnection,
        service: str,
        engine: AsyncEngine | None = None,
        subscriptions: Sequence[Subscription] = (),
        tasks: Sequence[Task] = (),
        health: Health | None = None,
    ) -> None:
        self.health = Health() if health is None else health
        self._tasks = list(tasks)
        self._stopping = asyncio.Event()
        self._relay_stopping = asyncio.Event()
        self._broker = kafka.broker()
        self._consumers = [Consumer(subscription, self._broker, self._stopping) for subscription in subscriptions]
        self._relay = None if engine is None else Relay(Outbox(engine, service=service), PartitionSender(kafka))
        for subscription, consumer in zip(subscriptions, self._consumers, strict=True):
            self.health.add(f"consumer {subscription.group}", consumer.problem)
        if self._relay is not None:
            self.health.add("relay", self._relay.problem)
        if engine is not None:
            standing = Standing(engine, service=service)
            self._tasks.append(standing.keep_looking)
            self.health.add_notice("held", standing.notice)

    def stop(self) -> None:
        """Ask the worker to drain and end; `run` then returns."""
        self._stopping.set()

    async def run(self) -> None:
        """Run until SIGTERM, SIGINT or `stop`, then drain.

        Raises:
            WorkerFailed: when a part ended by itself; everything else was drained.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        beside = [_start(_name(task), _call(task)) for task in self._tasks]
        relaying = [_start("relay", self._relay.run(self._relay_stopping))] if self._relay is not None else []
        consuming = [_start(f"consumer {consumer.group}", consumer.run()) for consumer in self._consumers]
        watching = [_start("metrics", self._observe()), _start("stop", self._told())]
        parts = [*beside, *relaying, *consuming, *watching]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            failed = self._failed(parts)
        finally:
            await self._drain(consuming, relaying, [*beside, *watching])
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        if failed is not None:
            raise WorkerFailed(failed)

    async def _told(self) -> None:
        await self._stopping.wait()

    def _failed(self, parts: "Sequence[asyncio.Task[None]]") -> str | None:
        """Return the name of a part that ended although nobody had told it to."""
        if self._stopping.is_set():
            return None
        ended = next(part for part in parts if part.done())
        error = None if ended.cancelled() else ended.exception()
        log.error(
            "worker.part_ended",
            part=ended.get_name(),
            reason="it returned" if error is None else brief(error),
            exc_info=error,
        )
        return ended.get_name()

    async def _observe(self) -> None:
        while not self._stopping.is_set():
            for consumer in self._consumers:
                await consumer.observe()
            await pause(_OBSERVE_SECONDS, self._stopping)

    async def _drain(self, *groups: "Sequence[asyncio.Task[None]]") -> None:
        """End the consumers, then the relay, then the rest, so that health answers till last."""
        consuming, relaying, rest = groups
        log.info("worker.draining")
        self._stopping.set()
        await _end(consuming, seconds=_CONSUMERS_STOP_SECONDS)
        await self._broker.stop()
        self._relay_stopping.set()
        await _end(relaying, seconds=_RELAY_STOP_SECONDS)
        await _end(rest, seconds=0.0)
        log.info("worker.stopped")


def _start(name: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    return asyncio.create_task(work, name=name)


async def _end(tasks: "Sequence[asyncio.Task[None]]", *, seconds: float) -> None:
    """Let tasks that know that they must stop do so for some seconds; cancel what is left; report what failed."""
    running = [task for task in tasks if not task.done()]
    if running:
        _, too_long = await asyncio.wait(running, timeout=seconds)
        for task in too_long:
            task.cancel()
        if too_long:
            await asyncio.wait(too_long, timeout=_CANCEL_SECONDS)
    for task in running:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            log.warning("worker.part_failed_while_draining", part=task.get_name(), reason=brief(error))


async def _call(task: Task) -> None:
    await task()


def _name(task: Task) -> str:
    return getattr(task, "__qualname__", type(task).__name__)
