"""The worker's life without servers: it ends when told, and ends with a failure when a part ends by itself."""

import asyncio
import os
import signal

import pytest

from shared.messaging.connection import KafkaConnection
from shared.messaging.worker import Task, Worker, WorkerFailed

NOWHERE = KafkaConnection(bootstrap=("127.0.0.1:1",), client_id="test")


class Beside:
    """A task that runs until it is cancelled, and says so."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.cancelled = False

    async def __call__(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def breaks() -> None:
    raise RuntimeError("out of order")


async def returns() -> None:
    """End at once."""


def worker(*tasks: Task) -> Worker:
    return Worker(kafka=NOWHERE, service="test", tasks=tasks)


async def test_a_worker_ends_when_it_is_told_and_cancels_what_runs_beside() -> None:
    beside = Beside()
    subject = worker(beside)
    running = asyncio.create_task(subject.run())
    await beside.started.wait()
    subject.stop()
    await asyncio.wait_for(running, 5)
    assert beside.cancelled


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_worker_without_failure(number: signal.Signals) -> None:
    beside = Beside()
    running = asyncio.create_task(worker(beside).run())
    await beside.started.wait()
    os.kill(os.getpid(), number)
    await asyncio.wait_for(running, 5)
    assert beside.cancelled


@pytest.mark.parametrize("part", [breaks, returns])
async def test_a_part_that_ends_by_itself_ends_the_worker_with_a_failure(part: Task) -> None:
    beside = Beside()
    failure: WorkerFailed | None = None
    try:
        await worker(beside, part).run()
    except WorkerFailed as error:
        failure = error
    assert failure is not None
    assert (failure.code, failure.part) == (1, part.__qualname__)
    assert beside.cancelled


async def test_a_worker_without_outbox_and_subscriptions_is_ready() -> None:
    assert worker().health.readiness().ready
