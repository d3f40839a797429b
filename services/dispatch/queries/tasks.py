"""Departments' tasks: legs, by what their case has and by when they are due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.dispatch.domain.colours import COLOURS, Colour
from services.dispatch.domain.legs import DONE, LEG_STAGES, LegStage, find_leg
from services.dispatch.queries.rows import KnownLeg, colour_is, concerns, database_now, known_case, select_cases
from services.dispatch.tables import cases
from shared.ledger.tables import instant

_IDS: Final = sa.ARRAY(sa.Uuid)
_OPEN_STAGES: Final[tuple[LegStage, ...]] = tuple(state for state in LEG_STAGES if state not in DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlace:
    """Where a page of tasks ends: the last leg, with its deadline if its clock runs."""

    case: UUID
    leg: int
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
    """Return at most `limit` open legs of the unit that come after a place, by deadline; then those without one."""
    legs = _open_legs(unit)
    page = sa.select(legs).order_by(legs.c.due_at.asc().nulls_last(), legs.c.case, legs.c.leg).limit(limit + 1)
    if after is not None:
        page = page.where(_comes_after(legs, after))
    rows = (await connection.execute(page)).all()
    places = [TaskPlace(case=row.case, leg=row.leg, due_at=row.due_at) for row in rows[:limit]]
    return TaskPage(
        as_of=await database_now(connection),
        found=await _known(connection, places),
        following=places[-1] if len(rows) > limit else None,
        counts=await _count(connection, legs) if counted else None,
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


def _open_legs(unit: str) -> sa.Subquery:
    """Select the unit's open legs: what is ordered and counted by."""
    leg = sa.func.jsonb_array_elements(cases.c.legs, type_=JSONB).column_valued("one")
    return (
        sa.select(
            cases.c.stream.label("case"),
            leg["leg"].as_integer().label("leg"),
            leg["state"].as_string().label("state"),
            sa.cast(leg["due_at"].as_string(), instant()).label("due_at"),
            sa.cast(leg["warn_at"].as_string(), instant()).label("warn_at"),
        )
        .select_from(cases.join(leg, sa.true()))
        .where(
            cases.c.open,
            concerns(unit),
            leg["unit"].as_string() == unit,
            leg["state"].as_string().in_(_OPEN_STAGES),
        )
        .subquery()
    )


def _comes_after(legs: sa.Subquery, place: TaskPlace) -> sa.ColumnElement[bool]:
    case, leg = sa.literal(place.case, legs.c.case.type), sa.literal(place.leg)
    if place.due_at is None:
        return sa.and_(legs.c.due_at.is_(None), sa.tuple_(legs.c.case, legs.c.leg) > sa.tuple_(case, leg))
    due_at = sa.literal(place.due_at, legs.c.due_at.type)
    later = sa.tuple_(legs.c.due_at, legs.c.case, legs.c.leg) > sa.tuple_(due_at, case, leg)
    return sa.or_(later, legs.c.due_at.is_(None))


async def _count(connection: AsyncConnection, legs: sa.Subquery) -> TaskCounts:
    counts = [sa.func.count().filter(*colour_is(colour, legs.c)).label(colour) for colour in COLOURS]
    rows = (
        await connection.execute(
            sa.select(legs.c.state, sa.func.count().label("total"), *counts).group_by(legs.c.state)
        )
    ).mappings()
    by_state = {row["state"]: row for row in rows}
    return TaskCounts(
        total=sum(row["total"] for row in by_state.values()),
        states={state: by_state[state]["total"] for state in _OPEN_STAGES if state in by_state},
        colours={colour: sum(row[colour] for row in by_state.values()) for colour in COLOURS},
    )


async def _known(connection: AsyncConnection, places: Sequence[TaskPlace]) -> list[KnownLeg]:
    """Return the legs of these places, in their order."""
    wanted = select_cases().where(cases.c.stream == sa.any_(sa.literal([place.case for place in places], _IDS)))
    known = {row.stream: known_case(row) for row in await connection.execute(wanted)}
    found = ((known[place.case], find_leg(known[place.case].case.legs, place.leg)) for place in places)
    return [KnownLeg(case=case, leg=leg) for case, leg in found if leg is not None]
