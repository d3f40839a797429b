"""A broker or a database that goes away and comes back: everybody waits, nothing is held, nothing is skipped (I-8)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from tests.reliability.city import City
from tests.reliability.essentials import assert_essentials
from tests.reliability.load import a_load
from tests.support.kafka import eventually

pytestmark = pytest.mark.timeout(240)

WORKERS: Final = ("intake-worker", "dispatch-worker", "analytics-worker")
APIS: Final = ("intake-api", "dispatch-api")


@asynccontextmanager
async def under_load(city: City) -> AsyncIterator[None]:
    """Run the block while cases are on their way, some closed, most not; afterwards all are closed, once."""
    async with a_load(city.stage, city.history) as load:
        playing = asyncio.create_task(load.play())
        await eventually(lambda: len(load.closed) >= 2, "the first cases are closed")
        assert len(load.closed) < 20
        yield
        cases = await playing
    await city.ready()
    await city.wait_until_quiet()
    await assert_essentials(city, cases)


async def say_that_they_cannot_work(city: City, *processes: str) -> None:
    """Wait until each of the processes, all of which live, says that it is not ready."""
    for process in processes:

        async def complains(process: str = process) -> bool:
            return bool(await city.problems(process))

        await eventually(complains, f"{process} says that it is not ready")


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
async def test_a_broker_that_is_away_for_a_while_costs_nothing_but_time(city: City, kill: bool) -> None:
    async with under_load(city), city.without_broker(kill=kill):
        await say_that_they_cannot_work(city, *WORKERS)


@pytest.mark.parametrize("immediate", [False, True], ids=["fast", "immediate"])
async def test_a_database_that_is_away_for_a_while_costs_nothing_but_time(city: City, immediate: bool) -> None:
    async with under_load(city), city.without_database(immediate=immediate):
        await say_that_they_cannot_work(city, *WORKERS, *APIS)
