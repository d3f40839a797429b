"""Killed at any named point, processes lose nothing and do nothing twice when they run again (I-1, I-2, I-4)."""

import asyncio
from collections.abc import Mapping
from typing import Final

import pytest

from shared.observability.crash import CRASH_POINTS
from tests.reliability.city import City
from tests.reliability.essentials import assert_essentials
from tests.reliability.load import a_load

pytestmark = pytest.mark.timeout(240)

WORKERS: Final = ("intake-worker", "dispatch-worker", "analytics-worker")
WHERE: Final[Mapping[str, tuple[str, ...]]] = {
    "consumer": WORKERS,
    "consume": WORKERS,
    "receive": WORKERS[:2],
    "relay": WORKERS[:2],
    "execute": ("intake-api", "dispatch-api"),
}
"""The processes that come by the points of each family; analytics publishes nothing but what it holds."""


def dying_there(point: str) -> tuple[str, ...]:
    """Return the processes to kill at the point; a family that is new must be given its processes above."""
    return WHERE[point.partition("_")[0]]


@pytest.mark.parametrize("point", CRASH_POINTS)
async def test_processes_killed_at_a_point_lose_nothing(city: City, point: str) -> None:
    processes = dying_there(point)
    await asyncio.gather(*(city.restart(process, crash_at=point) for process in processes))

    async def dies_and_comes_back(process: str) -> None:
        await city.died(process, point)
        if process.endswith("worker"):
            await city.forget_sessions(process.partition("-")[0])
        city.start(process)

    async with a_load(city.stage, city.history) as load:
        playing = asyncio.create_task(load.play())
        await asyncio.gather(load.publish_reference(), *map(dies_and_comes_back, processes))
        cases = await playing
    await city.ready(*processes)
    await city.wait_until_quiet()
    await assert_essentials(city, cases)
