"""Departments' tasks: legs, by what their case has and by when they are due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.dispatch.domain.case import CaseStage
from services.dispatch.domain.legs import DONE, LEG_STAGES, LegStage
from services.dispatch.queries.rows import KnownLeg, colour_is, concerns, database_now, known_case, select_cases
from services.dispatch.tables import cases
from shared.deadlines.colours import COLOURS, Colour
from shared.ledger.tables import instant

_IDS: Final = sa.ARRAY(sa.Uuid)
_NOT_AT_WORK: Final[tuple[CaseStage, ...]] = ("filed", "feedback", "checking", "checked")
"""In these states of an open case it has no legs, or all of them are done. Said so, no index of all cases is used."""
_OPEN_STAGES: Final[tuple[LegStage, ...]] = tuple(state for state in LEG_STAGES if state not in DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlace:
    """Where a page of tasks ends: the case of the last leg (a unit has one in a case), and when that is due."""

    case: UUID
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCounts:
    """How many open legs a unit has, by state and by colour; no clock runs in those without colour."""

    total: int
    states: Mapping[LegStage, int]
    colours: Mapping[Colour, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """One page of a unit's open legs as of an instant of the database, the most urgent first."""

    as_of: datetime
    found: Sequence[KnownLeg]
    following: TaskPlace | None
    counts: TaskCounts | None


async def read_tasks(
    connection: AsyncConnection, unit: str, *, limit: int, after: TaskPlace | None, counted: bool
) -> TaskPage:
    """Return at most `limit` open legs of the unit that come after a place, by deadline; then those without one.

    Counting looks at all of them.
    """
    rows = (await connection.execute(_most_urgent(unit, limit + 1, after))).all()
    places = [TaskPlace(case=row.stream, due_at=row.due_at) for row in rows[:limit]]
    return TaskPage(
        as_of=await database_now(connection),
        found=await _known(connection, unit, places),
        following=places[-1] if len(rows) > limit else None,
        counts=await _count(connection, unit) if counted else None,
    )


async def find_legs(
    connection: AsyncConnection,
    *,
    unit: str | None = None,
    state: LegStage | None = None,
    limit: int,
    before: UUID | None = None,
) -> tuple[Sequence[KnownLeg], UUID | None]:
    """Return the legs wanted of at most `limit` cases older than `before`, newest first, and the last case's id.

    Without `state` the legs of which something is expected are meant. The id is None when no older case has such a leg.
    """
    states = _OPEN_STAGES if state is None else (state,)
    statement = select_cases().order_by(cases.c.stream.desc()).limit(limit + 1)
    if before is not None:
        statement = statement.where(cases.c.stream < before)
    statement = statement.where(sa.or_(*(_has_leg(unit=unit, state=one) for one in states)))
    if unit is not None:
        statement = statement.where(concerns(unit))
    if DONE.isdisjoint(states):
        # An ended case has no task, whatever its legs were when it ended, and the index of open cases is small.
        statement = statement.where(cases.c.open)
    found = [known_case(row) for row in await connection.execute(statement)]
    page = found[:limit]
    legs = [
        KnownLeg(case=known, leg=leg)
        for known in page
        for leg in known.case.legs
        if leg.state in states and unit in {None, leg.unit}
    ]
    return legs, page[-1].id if len(found) > limit else None


def _has_leg(*, unit: str | None, state: str) -> sa.ColumnElement[bool]:
    return cases.c.legs.contains([{"state": state} if unit is None else {"unit": unit, "state": state}])


