"""Two processes of each kind side by side under one load: rebalances, one relay, crosswise partitions."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.embedded.services import PROCESSES
from services.analytics import tables
from services.analytics.consumers.subscriptions import counting
from shared.contracts.records import Record
from shared.contracts.registry import DISPATCH_CASES, INTAKE_REPORTS
from shared.kernel.errors import Unavailable
from shared.kernel.identifiers import new_id
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault
from tests.reliability.city import City
from tests.reliability.essentials import assert_essentials
from tests.reliability.load import ON_HTTP, Load, a_load
from tests.reliability.recording import a_door
from tests.support.kafka import eventually
from tests.support.parties import report_body
from tests.support.servers import Postgres
from tests.support.stories import Story, offset_all

pytestmark = pytest.mark.timeout(240)

WORKERS: Final = ("intake-worker", "dispatch-worker", "analytics-worker")
APIS: Final = ("intake-api", "dispatch-api")
VAULT: Final = Vault(bytes(32))


async def test_second_processes_that_join_and_leave_under_load_cost_nothing(city: City) -> None:
    enough = asyncio.Event()
    async with a_load(city.stage, city.history) as load:
        playing = asyncio.create_task(_played_until(load, enough))
        copies = [city.start(process, copy=2) for process in (*WORKERS, *APIS)]
        await city.ready(*copies)
        for worker in WORKERS:
            await _share_the_work(city, worker, f"{worker}-2")
        async with a_load(city.stage, city.history, api=_second_apis(city)) as other:
            cases = await other.play(8)
        await asyncio.gather(*map(city.stop, copies))
        begun = len(load.closed)
        await eventually(lambda: len(load.closed) > begun or playing.done(), "the first ones go on alone")
        enough.set()
        cases += await playing
    await city.ready(*PROCESSES)
    await city.wait_until_quiet()
    await assert_essentials(city, cases)


async def test_one_request_at_two_api_processes_at_once_has_one_effect_and_one_answer(city: City) -> None:
    second = city.start("intake-api", copy=2)
    await city.ready(second)
    who = (ON_HTTP, ON_HTTP, "source")
    apis = (None, {"intake": city.address(second)})
    doors = [a_door(city.stage, city.history, *who, api=api) for api in apis]
    async with doors[0], doors[1]:
        for _ in range(10):
            key, body = str(new_id()), report_body()
            replies = await asyncio.gather(*(door.post("intake", "/v1/reports", body, key=key) for door in doors))
            assert replies[0].accepted
            assert replies[0] == replies[1]
            stored = await city.fetch("SELECT key FROM intake.requests WHERE party = $1 AND key = $2", ON_HTTP, key)
            assert len(stored) == 1
    await city.stop(second)
    await city.wait_until_quiet()
    await assert_essentials(city, [])


async def test_two_analytics_workers_with_crosswise_partitions_end_with_the_figures_of_one(city: City) -> None:
    stories = [Story().handled("urban-management", "fire-rescue").closed() for _ in range(60)]
    records = offset_all(record for story in stories for record in story.records())
    alone, one = await _analytics(city), await _analytics(city)
    await _feed(alone, records)
    other = create_ledger_engine(one.url.render_as_string(hide_password=False), application="test")
    try:
        await asyncio.wait_for(
            asyncio.gather(
                _feed(one, [record for record in records if record.topic == INTAKE_REPORTS]),
                _feed(other, _last_stream_first(record for record in records if record.topic == DISPATCH_CASES)),
            ),
            timeout=60,
        )
        assert await _facts(one) == await _facts(alone)
    finally:
        for engine in (alone, one, other):
            await engine.dispose()


async def _played_until(load: Load, enough: asyncio.Event) -> list[UUID]:
    cases: list[UUID] = []
    while not enough.is_set():
        cases += await load.play(6)
    return cases


async def _share_the_work(city: City, first: str, second: str) -> None:
    """Wait until both workers have partitions and one of them, and one alone, has the lease of the relay."""

    async def shared() -> bool:
        partitions = [await city.metric(name, "joint_consumer_assigned_partitions") for name in (first, second)]
        leases = [await city.metric(name, "joint_relay_lease_held") for name in (first, second)]
        return min(partitions) > 0 and sum(leases) == 1

    await eventually(shared, f"{first} and {second} share the work")


def _second_apis(city: City) -> dict[str, str]:
    return {api.partition("-")[0]: city.address(f"{api}-2") for api in APIS}


async def _analytics(city: City) -> AsyncEngine:
    """Return a read model of its own on the city's database server."""
    url = Postgres(owner_url=city.database_url).fresh_database("crosswise")
    engine = create_ledger_engine(url, application="test")
    async with engine.begin() as connection:
        await connection.run_sync(tables.migrate)
    return engine


async def _feed(engine: AsyncEngine, records: Sequence[Record]) -> None:
    """Count the records in batches, each again for as long as it must be, as a consumer does."""
    consumer = counting(engine, VAULT)
    for start in range(0, len(records), 30):
        while True:
            try:
                await consumer.consume(records[start : start + 30])
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                break


def _last_stream_first(records: Iterable[Record]) -> list[Record]:
    """Return the records with the streams the other way round, each stream in its own order."""
    by_key: dict[bytes | None, list[Record]] = {}
    for record in records:
        by_key.setdefault(record.key, []).append(record)
    return [record for key in reversed(by_key) for record in by_key[key]]


async def _facts(engine: AsyncEngine) -> tuple[list[object], list[object]]:
    async with engine.connect() as connection:
        cases = await connection.execute(tables.case_facts.select().order_by(tables.case_facts.c.stream))
        order = (tables.leg_facts.c.stream, tables.leg_facts.c.leg)
        legs = await connection.execute(tables.leg_facts.select().order_by(*order))
        return [tuple(row) for row in cases], [tuple(row) for row in legs]
