"""Figures of cases that are reopened, voided, merged, suspended or overdue: on real PostgreSQL, in any order."""

from datetime import datetime, timedelta
from typing import get_args

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.analytics import queries, tables
from services.analytics.queries import Filters
from shared.ledger.engine import create_ledger_engine
from tests.integration.test_analytics import database, disorder, dump, engine, feed
from tests.integration.test_analytics_api import Reader, reader
from tests.support.lives import MASTER, SPRING, asking, dispatched, merged_report, merges_of_reports, whole_lives
from tests.support.long_stories import LongStory
from tests.support.servers import Postgres
from tests.support.stories import NUMBER, Story, offset_all

__all__ = ["database", "engine", "reader"]

MOMENT = timedelta(microseconds=1)


def city() -> list[Story]:
    """Eleven problems: four closed, one voided, one merged, five open; of these, one is suspended and one reopened."""
    by_grid = LongStory().filed().opened().dispatched("minzhu-street", level="grid").signed().fed_back()
    by_street = LongStory().filed().opened().dispatched("minzhu-street", level="grid").escalated("grid", "street")
    overdue = dispatched("ecology").signed().breached().fed_back().check_passed().closed()
    overdue.appealed().appeal_reviewed(last=False).appeal_reviewed()
    twice = LongStory().handled("ecology", "housing").closed().reopened(2).fed_back(2).check_passed().closed()
    return [
        by_grid.check_passed().closed("grid"),
        by_street.signed().fed_back().check_passed().closed("street"),
        overdue,
        twice,
        LongStory().handled("ecology").closed().reopened(),
        dispatched().void_proposed().voided(),
        dispatched().merge_requested(MASTER).merged(MASTER),
        dispatched().merge_requested(MASTER).merged(MASTER).unmerged(MASTER).supervised(),
        dispatched("ecology").signed().extended().extended().suspended(SPRING),
        dispatched("ecology").breached().return_requested().return_upheld("health").breached(),
        dispatched("ecology").signed().fed_back().sent_back().fed_back().check_failed(1).suspended(SPRING).resumed(),
    ]


async def figures_of(engine: AsyncEngine, as_of: datetime | None = None) -> queries.Figures:
    async with queries.snapshot(engine) as connection:
        return await queries.figures(connection, Filters(as_of=as_of))


def kinds(figures: queries.Figures) -> tuple[int, ...]:
    return figures.reported, figures.closed, figures.voided, figures.merged, figures.rejected, figures.open


async def test_what_was_voided_or_merged_is_neither_open_nor_closed(engine: AsyncEngine) -> None:
    await feed(engine, disorder(city(), 1))
    found = await figures_of(engine)
    assert kinds(found) == (11, 4, 1, 1, 0, 5)
    assert {beside: (found.of(beside).cases, found.of(beside).times) for beside in queries.BESIDE} == {
        "suspended": (1, 1),
        "reopened": (2, 2),
        "overdue": (2, 2),
        "exempted": (1, 1),
        "extended": (1, 2),
        "returned": (1, 1),
        "reworked": (1, 2),
        "supervised": (1, 1),
        "escalated": (1, 1),
    }


async def test_the_whole_life_is_counted_the_same_in_every_order_and_however_often_a_record_comes(
    engine: AsyncEngine, postgres: Postgres
) -> None:
    stories = [*city(), *whole_lives(), *merges_of_reports()]
    await feed(engine, offset_all(record for story in stories for record in story.records()))
    expected, total = await dump(engine), await figures_of(engine)
    for seed in range(2):
        other = create_ledger_engine(postgres.fresh_database("analytics"), application="test")
        async with other.begin() as connection:
            await connection.run_sync(tables.migrate)
        await feed(other, disorder(stories, seed), batch=3 + 20 * seed)
        assert (await dump(other), await figures_of(other)) == (expected, total)
        await other.dispose()


