"""Every order in which the events of one problem can arrive, and repeats and late copies of them, ends alike (I-6).

Each order is a stream of its own, and one batch brings the next record of all of them: hundreds of orders take as
many transactions as one.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import chain, combinations, permutations
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.analytics import queries, tables
from services.analytics.consumers.subscriptions import counting
from services.dispatch.app import Dispatch, compose_on, migrate_and_seed
from services.dispatch.consumers import reaction
from services.dispatch.queries import EVENTS, REFERENCE
from shared.contracts.records import Record
from shared.contracts.registry import DISPATCH_REFERENCE
from shared.kernel.identifiers import new_id
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault
from tests.support.dispatching import filed_report, relayed
from tests.support.servers import Postgres
from tests.support.stories import START, Story, offset_all

VAULT = Vault(bytes(32))
OPENED = ["jointenforcement.case.opened.v1", "jointenforcement.case.dispatched.v1"]

Arrivals = Sequence[Record]


@pytest.fixture
async def analytics(postgres: Postgres) -> AsyncIterator[AsyncEngine]:
    engine = create_ledger_engine(postgres.fresh_database("analytics"), application="test")
    async with engine.begin() as connection:
        await connection.run_sync(tables.migrate)
    yield engine
    await engine.dispose()


@pytest.fixture
async def dispatch(postgres: Postgres) -> AsyncIterator[Dispatch]:
    engine = create_ledger_engine(postgres.fresh_database("dispatch"), application="test")
    dispatch = compose_on(engine, VAULT, "jiaohe")
    await migrate_and_seed(dispatch)
    documents = [record for record in await relayed(engine) if record.topic == DISPATCH_REFERENCE]
    await dispatch.ledger.reference_copy(REFERENCE).consume(documents)
    yield dispatch
    await engine.dispose()


def a_story() -> Story:
    """Tell one whole story: reported, filed, opened, handled by two departments, checked, closed."""
    story = Story(start=START).filed().opened().dispatched("urban-management", "fire-rescue")
    return story.signed(1).signed(2).fed_back(2).fed_back(1).check_passed().closed()


def interleavings(first: Arrivals, second: Arrivals) -> Iterator[list[Record]]:
    """Return every way to mix two streams that keeps the order of each."""
    length = len(first) + len(second)
    for places in combinations(range(length), len(first)):
        ones, others = iter(first), iter(second)
        yield [next(ones) if place in places else next(others) for place in range(length)]


def every_interleaving() -> list[list[Record]]:
    """Return all interleavings of the story's two topics, each with an id of its own."""
    template = a_story()
    number = len(list(interleavings(template.reports, template.cases)))  # type: ignore[arg-type]
    found = []
    for chosen in range(number):
        story = a_story()
        records = story.records()
        split = len(story.reports)
        found.append(list(interleavings(records[:split], records[split:]))[chosen])
    return found


def in_step(orders: Sequence[Arrivals]) -> Iterator[list[Record]]:
    """Return batches: the first record of every order, then the second of every order, and so on."""
    for step in range(max(map(len, orders))):
        yield [order[step] for order in orders if step < len(order)]


def with_late_copies(order: Arrivals) -> list[Record]:
    """Follow each record by a copy of an earlier one, ever another; end with a copy of everything, backwards."""
    copied = chain.from_iterable((record, order[(7 * number) % (number + 1)]) for number, record in enumerate(order))
    return [*copied, *reversed(order)]


async def read_model(engine: AsyncEngine) -> dict[UUID, tuple[object, ...]]:
    """Return what is known of each problem, without its id."""
    async with engine.connect() as connection:
        cases = (await connection.execute(tables.case_facts.select())).mappings().all()
        legs = (await connection.execute(tables.leg_facts.select().order_by(tables.leg_facts.c.leg))).mappings().all()
    known: dict[UUID, list[Any]] = {row["stream"]: [_but_id(row)] for row in cases}
    for row in legs:
        known[row["stream"]].append(_but_id(row))
    return {stream: tuple(rows) for stream, rows in known.items()}


