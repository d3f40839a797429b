"""Killed at any named point, processes lose nothing and do nothing twice when they run again (I-1, I-2, I-4)."""

import asyncio
from collections.abc import Mapping
from itertools import groupby
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
ELSEWHERE: Final = frozenset({"timers"})
"""Families that this load does not come by, for no limit passes while it runs: test_faults_timers.py."""


def family(point: str) -> str:
    return point.partition("_")[0]


FAMILIES: Final = {
    name: tuple(points)
    for name, points in groupby(sorted(CRASH_POINTS, key=family), key=family)
    if name not in ELSEWHERE
}


def test_it_is_known_of_every_crash_point_which_processes_come_by() -> None:
    assert FAMILIES.keys() == WHERE.keys(), "name above the processes that come by the new points"


@pytest.mark.parametrize("name", FAMILIES)
async def test_processes_killed_at_one_point_after_the_other_lose_nothing(city: City, name: str) -> None:
    """One start serves two points: it repairs what the last death left behind, and dies at the next point."""
    processes = WHERE[name]
    async with a_load(city.stage, city.history) as load:
        first, *others = FAMILIES[name]
        await asyncio.gather(*(city.restart(process, crash_at=first) for process in processes))
        playing = asyncio.create_task(load.play())
        dying = [_dies_at_each(city, process, [first, *others]) for process in processes]
        await asyncio.gather(load.publish_reference(), *dying)
        cases = await playing
    await city.ready(*processes)
    await city.wait_until_quiet()
    await assert_essentials(city, cases)


async def _dies_at_each(city: City, process: str, points: list[str]) -> None:
    """See the process, started with the first point, die at each of them, and start it again whole."""
    for point, following in zip(points, [*points[1:], None], strict=True):
        await city.died(process, point)
        if process in WORKERS:
            await city.forget_sessions(process.partition("-")[0])
        city.start(process, crash_at=following)
