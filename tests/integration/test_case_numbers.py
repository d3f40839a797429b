"""Case numbers on real PostgreSQL: one a case, never given twice, whatever becomes of the batch that took them."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from services.dispatch.app import compose_on, migrate_and_seed
from services.dispatch.consumers import reaction
from services.dispatch.domain.case import CaseState
from services.dispatch.tables import CASE, case_aggregate, cases, serial_days
from shared.contracts.intake import Filed
from shared.contracts.records import Record
from shared.contracts.registry import DISPATCH_REFERENCE, INTAKE_REPORTS
from shared.kernel.identifiers import new_id
from shared.ledger.commands import Cause, Command
from shared.ledger.consumption import Consumption
from shared.ledger.engine import create_ledger_engine
from shared.ledger.load import lock_states
from shared.ledger.serials import serials_for
from shared.ledger.vault import Vault
from tests.support.cases import SYSTEM, open_case
from tests.support.dispatching import envelopes, filed_events, filed_report, record, relayed
from tests.support.parties import reaches
from tests.support.servers import Postgres

CITY = "jiaohe"
TODAY = sa.text("(now() AT TIME ZONE 'Asia/Shanghai')::date")


def worker(engine: AsyncEngine) -> Consumption:
    return compose_on(engine, Vault(bytes(32)), CITY).ledger.policy("dispatch.events", reaction(CITY))


@pytest.fixture
async def engines(postgres: Postgres) -> AsyncIterator[Sequence[AsyncEngine]]:
    """The engines of two workers on one fresh database with every document of the city."""
    url = postgres.fresh_database("dispatch")
    both = [create_ledger_engine(url, application=f"test-{number}") for number in (1, 2)]
    dispatch = compose_on(both[0], Vault(bytes(32)), CITY)
    await migrate_and_seed(dispatch)
    copy = dispatch.ledger.reference_copy("dispatch.reference")
    await copy.consume([one for one in await relayed(both[0]) if one.topic == DISPATCH_REFERENCE])
    yield both
    for engine in both:
        await engine.dispose()


def reports(number: int) -> list[Record]:
    return list(itertools.chain.from_iterable(filed_report(new_id()) for _ in range(number)))


async def numbers(engine: AsyncEngine) -> list[str | None]:
    """The number of each case in the order of time: its column and its state agree."""
    async with engine.connect() as connection:
        rows = await connection.execute(sa.select(cases.c.number, cases.c.state).order_by(cases.c.stream))
        known = [(row.number, msgspec.json.decode(row.state, type=CaseState).opened.number) for row in rows]
    assert all(column == state for column, state in known)
    return [column for column, _ in known]


async def expected(engine: AsyncEngine, *serials: int) -> list[str]:
    async with engine.connect() as connection:
        day = (await connection.execute(sa.select(TODAY))).scalar_one()
    return [f"220281-JE-{day:%Y%m%d}-{serial:06}" for serial in serials]


async def test_the_cases_of_a_day_are_numbered_from_one_on(engines: Sequence[AsyncEngine]) -> None:
    await worker(engines[0]).consume(reports(3))
    await worker(engines[1]).consume(reports(2))
    assert sorted(map(str, await numbers(engines[0]))) == await expected(engines[0], 1, 2, 3, 4, 5)


async def test_two_workers_at_once_give_no_number_twice(engines: Sequence[AsyncEngine]) -> None:
    async def open_many(engine: AsyncEngine) -> None:
        own = worker(engine)
        for _ in range(10):
            await own.consume(reports(20))

    await asyncio.gather(*(open_many(engine) for engine in engines))
    given = await numbers(engines[0])
    assert len(given) == len(set(given)) == 400
    assert None not in given


async def test_a_report_that_comes_again_takes_no_number_from_its_case(engines: Sequence[AsyncEngine]) -> None:
    once = reports(2)
    await worker(engines[0]).consume(once)
    first = await numbers(engines[0])
    await asyncio.gather(*(worker(engine).consume(once) for engine in engines))
    assert await numbers(engines[0]) == first


async def test_a_batch_that_is_halved_numbers_its_cases_once(engines: Sequence[AsyncEngine]) -> None:
    poisoned = filed_events()
    assert isinstance(poisoned[-1], Filed)
    poisoned[-1] = msgspec.structs.replace(poisoned[-1], campaign="a NUL \x00 that PostgreSQL refuses")
    batch = [*reports(4), *(record(INTAKE_REPORTS, one) for one in envelopes(new_id(), poisoned)), *reports(3)]
    await worker(engines[0]).consume(batch)
    given = await numbers(engines[0])
    assert len(given) == len(set(given)) == 7
    assert None not in given


@pytest.mark.parametrize("kept", [True, False])
async def test_who_begins_a_day_that_another_is_beginning_waits_and_goes_on(
    engines: Sequence[AsyncEngine], kept: bool
) -> None:
    waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with engines[1].connect() as other:
        day = (await other.execute(sa.select(TODAY))).scalar_one()
        # What another worker does first of all; it took five numbers before it is done.
        await other.execute(sa.text("SELECT setval('serials', 1)"))
        await other.execute(serial_days.insert().values(day=day, last_before=1))
        await other.execute(sa.text("SELECT nextval('serials') FROM generate_series(1, 5)"))
        opening = asyncio.create_task(worker(engines[0]).consume(reports(2)))

        async def waiting() -> int:
            return int((await other.execute(waits)).scalar_one())

        await reaches(waiting, 1)
        await (other.commit() if kept else other.rollback())
        await opening
    given = await numbers(engines[0])
    assert sorted(map(str, given)) == await expected(engines[0], *((7, 8) if kept else (1, 2)))


async def serials(engine: AsyncEngine, at: datetime, count: int) -> list[tuple[str, int]]:
    """Take serials for new cases at an instant."""
    streams: list[UUID] = [new_id() for _ in range(count)]
    commands = [
        Command(aggregate=CASE, stream=one, body=open_case(one), actor=SYSTEM, cause=Cause(correlation="test"))
        for one in streams
    ]
    async with engine.begin() as connection:
        states = await lock_states(connection, [(case_aggregate(CITY), one) for one in streams])
        return [(f"{each.day}", each.number) for each in await serials_for(connection, commands, states, at)]


async def test_each_day_of_the_city_begins_at_one(engines: Sequence[AsyncEngine]) -> None:
    evening = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    midnight = datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert await serials(engines[0], evening, 2) == [("2026-11-23", 1), ("2026-11-23", 2)]
    assert await serials(engines[1], midnight, 1) == [("2026-11-24", 1)]
    # A batch whose clock was read before midnight may come after the first one of the new day.
    late = await serials(engines[0], evening, 1)
    next_day = await serials(engines[1], midnight, 1)
    assert late[0][0] == "2026-11-23"
    assert late[0][1] > 2
    assert next_day[0][1] > 1