def _most_urgent(unit: str, limit: int, after: TaskPlace | None) -> sa.Select[Any]:
    """Select where the unit's most urgent open legs are.

    Nearly always all legs of a case are due at its `due_at`, by which an index is ordered. The few cases of which that
    is not true are looked at one by one.
    """
    own = [cases.c.open, cases.c.status.not_in(_NOT_AT_WORK), concerns(unit)]
    # A CASE, because PostgreSQL takes the condition itself for much rarer than it is, and then sorts all of them.
    not_done = sa.case((sa.or_(*(_has_leg(unit=unit, state=state) for state in _OPEN_STAGES)), True), else_=False)
    key = sa.select(cases.c.stream, cases.c.due_at)
    even = key.where(~cases.c.uneven, cases.c.due_at.is_not(None), *own, not_done)
    still = _looked_up(key.where(~cases.c.uneven, cases.c.due_at.is_(None), *own), "still")
    uneven = _looked_up(key.where(cases.c.uneven, *own), "uneven")
    each = sa.func.jsonb_array_elements(cases.c.legs).table_valued(sa.column("value", JSONB)).alias("each")
    due_at = sa.cast(each.c.value["due_at"].as_string(), instant()).label("due_at")
    parts = [
        _after(even, limit, after),
        _after(key.select_from(still).where(not_done), limit, after),
        _after(
            sa.select(cases.c.stream, due_at)
            .select_from(uneven.join(each, sa.true()))
            .where(each.c.value["unit"].as_string() == unit, not_done),
            limit,
            after,
        ),
    ]
    legs = sa.union_all(*parts).subquery()
    return sa.select(legs).order_by(legs.c.due_at.asc().nulls_last(), legs.c.stream).limit(limit)


def _looked_up(key: sa.Select[Any], name: str) -> sa.Join:
    """Return the cases of a key that an index alone answers."""
    found = key.with_only_columns(cases.c.stream).cte(name).prefix_with("MATERIALIZED", dialect="postgresql")
    return cases.join(found, found.c.stream == cases.c.stream)


def _after(legs: sa.Select[Any], limit: int, place: TaskPlace | None) -> sa.Select[Any]:
    """Select the first legs after the place."""
    stream, due_at = legs.selected_columns
    if place is not None:
        case = sa.literal(place.case, stream.type)
        if place.due_at is None:
            legs = legs.where(due_at.is_(None), stream > case)
        else:
            due = sa.literal(place.due_at, instant())
            legs = legs.where(sa.or_(due_at.is_(None), sa.tuple_(due_at, stream) > sa.tuple_(due, case)))
    return legs.order_by(due_at.asc().nulls_last(), stream).limit(limit).subquery().select()


async def _count(connection: AsyncConnection, unit: str) -> TaskCounts:
    each = sa.func.jsonb_array_elements(cases.c.legs).table_valued(sa.column("value", JSONB)).alias("each")
    leg = each.c.value
    legs = (
        sa.select(
            leg["state"].as_string().label("state"),
            sa.cast(leg["due_at"].as_string(), instant()).label("due_at"),
            sa.cast(leg["warn_at"].as_string(), instant()).label("warn_at"),
        )
        .select_from(cases.join(each, sa.true()))
        .where(
            cases.c.open,
            concerns(unit),
            leg["unit"].as_string() == unit,
            leg["state"].as_string().in_(_OPEN_STAGES),
        )
        .subquery()
    )
    counts = [sa.func.count().filter(*colour_is(colour, legs.c)).label(colour) for colour in COLOURS]
    grouped = sa.select(legs.c.state, sa.func.count().label("total"), *counts).group_by(legs.c.state)
    by_state = {row["state"]: row for row in (await connection.execute(grouped)).mappings()}
    return TaskCounts(
        total=sum(row["total"] for row in by_state.values()),
        states={state: by_state[state]["total"] for state in _OPEN_STAGES if state in by_state},
        colours={colour: sum(row[colour] for row in by_state.values()) for colour in COLOURS},
    )


async def _known(connection: AsyncConnection, unit: str, places: Sequence[TaskPlace]) -> list[KnownLeg]:
    """Return the unit's legs of these places, in their order."""
    wanted = select_cases().where(cases.c.stream == sa.any_(sa.literal([place.case for place in places], _IDS)))
    known = {row.stream: known_case(row) for row in await connection.execute(wanted)}
    return [
        KnownLeg(case=known[place.case], leg=leg)
        for place in places
        for leg in known[place.case].case.legs
        if leg.unit == unit and not leg.done
    ]