def _but_id(row: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - a row's mapping
    return tuple((name, repr(value)) for name, value in row.items() if name != "stream")


async def figures(engine: AsyncEngine) -> tuple[int, int, int, int]:
    async with queries.snapshot(engine) as connection:
        found = await queries.figures(connection, queries.Filters())
        progress = await queries.progress(connection)
    assert (progress.held_streams, progress.cases_without_report) == (0, 0)
    return found.reported, found.closed, found.rejected, found.open


@pytest.mark.parametrize("late_copies", [False, True], ids=["once each", "with late copies"])
async def test_both_topics_of_one_id_in_every_interleaving_make_the_same_rows(
    analytics: AsyncEngine, *, late_copies: bool
) -> None:
    orders = every_interleaving()
    assert len(orders) == 165
    if late_copies:
        orders = [with_late_copies(order) for order in orders]
    consumer = counting(analytics, VAULT)
    for batch in in_step([offset_all(order) for order in orders]):
        await consumer.consume(batch)

    known = await read_model(analytics)
    assert len(known) == len(orders)
    assert len(set(known.values())) == 1
    assert await figures(analytics) == (165, 165, 0, 0)
    [rows] = set(known.values())
    facts, *legs = (dict(row) for row in rows)  # type: ignore[call-overload]
    assert facts["closed_at"] == repr(a_story().cases[-1].at)
    assert facts["reported_at"] == repr(a_story().reports[0].at)
    assert [leg["unit"] for leg in legs] == ["'urban-management'", "'fire-rescue'"]
    assert [leg["fed_back_at"] for leg in legs] == [repr(a_story().cases[5].at), repr(a_story().cases[4].at)]


async def test_a_whole_interleaving_in_one_batch_makes_the_same_rows_as_record_by_record(
    analytics: AsyncEngine,
) -> None:
    orders = every_interleaving()
    consumer = counting(analytics, VAULT)
    await consumer.consume(offset_all(chain.from_iterable(orders[::2])))
    for batch in in_step([offset_all(order) for order in orders[1::2]]):
        await consumer.consume(batch)

    known = await read_model(analytics)
    assert (len(known), len(set(known.values()))) == (165, 1)


async def test_a_case_is_opened_once_when_everything_before_is_here_in_whatever_order_and_number(
    dispatch: Dispatch,
) -> None:
    """Three events, each twice: all ninety orders; gaps, repeats and reversed ones are among them."""
    streams = {new_id(): order for order in every_order((0, 0, 1, 1, 2, 2))}
    assert len(streams) == 90
    records = {stream: filed_report(stream) for stream in streams}
    policy = dispatch.ledger.policy(EVENTS, reaction("jiaohe"))
    for step in range(6):
        await policy.consume([records[stream][order[step]] for stream, order in streams.items()])
        due = {stream for stream, order in streams.items() if set(order[: step + 1]) == {0, 1, 2}}
        assert set(await events_of(dispatch)) == due

    assert await events_of(dispatch) == dict.fromkeys(streams, OPENED)
    assert await counted(dispatch, "SELECT count(*) FROM held") == 0
    assert await counted(dispatch, "SELECT count(*) FROM positions WHERE sequence = 3") == 90


def every_order(numbers: Sequence[int]) -> list[tuple[int, ...]]:
    return sorted(set(permutations(numbers)))


async def test_what_lies_behind_a_gap_waits_in_every_order_and_goes_on_when_it_is_filled(dispatch: Dispatch) -> None:
    """Each of the three events is missing for some streams, and comes last."""
    missing = {new_id(): (gap, others) for gap in range(3) for others in permutations({0, 1, 2} - {gap})}
    records = {stream: filed_report(stream) for stream in missing}
    policy = dispatch.ledger.policy(EVENTS, reaction("jiaohe"))
    for step in range(2):
        for _ in range(2):
            await policy.consume([records[stream][others[step]] for stream, (_, others) in missing.items()])
    assert await events_of(dispatch) == {}
    # Behind event 1 wait two, behind event 2 one, and before event 3 none.
    assert await counted(dispatch, "SELECT count(*) FROM held") == 2 * (2 + 1)
    assert await policy.resume() == 0

    await policy.consume([records[stream][gap] for stream, (gap, _) in missing.items()])

    assert await events_of(dispatch) == dict.fromkeys(missing, OPENED)
    assert await counted(dispatch, "SELECT count(*) FROM held") == 0


async def events_of(dispatch: Dispatch) -> dict[UUID, list[str]]:
    """Return the types of the events of each case, in order."""
    async with dispatch.engine.connect() as connection:
        rows = await connection.exec_driver_sql(
            "SELECT stream, array_agg(type ORDER BY sequence) AS types FROM events WHERE aggregate = 'case' GROUP BY 1"
        )
        return {row.stream: list(row.types) for row in rows}


async def counted(dispatch: Dispatch, statement: str) -> int:
    async with dispatch.engine.connect() as connection:
        return int((await connection.exec_driver_sql(statement)).scalar_one())


def test_the_interleavings_are_all_there_are() -> None:
    found = Counter("".join(order) for order in interleavings("ab", "xyz"))  # type: ignore[arg-type]
    assert len(found) == 10
    assert set(found.values()) == {1}
    assert all(text.index("a") < text.index("b") and text.index("x") < text.index("y") for text in found)
