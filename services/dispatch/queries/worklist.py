"""The work list: which cases are wanted, in which order, and how many there are by state and by colour.

Pages follow one another by key, never by offset: cases that come, go or change between two pages shift nothing. In the
order `newest` the key never changes. In the order `deadline` it is the deadline: a case whose deadline moved meanwhile
stands where its new deadline puts it, and every other one is on exactly one page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.dispatch.domain.case import CASE_STAGES, CaseStage
from services.dispatch.domain.searching import Meaning
from services.dispatch.queries.rows import KnownCase, colour_is, concerns, database_now, known_case, select_cases
from services.dispatch.tables import cases
from shared.contracts.common import Level, Post
from shared.deadlines.colours import COLOURS, Colour

Order = Literal["newest", "deadline"]

_Conditions = Sequence[sa.ColumnElement[bool]]
_AWAITS_SOMEBODY: Final = sa.text("awaits <> '[]'::jsonb")
"""Word by word as its index says it, without a parameter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases are wanted; None asks for nothing.

    `unit` has a leg in the case, whatever its state; `lead` has the lead leg. `post` has to act next. A colour is that
    of the case's most urgent clock; only open cases have one.
    """

    open: bool | None = None
    states: tuple[CaseStage, ...] = ()
    unit: str | None = None
    lead: str | None = None
    post: Post | None = None
    check_unit: str | None = None
    colour: Colour | None = None
    street: str | None = None
    community: str | None = None
    category: str | None = None
    campaign: str | None = None
    level: Level | None = None
    supervised: bool | None = None
    source: str | None = None
    meaning: Meaning | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePlace:
    """Where a page ends: the last case, and its deadline where the order is `deadline` and it has one."""

    case: UUID
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCounts:
    """How many cases the filter finds in all, by state and by colour."""

    total: int
    states: Mapping[CaseStage, int]
    colours: Mapping[Colour, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """One page as of an instant of the database; `following` is where the next one begins, None after the last."""

    as_of: datetime
    found: Sequence[KnownCase]
    following: CasePlace | None
    counts: CaseCounts | None


async def find_cases(
    connection: AsyncConnection,
    wanted: CaseFilter,
    *,
    order: Order = "newest",
    limit: int,
    after: CasePlace | None = None,
) -> tuple[Sequence[KnownCase], CasePlace | None]:
    """Return at most `limit` cases that come after a place in this order, and where the next page begins."""
    page = _newest(wanted, limit + 1, after) if order == "newest" else _most_urgent(wanted, limit + 1, after)
    rows = (await connection.execute(page)).all()
    found = [known_case(row) for row in rows[:limit]]
    if len(rows) <= limit:
        return found, None
    last = rows[limit - 1]
    return found, CasePlace(case=last.stream, due_at=last.due_at if order == "deadline" else None)


async def read_page(
    connection: AsyncConnection,
    wanted: CaseFilter,
    *,
    order: Order,
    limit: int,
    after: CasePlace | None,
    counted: bool,
) -> CasePage:
    """Return the page, and the counts of the same snapshot where they are wanted."""
    found, following = await find_cases(connection, wanted, order=order, limit=limit, after=after)
    return CasePage(
        as_of=await database_now(connection),
        found=found,
        following=following,
        counts=await count_cases(connection, wanted) if counted else None,
    )


async def count_cases(connection: AsyncConnection, wanted: CaseFilter) -> CaseCounts:
    """Count what the filter finds, in every state and colour that there is; no clock runs in those without colour."""
    counts = [sa.func.count().filter(*colour_is(colour, cases.c)).label(colour) for colour in COLOURS]
    counted = sa.select(cases.c.status, sa.func.count().label("total"), *counts).group_by(cases.c.status)
    rows = (await connection.execute(counted.where(*_conditions(wanted)))).mappings()
    by_state = {row["status"]: row for row in rows}
    return CaseCounts(
        total=sum(row["total"] for row in by_state.values()),
        states={state: by_state[state]["total"] for state in CASE_STAGES if state in by_state},
        colours={colour: sum(row[colour] for row in by_state.values()) for colour in COLOURS},
    )


def _newest(wanted: CaseFilter, limit: int, after: CasePlace | None) -> sa.Select[Any]:
    """Select cases by id, which has the order of time."""
    earlier = [] if after is None else [cases.c.stream < after.case]
    key: sa.Select[Any]
    if wanted.open or (wanted.open is None and wanted.post is not None):
        key = _out_of_few(wanted, earlier)
    elif wanted.meaning is not None:
        key = _one_by_one(replace(wanted, meaning=None), wanted.meaning, earlier, limit)
    else:
        key = sa.select(cases.c.stream).where(*_conditions(wanted), *earlier)
    (stream,) = key.selected_columns
    page = key.order_by(stream.desc()).limit(limit).subquery("page")
    return select_cases().join(page, page.c.stream == cases.c.stream).order_by(page.c.stream.desc())


def _out_of_few(wanted: CaseFilter, earlier: _Conditions) -> sa.Select[Any]:
    """Select out of the cases that are open, and of the ended ones that somebody must act on: both have an index.

    Walking back through the years could take long to find them.
    """
    conditions = [*_conditions(wanted), *earlier]
    found = sa.select(cases.c.stream).where(cases.c.open, *conditions)
    if wanted.open:
        # An OFFSET, so that the order does not lead back to the index of all cases.
        return found.offset(0).subquery("few").select()
    ended = sa.select(cases.c.stream).where(~cases.c.open, _AWAITS_SOMEBODY, *conditions)
    return sa.union_all(found, ended).subquery("few").select()


def _one_by_one(wanted: CaseFilter, meaning: Meaning, earlier: _Conditions, limit: int) -> sa.Select[Any]:
    """Select the newest of each category and place that a text means: each of them has an index in that order."""
    key = sa.select(cases.c.stream).where(*_conditions(wanted), *earlier)
    found = [key.where(_is_named(meaning))]
    for column, codes in (
        (cases.c.category, sorted({code for _, code in meaning.categories})),
        (cases.c.street, meaning.streets),
        (cases.c.community, meaning.communities),
    ):
        codes_of = sa.func.unnest(sa.literal(list(codes), sa.ARRAY(sa.Text))).table_valued("code")
        each = codes_of.render_derived(f"each_{column.name}")
        newest = key.where(column == each.c.code).order_by(cases.c.stream.desc()).limit(limit)
        lateral = newest.lateral(f"newest_{column.name}")
        found.append(sa.select(lateral.c.stream).select_from(each.join(lateral, sa.true())))
    every = sa.union(*found).subquery("every")
    return sa.select(every.c.stream)


def _most_urgent(wanted: CaseFilter, limit: int, after: CasePlace | None) -> sa.Select[Any]:
    """Select open cases by deadline, and then those without one; one index knows everything but the state itself."""
    conditions = [cases.c.open, *_conditions(wanted)]
    key = sa.select(cases.c.stream, cases.c.due_at).where(*conditions)
    dated = key.where(cases.c.due_at.is_not(None))
    undated = key.where(cases.c.due_at.is_(None))
    if after is not None and after.due_at is None:
        dated, undated = dated.where(sa.false()), undated.where(cases.c.stream > after.case)
    elif after is not None:
        place = sa.tuple_(sa.literal(after.due_at, cases.c.due_at.type), sa.literal(after.case, cases.c.stream.type))
        dated = dated.where(sa.tuple_(cases.c.due_at, cases.c.stream) > place)
    page = (
        sa.union_all(
            dated.order_by(cases.c.due_at, cases.c.stream).limit(limit).subquery().select(),
            undated.order_by(cases.c.stream).limit(limit).subquery().select(),
        )
        .limit(limit)
        .cte("page")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    return (
        select_cases()
        .add_columns(page.c.due_at)
        .join(page, page.c.stream == cases.c.stream)
        .order_by(page.c.due_at.asc().nulls_last(), page.c.stream)
    )


def _conditions(wanted: CaseFilter) -> list[sa.ColumnElement[bool]]:
    exact = {
        cases.c.open: wanted.open,
        cases.c.lead_unit: wanted.lead,
        cases.c.check_unit: wanted.check_unit,
        cases.c.street: wanted.street,
        cases.c.community: wanted.community,
        cases.c.category: wanted.category,
        cases.c.campaign: wanted.campaign,
        cases.c.level: wanted.level,
        cases.c.supervised: wanted.supervised,
        cases.c.source: wanted.source,
    }
    conditions: list[sa.ColumnElement[bool]] = [column == value for column, value in exact.items() if value is not None]
    if wanted.states:
        conditions.append(cases.c.status.in_(wanted.states))
    if wanted.unit is not None:
        conditions.append(concerns(wanted.unit))
    if wanted.post is not None:
        conditions.append(cases.c.awaits.contains([wanted.post]))
    if wanted.colour is not None:
        conditions += colour_is(wanted.colour, cases.c)
    if wanted.meaning is not None:
        conditions.append(_means(wanted.meaning))
    return conditions


def _means(meaning: Meaning) -> sa.ColumnElement[bool]:
    """Select what a text means: a case itself, or cases of these categories or at these places."""
    found = [_is_named(meaning)]
    if meaning.categories:
        found.append(sa.tuple_(cases.c.category_system, cases.c.category).in_(meaning.categories))
    if meaning.streets:
        found.append(cases.c.street.in_(meaning.streets))
    if meaning.communities:
        found.append(cases.c.community.in_(meaning.communities))
    return sa.or_(*found)


def _is_named(meaning: Meaning) -> sa.ColumnElement[bool]:
    """Select the one case whose id or number the text is."""
    if meaning.number is not None:
        return cases.c.number == meaning.number
    return sa.false() if meaning.case is None else cases.c.stream == meaning.case
