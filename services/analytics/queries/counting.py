"""Figures: how many problems, and how many legs of each unit."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics import tables
from services.analytics.queries.conditions import CASES, KEYS, LEGS, Filters, Group, are_reported, is_counted, leg_is


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How many problems there are of each kind; `key` is the group's, None for the total."""

    key: str | None
    reported: int
    closed: int
    rejected: int

    @property
    def open(self) -> int:
        """How many are neither closed nor rejected."""
        return self.reported - self.closed - self.rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFigures:
    """What one unit has to do in these cases, as lead or support; the three kinds add up to `assigned`."""

    unit: str
    assigned: int
    fed_back: int
    waived: int

    @property
    def open(self) -> int:
        """How many legs the unit still owes."""
        return self.assigned - self.fed_back - self.waived


async def figures(connection: AsyncConnection, filters: Filters) -> Figures:
    """Count the problems that the filters name."""
    row = (await connection.execute(sa.select(*_counts(filters)).where(*are_reported(filters)))).one()
    return Figures(key=None, reported=row.reported, closed=row.closed, rejected=row.rejected)


async def figures_by(connection: AsyncConnection, group: Group, filters: Filters) -> list[Figures]:
    """Count them by group, in the order of the keys; the key "" is what has no such value."""
    key = sa.func.coalesce(sa.cast(KEYS[group], sa.Text), "").label("key")
    rows = await connection.execute(
        sa.select(key, *_counts(filters)).where(*are_reported(filters)).group_by(key).order_by(key)
    )
    return [Figures(key=row.key, reported=row.reported, closed=row.closed, rejected=row.rejected) for row in rows]


async def leg_figures(connection: AsyncConnection, filters: Filters) -> list[LegFigures]:
    """Count the legs of the cases that the filters name, by unit; each leg as it stands now."""
    rows = await connection.execute(
        sa.select(
            LEGS.unit,
            sa.func.count().label("assigned"),
            sa.func.count().filter(leg_is("fed_back", filters)).label("fed_back"),
            sa.func.count().filter(leg_is("waived", filters)).label("waived"),
        )
        .select_from(tables.leg_facts.join(tables.case_facts, LEGS.stream == CASES.stream))
        .where(*are_reported(filters), leg_is("assigned", filters))
        .group_by(LEGS.unit)
        .order_by(LEGS.unit)
    )
    return [LegFigures(unit=row.unit, assigned=row.assigned, fed_back=row.fed_back, waived=row.waived) for row in rows]


def _counts(filters: Filters) -> tuple[sa.ColumnElement[int], ...]:
    return (
        sa.func.count().label("reported"),
        sa.func.count().filter(is_counted("closed", filters)).label("closed"),
        sa.func.count().filter(is_counted("rejected", filters)).label("rejected"),
    )
