"""Waiting after failures: doubled and bounded; a topic in trouble waits alone; a rebalance waits for the batch."""

import asyncio

import pytest

from shared.messaging.backoff import Backoff, brief, pause
from shared.messaging.consumer import Subscription
from shared.messaging.drain import Drain
from shared.observability import metrics

BACKOFF = Backoff(first=0.2, most=10.0)


async def handle(_records: object) -> None:
    """Take them."""


def test_the_wait_doubles_up_to_its_bound() -> None:
    assert [BACKOFF.bound(failures) for failures in (1, 2, 3, 6, 7, 10_000)] == [0.2, 0.4, 0.8, 6.4, 10.0, 10.0]


def test_the_wait_is_spread_below_its_bound() -> None:
    waits = [BACKOFF.jittered(3) for _ in range(200)]
    assert all(0.4 <= wait <= 0.8 for wait in waits)
    assert len(set(waits)) > 1


async def test_a_pause_ends_when_the_process_is_told_to_stop() -> None:
    stopping = asyncio.Event()
    waiting = asyncio.create_task(pause(3600, stopping))
    stopping.set()
    await asyncio.wait_for(waiting, 1)


async def test_a_pause_ends_by_itself() -> None:
    await asyncio.wait_for(pause(0.01, asyncio.Event()), 1)


@pytest.mark.parametrize(
    "error,text",
    [
        (ValueError("first\n[parameters: secret]"), "ValueError: first"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_an_error_is_told_in_one_line(error: Exception, text: str) -> None:
    assert brief(error) == text


async def test_a_rebalance_waits_for_the_running_batch() -> None:
    drain = Drain("group", seconds=30)
    async with drain.busy():
        revoking = asyncio.create_task(drain.on_partitions_revoked(set()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not revoking.done()
    await asyncio.wait_for(revoking, 1)


async def test_a_rebalance_waits_no_longer_than_its_bound() -> None:
    drain = Drain("bounded", seconds=0.01)
    async with drain.busy():
        await asyncio.wait_for(drain.on_partitions_revoked(set()), 1)
    assert metrics.CONSUMER_DRAIN_TIMEOUTS.labels("bounded")._value.get() == 1


async def test_a_member_has_joined_between_its_assignment_and_the_next_rebalance() -> None:
    drain = Drain("group", seconds=1)
    seen = [drain.joined]
    await drain.on_partitions_assigned(set())
    seen.append(drain.joined)
    await drain.on_partitions_revoked(set())
    seen.append(drain.joined)
    assert seen == [False, True, False]


def test_a_subscription_has_topics_or_a_pattern() -> None:
    with pytest.raises(ValueError, match="needs topics or a pattern"):
        Subscription(group="g", handle=handle)
    with pytest.raises(ValueError, match="needs topics or a pattern"):
        Subscription(group="g", handle=handle, topics=("t",), pattern="^t$")