async def test_a_reopening_takes_the_closing_back_from_then_on(engine: AsyncEngine) -> None:
    story = LongStory().handled("ecology").closed()
    closed_at = story.cases[-1].at
    story.reopened()
    reopened_at = story.cases[-1].at
    story.fed_back().check_passed().closed()
    again_at = story.cases[-1].at
    await feed(engine, offset_all(story.records()))
    instants = [closed_at - MOMENT, closed_at, reopened_at - MOMENT, reopened_at, again_at - MOMENT, again_at, None]
    counted = [await figures_of(engine, as_of) for as_of in instants]
    assert [figures.closed for figures in counted] == [0, 1, 1, 0, 0, 1, 1]
    assert [figures.open for figures in counted] == [1, 0, 0, 1, 1, 0, 0]
    assert [figures.of("reopened").times for figures in counted] == [0, 0, 0, 1, 1, 1, 1]


async def test_a_merged_report_is_merged_from_its_instant_on_and_opens_behind_its_figure(
    engine: AsyncEngine, reader: Reader
) -> None:
    story = merged_report()
    merged_at = story.reports[-1].at
    await feed(engine, offset_all(record for one in (story, asking()) for record in one.records()))
    counted = [await figures_of(engine, as_of) for as_of in (merged_at - MOMENT, merged_at, None)]
    assert [kinds(figures) for figures in counted] == [(2, 0, 0, 0, 0, 2), (2, 0, 0, 1, 0, 1), (2, 0, 0, 1, 0, 1)]
    (merged,) = await reader.rows("/v1/cases", counted="merged")
    assert (merged["case_id"], merged["counted_as"], merged["reasons"]) == (str(story.id), "merged", [])
    assert (merged["merged_into"], datetime.fromisoformat(merged["merged_at"])) == (str(MASTER), merged_at)
    (asks,) = await reader.rows("/v1/cases", counted="open")
    assert [reason["code"] for reason in asks["reasons"]] == ["merge_pending", "not_accepted"]


async def test_a_merge_and_its_end_count_from_their_instants(engine: AsyncEngine) -> None:
    story = dispatched().merge_requested(MASTER).merged(MASTER)
    merged_at = story.cases[-1].at
    story.unmerged(MASTER)
    unmerged_at = story.cases[-1].at
    story.voided()
    voided_at = story.cases[-1].at
    await feed(engine, offset_all(story.records()))
    instants = [merged_at - MOMENT, merged_at, unmerged_at - MOMENT, unmerged_at, voided_at - MOMENT, voided_at]
    counted = [await figures_of(engine, as_of) for as_of in instants]
    assert [kinds(figures)[1:] for figures in counted] == [
        (0, 0, 0, 0, 1),
        (0, 0, 1, 0, 0),
        (0, 0, 1, 0, 0),
        (0, 0, 0, 0, 1),
        (0, 0, 0, 0, 1),
        (0, 1, 0, 0, 0),
    ]


async def test_a_suspension_counts_while_it_lasts_and_the_case_is_open(engine: AsyncEngine) -> None:
    story = dispatched("ecology").signed().suspended(SPRING)
    suspended_at = story.cases[-1].at
    story.resumed()
    resumed_at = story.cases[-1].at
    await feed(engine, offset_all(story.records()))
    instants = [suspended_at - MOMENT, suspended_at, resumed_at - MOMENT, resumed_at]
    assert [(await figures_of(engine, as_of)).of("suspended").cases for as_of in instants] == [0, 1, 1, 0]


async def test_a_suspended_case_that_was_voided_is_not_on_the_books(engine: AsyncEngine) -> None:
    story = dispatched("ecology").signed().suspended(SPRING)
    suspended_at = story.cases[-1].at
    await feed(engine, offset_all(story.voided().records()))
    assert (await figures_of(engine)).of("suspended").cases == 0
    assert (await figures_of(engine, suspended_at)).of("suspended").cases == 1


async def test_the_overdue_fact_stays_and_the_exemption_stands_beside_it(engine: AsyncEngine) -> None:
    story = dispatched("ecology").signed().breached(late=timedelta(seconds=30))
    overdue_at = story.cases[-1].at - timedelta(seconds=30)
    story.fed_back().check_passed().closed().appealed().appeal_reviewed(last=False).appeal_reviewed()
    exempted_at = story.cases[-1].at
    await feed(engine, offset_all(story.records()))
    instants = [overdue_at - MOMENT, overdue_at, exempted_at - MOMENT, exempted_at]
    counted = [await figures_of(engine, as_of) for as_of in instants]
    assert [figures.of("overdue").cases for figures in counted] == [0, 1, 1, 1]
    assert [figures.of("exempted").cases for figures in counted] == [0, 0, 0, 1]


