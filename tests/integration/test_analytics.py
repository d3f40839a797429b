"""Analytics on real PostgreSQL: whatever the order of topics and however often a record comes, figures are the same."""

import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import get_args

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.analytics import queries, tables
from services.analytics.consumers.subscriptions import counting
from services.analytics.queries import Filters
from shared.contracts.records import Record
from shared.contracts.registry import DISPATCH_CASES, INTAKE_REPORTS
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault
from tests.support.servers import Postgres
from tests.support.stories import START, Story, offset_all

VAULT = Vault(bytes(32))
EVERYTHING = Filters()


@pytest.fixture
def database(postgres: Postgres) -> str:
    return postgres.fresh_database("analytics")


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    engine = create_ledger_engine(database, application="test")
    async with engine.begin() as connection:
        await connection.run_sync(tables.migrate)
    yield engine
    await engine.dispose()


def city() -> list[Story]:
    """Ten problems: six closed, one rejected, three open; in two streets, two campaigns and two days."""
    closed = [Story().handled("urban-management", "fire-rescue").closed() for _ in range(4)]
    closed.append(Story(street="220281002", campaign=None).handled("fire-rescue").closed())
    reworked = Story(start=START + timedelta(days=1)).filed().opened().dispatched("ecology", "housing")
    reworked.signed(2).fed_back(2).signed(1).fed_back(1).check_failed(2).fed_back(2).check_passed().closed()
    waiting = Story(street=None, community=None, missing=("place.street",))
    unsigned = Story().filed().opened().dispatched("ecology", "housing").signed(1)
    unroutable = Story(campaign="spring").filed().opened().unroutable()
    return [*closed, reworked, waiting, unsigned, unroutable, Story(source="citizen-portal").rejected()]


def disorder(stories: Sequence[Story], seed: int) -> list[Record]:
    """Interleave all streams at random, keeping each stream's own order; send a third of the records twice."""
    chance = random.Random(seed)
    streams = [
        [record for record in story.records() if record.topic == topic]
        for story in stories
        for topic in (INTAKE_REPORTS, DISPATCH_CASES)
    ]
    sent: list[Record] = []
    while streams := [stream for stream in streams if stream]:
        sent.append(chance.choice(streams).pop(0))
        if chance.random() < 0.3:
            sent.append(chance.choice(sent))
    return offset_all(sent)


async def feed(engine: AsyncEngine, records: Sequence[Record], *, batch: int = 7) -> None:
    consumer = counting(engine, VAULT)
    for start in range(0, len(records), batch):
        await consumer.consume(records[start : start + batch])


async def dump(engine: AsyncEngine) -> tuple[list[object], list[object], list[object]]:
    async with engine.connect() as connection:
        cases = await connection.execute(tables.case_facts.select().order_by(tables.case_facts.c.stream))
        legs = await connection.execute(
            tables.leg_facts.select().order_by(tables.leg_facts.c.stream, tables.leg_facts.c.leg)
        )
        marks = await connection.execute(
            tables.case_marks.select().order_by(tables.case_marks.c.stream, tables.case_marks.c.number)
        )
        return [tuple(row) for row in cases], [tuple(row) for row in legs], [tuple(row) for row in marks]


async def total(engine: AsyncEngine, filters: Filters = EVERYTHING) -> tuple[int, int, int, int]:
    async with queries.snapshot(engine) as connection:
        found = await queries.figures(connection, filters)
        return found.reported, found.closed, found.rejected, found.open


async def test_figures_are_the_same_in_every_order_and_however_often_a_record_comes(
    engine: AsyncEngine, postgres: Postgres
) -> None:
    stories = city()
    await feed(engine, offset_all(record for story in stories for record in story.records()))
    assert await total(engine) == (10, 6, 1, 3)
    expected = await dump(engine)
    for seed in range(3):
        other = create_ledger_engine(postgres.fresh_database("analytics"), application="test")
        async with other.begin() as connection:
            await connection.run_sync(tables.migrate)
        await feed(other, disorder(stories, seed), batch=1 + 10 * seed)
        assert await dump(other) == expected
        await other.dispose()


async def test_groups_add_up_to_the_total(engine: AsyncEngine) -> None:
    await feed(engine, disorder(city(), 1))
    async with queries.snapshot(engine) as connection:
        for group in get_args(queries.Group):
            found = await queries.figures_by(connection, group, Filters())
            assert (sum(g.reported for g in found), sum(g.closed for g in found)) == (10, 6), group


