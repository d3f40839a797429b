"""Figures: how many problems, and how many legs of each unit."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics import tables
from services.analytics.queries.conditions import (
    CASES,
    ENDS,
    KEYS,
    LEG_BESIDE,
    LEGS,
    MARKS,
    Beside,
    Filters,
    Group,
    LegBeside,
    are_reported,
    is_counted,
    leg_is,
    mark_is_counted,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """To how many problems something happened, and how often in all."""

    cases: int = 0
    times: int = 0


_NEVER = Times()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How many problems there are of each kind; `key` is the group's, None for the total.

    `beside` says to how many of them something happened; what is not there happened to none.
    """

    key: str | None
    reported: int
    closed: int
    voided: int
    merged: int
    rejected: int
    beside: Mapping[Beside, Times] = field(default_factory=dict)

    @property
    def open(self) -> int:
        """How many have not ended."""
        return self.reported - self.closed - self.voided - self.merged - self.rejected

    def of(self, beside: Beside) -> Times:
        """Return to how many problems this happened."""
        return self.beside.get(beside, _NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFigures:
    """What one unit has to do in these cases, as lead or support: `assigned` = `fed_back` + `waived` + `open`.

    `beside` are those of them that are suspended, overdue, and exempted from being counted as overdue.
    """

    unit: str
    assigned: int
    fed_back: int
    waived: int
    beside: Mapping[LegBeside, int]

    @property
    def open(self) -> int:
        """How many legs the unit still owes."""
        return self.assigned - self.fed_back - self.waived


async def figures(connection: AsyncConnection, filters: Filters) -> Figures:
    """Count the problems that the filters name."""
    row = (await connection.execute(sa.select(*_counts(filters)).where(*are_reported(filters)))).one()
    beside = await _beside(connection, sa.null(), filters)
    return _figures(None, row, beside[None])


async def figures_by(connection: AsyncConnection, group: Group, filters: Filters) -> list[Figures]:
    """Count them by group, in the order of the keys; the key "" is what has no such value."""
    key = sa.func.coalesce(sa.cast(KEYS[group], sa.Text), "")
    rows = await connection.execute(
        sa.select(key.label("key"), *_counts(filters)).where(*are_reported(filters)).group_by(key).order_by(key)
    )
    beside = await _beside(connection, key, filters)
    return [_figures(row.key, row, beside[row.key]) for row in rows]


async def leg_figures(connection: AsyncConnection, filters: Filters) -> list[LegFigures]:
    """Count the legs of the cases that the filters name, by unit; each leg as it stands now."""
    counted = {name: sa.func.count().filter(leg_is(name, filters)).label(name) for name in LEG_BESIDE}
    rows = await connection.execute(
        sa.select(
            LEGS.unit,
            sa.func.count().label("assigned"),
            sa.func.count().filter(leg_is("fed_back", filters)).label("fed_back"),
            sa.func.count().filter(leg_is("waived", filters)).label("waived"),
            *counted.values(),
        )
        .select_from(tables.leg_facts.join(tables.case_facts, LEGS.stream == CASES.stream))
        .where(*are_reported(filters), leg_is("assigned", filters))
        .group_by(LEGS.unit)
        .order_by(LEGS.unit)
    )
    return [
        LegFigures(
            unit=row.unit,
            assigned=row.assigned,
            fed_back=row.fed_back,
            waived=row.waived,
            beside={name: getattr(row, name) for name in LEG_BESIDE},
        )
        for row in rows
    ]


def _counts(filters: Filters) -> tuple[sa.ColumnElement[int], ...]:
    return (
        sa.func.count().label("reported"),
        *(sa.func.count().filter(is_counted(end, filters)).label(end) for end in ENDS),
    )


async def _beside(
    connection: AsyncConnection, key: sa.ColumnElement[Any], filters: Filters
) -> Mapping[str | None, Mapping[Beside, Times]]:
    """Count what happened to them beside the normal course, by the same key: most cases have no such mark."""
    rows = await connection.execute(
        sa.select(
            key.label("key"),
            MARKS.kind,
            sa.func.count(MARKS.stream.distinct()).label("cases"),
            sa.func.count().label("times"),
        )
        .select_from(tables.case_marks.join(tables.case_facts, MARKS.stream == CASES.stream))
        .where(*are_reported(filters), mark_is_counted(filters))
        .group_by(sa.text("1"), MARKS.kind)
    )
    found: dict[str | None, dict[Beside, Times]] = defaultdict(dict)
    for row in rows:
        found[row.key][row.kind] = Times(cases=row.cases, times=row.times)
    return found


def _figures(key: str | None, row: Any, beside: Mapping[Beside, Times]) -> Figures:  # noqa: ANN401 - a row
    return Figures(
        key=key,
        reported=row.reported,
        closed=row.closed,
        voided=row.voided,
        merged=row.merged,
        rejected=row.rejected,
        beside=beside,
    )
