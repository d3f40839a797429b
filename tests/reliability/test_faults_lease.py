"""A relay that lost its lease with a batch in flight publishes nothing out of order and loses nothing (I-4)."""

import asyncio
from typing import Final, Literal
from uuid import UUID

import pytest

from shared.contracts.registry import DISPATCH_CASES
from tests.reliability.city import City
from tests.reliability.essentials import assert_essentials
from tests.reliability.load import Load, a_load
from tests.support.kafka import eventually, everything_on

pytestmark = pytest.mark.timeout(240)

WORKER: Final = "dispatch-worker"
SESSIONS: Final = (
    "SELECT a.pid FROM pg_stat_activity a WHERE a.usename = 'dispatch' AND a.application_name = 'dispatch-worker'"
)
LEASE: Final = f"{SESSIONS} AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory')"


@pytest.mark.parametrize("point", ["relay_before_send", "relay_after_send_before_delete"])
async def test_a_relay_cut_off_from_its_database_repeats_in_order_at_worst(
    city: City, point: Literal["relay_before_send", "relay_after_send_before_delete"]
) -> None:
    async with a_load(city.stage, city.history) as load:
        playing = await _standing_in_mid_load(city, load, point)
        before = len(await everything_on(city.connection, DISPATCH_CASES))
        await _end_sessions(city, SESSIONS)
        successor = await _take_over(city)
        await eventually(lambda: len(load.closed) >= 5, "the successor publishes what the other one has in flight")
        city.go_on(WORKER)
        cases = await playing
    await city.ready(WORKER, successor)
    await city.wait_until_quiet()
    await assert_essentials(city, cases)
    records = await everything_on(city.connection, DISPATCH_CASES)
    copies = [dict(record.headers)["ce_id"] for record in records]
    assert len(copies) > before
    assert len(copies) > len(set(copies)), "the batch in flight was never sent twice: the test has tested nothing"
    await city.stop(successor)


async def test_nobody_overtakes_a_relay_that_lost_its_lease_alone(city: City) -> None:
    async with a_load(city.stage, city.history) as load:
        playing = await _standing_in_mid_load(city, load, "relay_before_send")
        await _end_sessions(city, LEASE)
        before = await everything_on(city.connection, DISPATCH_CASES)
        successor = await _take_over(city)

        async def waits() -> bool:
            return "lock" in ((await city.problems(successor)) or {}).get("relay", "")

        await eventually(waits, "the successor waits for the rows that the other one has locked")
        assert await everything_on(city.connection, DISPATCH_CASES) == before
        city.go_on(WORKER)
        cases = await playing
    await city.ready(WORKER, successor)
    await city.wait_until_quiet()
    await assert_essentials(city, cases)
    await city.stop(successor)


async def _standing_in_mid_load(city: City, load: Load, point: str) -> "asyncio.Task[list[UUID]]":
    """Begin a load, and return it when the relay of dispatch stands at the point with a batch of it."""
    await city.restart(WORKER, crash_at=f"{point}:3:stop")
    playing = asyncio.create_task(load.play())
    await city.stands_still(WORKER, point)
    return playing


async def _end_sessions(city: City, which: str) -> None:
    """End database sessions of the worker, as a network that breaks does."""
    ended = await city.fetch(f"SELECT pg_terminate_backend(pid) FROM ({which}) AS sessions")
    assert ended
    city.history.fault("sessions_ended", process=WORKER, sessions=len(ended))


async def _take_over(city: City) -> str:
    """Start a second worker and return its name when it has the relay's lease; the first one has left its groups."""
    await city.forget_sessions("dispatch")
    successor = city.start(WORKER, copy=2)

    async def leads() -> bool:
        held = await city.metric(successor, "joint_relay_lease_held")
        return held == 1

    await eventually(leads, "the second worker has the lease")
    return successor