async def test_every_figure_opens_to_as_many_cases_as_it_counts(engine: AsyncEngine) -> None:
    await feed(engine, disorder(city(), 2))
    async with queries.snapshot(engine) as connection:
        for group in get_args(queries.Group):
            for figures in await queries.figures_by(connection, group, Filters()):
                filters = EVERYTHING.within(group, figures.key or "")
                kinds = ("reported", "closed", "voided", "merged", "rejected", "open")
                counts = {kind: getattr(figures, kind) for kind in kinds}
                counts |= {beside: figures.of(beside).cases for beside in queries.BESIDE}
                assert counts.keys() == set(get_args(queries.Counted))
                for counted in get_args(queries.Counted):
                    rows, _ = await queries.cases(connection, counted, filters, after=None, limit=100)
                    assert len(rows) == counts[counted], (group, figures.key, counted)


async def test_units_figures_open_to_their_legs(engine: AsyncEngine) -> None:
    await feed(engine, disorder(city(), 3))
    async with queries.snapshot(engine) as connection:
        found = {figures.unit: figures for figures in await queries.leg_figures(connection, Filters())}
        assert {unit: (legs.assigned, legs.fed_back, legs.open) for unit, legs in found.items()} == {
            "ecology": (2, 1, 1),
            "fire-rescue": (5, 5, 0),
            "housing": (2, 1, 1),
            "urban-management": (4, 4, 0),
        }
        for unit, figures in found.items():
            rows, _ = await queries.legs(connection, unit, "open", Filters(), after=None, limit=100)
            assert len(rows) == figures.open


async def test_a_cut_off_counts_what_had_happened_by_then(engine: AsyncEngine) -> None:
    story = Story().handled().closed()
    await feed(engine, offset_all(story.records()))
    reported_at, closed_at = story.reports[0].at, story.cases[-1].at
    moment = timedelta(microseconds=1)
    assert await total(engine, Filters(as_of=reported_at - moment)) == (0, 0, 0, 0)
    assert await total(engine, Filters(as_of=reported_at)) == (1, 0, 0, 1)
    assert await total(engine, Filters(as_of=closed_at - moment)) == (1, 0, 0, 1)
    assert await total(engine, Filters(as_of=closed_at)) == (1, 1, 0, 0)


async def test_a_case_whose_report_has_not_arrived_counts_nowhere_until_it_has(engine: AsyncEngine) -> None:
    story = Story().handled().closed()
    await feed(engine, offset_all(story.case_records()))
    assert await total(engine) == (0, 0, 0, 0)
    async with queries.snapshot(engine) as connection:
        assert (await queries.progress(connection)).cases_without_report == 1
    await feed(engine, offset_all(story.records()))
    assert await total(engine) == (1, 1, 0, 0)


async def test_a_gap_holds_its_own_stream_and_is_said_with_the_figure(engine: AsyncEngine) -> None:
    late, other = Story().handled().closed(), Story().handled().closed()
    records = offset_all([*late.records(), *other.records()])
    missing = records[len(late.reports) + 2]
    await feed(engine, [record for record in records if record is not missing])
    assert await total(engine) == (2, 1, 0, 1)
    async with queries.snapshot(engine) as connection:
        assert (await queries.progress(connection)).held_streams == 1
    await feed(engine, [missing])
    assert await total(engine) == (2, 2, 0, 0)
    async with queries.snapshot(engine) as connection:
        progress = await queries.progress(connection)
    assert progress.held_streams == 0
    assert sum(partition.events for partition in progress.partitions) == len(records)


async def test_paging_is_stable_while_more_is_reported(engine: AsyncEngine) -> None:
    stories = [Story() for _ in range(5)]
    await feed(engine, offset_all(record for story in stories for record in story.records()))
    seen: list[object] = []
    async with queries.snapshot(engine) as connection:
        page, following = await queries.cases(connection, "reported", EVERYTHING, after=None, limit=2)
    await feed(engine, offset_all(Story().records()))
    while following is not None:
        seen += [row.stream for row in page]
        async with queries.snapshot(engine) as connection:
            page, following = await queries.cases(connection, "reported", EVERYTHING, after=following, limit=2)
    seen += [row.stream for row in page]
    assert seen[:5] == sorted(story.id for story in stories)
    assert len(seen) == len(set(seen)) == 6
