"""A worker killed while it fires wakes tells every limit that has passed, and tells it once (I-5, I-12)."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from shared.kernel.identifiers import new_id
from tests.reliability.city import City
from tests.reliability.load import TRUSTED, Load, a_load
from tests.support.kafka import eventually
from tests.support.parties import report_body

pytestmark = pytest.mark.timeout(240)

WORKER: Final = "dispatch-worker"
POLICY: Final = "/v1/reference/limit_policy/jiaohe"
POINTS: Final = ("timers_before_fire", "timers_after_fire")
CASES: Final = 4
AT_ONCE: Final = {"amount": 0, "unit": "at_once"}
TOLD: Final = (
    "SELECT stream, type, count(*) FROM dispatch.events WHERE occurred_at >= $1 AND "
    "(type LIKE '%.clock_breached.v1' OR type LIKE '%.leg_counted_as_signed.v1') GROUP BY stream, type"
)
LEGS: Final = "SELECT stream, jsonb_array_length(legs) AS legs FROM dispatch.cases WHERE opened_at >= $1"
OVERDUE: Final = "SELECT 1 FROM dispatch.wakes WHERE due_at <= clock_timestamp()"


async def test_a_worker_killed_in_its_timers_tells_every_limit_once(city: City) -> None:
    [(start,)] = await city.fetch("SELECT clock_timestamp()")
    async with a_load(city.stage, city.history) as load:
        usual = (await load.doors["duty_leader"].get("dispatch", POLICY)).document["document"]
        try:
            await _in_force(city, load, {**usual, "sign": AT_ONCE})
            await city.restart(WORKER, crash_at=POINTS[0])
            for _ in range(CASES):
                await load.parties[TRUSTED].send(report_body())
            for point, following in zip(POINTS, (*POINTS[1:], None), strict=True):
                await city.died(WORKER, point)
                await city.forget_sessions("dispatch")
                city.start(WORKER, crash_at=following)
            await city.ready(WORKER)
            await eventually(lambda: _all_opened(city, start), "every case is opened")
            await city.wait_until_quiet()
        finally:
            await _in_force(city, load, usual)
    legs = {row["stream"]: row["legs"] for row in await city.fetch(LEGS, start)}
    told = {(row["stream"], row["type"].split(".")[2]): row["count"] for row in await city.fetch(TOLD, start)}
    assert told == {
        (stream, kind): number
        for stream, number in legs.items()
        for kind in ("clock_breached", "leg_counted_as_signed")
    }
    assert await city.fetch(OVERDUE) == []


async def _all_opened(city: City, start: object) -> bool:
    return len(await city.fetch(LEGS, start)) == CASES


async def _in_force(city: City, load: Load, document: Mapping[str, Any]) -> None:
    """Put limits in force, and wait until dispatch decides by them."""
    reply = await load.doors["administrator"].post("dispatch", POLICY, document, key=str(new_id()))
    assert reply.accepted, reply
    query = "SELECT max(version) FROM dispatch.{} WHERE kind = 'limit_policy'"

    async def copied() -> bool:
        [(published,)] = await city.fetch(query.format("reference_versions"))
        [(known,)] = await city.fetch(query.format("reference_documents"))
        return bool(published == known)

    await eventually(copied, "dispatch has its copy")