async def test_a_closed_case_counts_at_the_level_where_it_was_solved(engine: AsyncEngine) -> None:
    await feed(engine, disorder(city(), 2))
    async with queries.snapshot(engine) as connection:
        found = {
            one.key: (one.reported, one.closed) for one in await queries.figures_by(connection, "level", Filters())
        }
    assert found == {"grid": (1, 1), "street": (1, 1), "city": (9, 2)}


async def test_a_redispatched_case_keeps_no_leg_of_before(engine: AsyncEngine) -> None:
    story = dispatched("ecology", "housing").breached(2)
    await feed(engine, offset_all(story.records()), batch=100)
    await feed(engine, offset_all(story.redispatched("health").records()), batch=100)
    async with queries.snapshot(engine) as connection:
        legs = {one.unit: one.assigned for one in await queries.leg_figures(connection, Filters())}
    assert legs == {"health": 1}
    assert (await figures_of(engine)).of("overdue").cases == 0


async def test_units_legs_are_counted_as_suspended_overdue_and_exempted(engine: AsyncEngine, reader: Reader) -> None:
    await feed(engine, disorder(city(), 3))
    legs = {row["unit"]: row for row in (await reader.closure(group="department"))["legs"]}
    ecology = legs["ecology"]
    assert (ecology["suspended"], ecology["overdue"], ecology["exempted"]) == (1, 1, 1)
    for row in legs.values():
        for counted in ("assigned", "fed_back", "waived", "open", "suspended", "overdue", "exempted"):
            assert len(await reader.rows(row["legs"], counted=counted)) == row[counted], (row["unit"], counted)


@pytest.mark.parametrize("group", ["", *get_args(queries.Group)])
async def test_every_figure_opens_to_its_cases_and_what_stands_beside_to_their_marks(
    engine: AsyncEngine, reader: Reader, group: str
) -> None:
    await feed(engine, disorder(city(), 4))
    answer = await reader.closure(**({"group": group} if group else {}))
    for figure in answer["groups"] or [answer["total"]]:
        kinds = {kind: figure[kind] for kind in ("open", "voided", "merged", "rejected")}
        assert figure["denominator"] == figure["numerator"] + sum(kinds.values())
        for counted, count in {"closed": figure["numerator"], **kinds}.items():
            rows = await reader.rows(figure["cases"], counted=counted)
            assert [row["counted_as"] for row in rows] == [counted] * count, (group, figure["key"])
        for beside in figure["beside"]:
            rows = await reader.rows(figure["cases"], counted=beside["counted"])
            marks = [
                mark
                for row in rows
                for mark in row["marks"]
                if mark["kind"] == beside["counted"] and mark["until"] is None
            ]
            assert (len(rows), len(marks)) == (beside["cases"], beside["times"]), (group, figure["key"], beside)


async def test_a_case_says_what_became_of_it(engine: AsyncEngine, reader: Reader) -> None:
    await feed(engine, disorder(city(), 5))
    (voided,) = await reader.rows("/v1/cases", counted="voided")
    assert (voided["void_reason"], voided["closed_at"], voided["reasons"]) == ("not_found", None, [])
    assert voided["number"] == NUMBER
    (merged,) = await reader.rows("/v1/cases", counted="merged")
    assert merged["merged_into"] == str(MASTER)
    (by_grid,) = await reader.rows("/v1/cases", level="grid")
    assert (by_grid["level"], by_grid["counted_as"]) == ("grid", "closed")
    (suspended,) = await reader.rows("/v1/cases", counted="suspended")
    assert [reason["code"] for reason in suspended["reasons"]] == ["suspended"]
    assert suspended["legs"][0]["suspended_until"] == "2027-03-16T01:00:00Z"


async def test_a_level_that_there_is_not_is_named(reader: Reader) -> None:
    response = await reader.client.get("/v1/cases?level=planet")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["level"]
