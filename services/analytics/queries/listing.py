"""The cases and legs behind every figure (I-16), in pages that never move."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics import tables
from services.analytics.domain.facts import CaseFacts, LegFacts, ReportFacts
from services.analytics.queries.conditions import (
    CASES,
    LEGS,
    Counted,
    Filters,
    LegCounted,
    are_reported,
    counted_as,
    is_counted,
    leg_is,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One problem behind a figure, and what it counts as at the cut-off."""

    stream: UUID
    counted_as: Counted
    report: ReportFacts
    case: CaseFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRow:
    """One leg behind a unit's figure."""

    stream: UUID
    leg: LegFacts


async def cases(
    connection: AsyncConnection, counted: Counted, filters: Filters, *, after: UUID | None, limit: int
) -> tuple[list[CaseRow], UUID | None]:
    """Return a page of the problems behind a figure by ascending id, and the `after` of the next page, if any.

    A page never moves, whatever is reported meanwhile: ids only grow.
    """
    conditions = [*are_reported(filters), is_counted(counted, filters)]
    if after is not None:
        conditions.append(CASES.stream > after)
    rows = (
        await connection.execute(
            sa.select(tables.case_facts, counted_as(filters).label("counted_as"))
            .where(*conditions)
            .order_by(CASES.stream)
            .limit(limit + 1)
        )
    ).all()
    legs = await _legs_of(connection, [row.stream for row in rows[:limit]])
    page = [
        CaseRow(stream=row.stream, counted_as=row.counted_as, report=report, case=tables.case_of(row, legs[row.stream]))
        for row in rows[:limit]
        if (report := tables.report_of(row)) is not None
    ]
    return page, page[-1].stream if len(rows) > limit else None


async def legs(
    connection: AsyncConnection,
    unit: str | None,
    counted: LegCounted,
    filters: Filters,
    *,
    after: tuple[UUID, int] | None,
    limit: int,
) -> tuple[list[LegRow], tuple[UUID, int] | None]:
    """Return a page of the legs behind a unit's figure (None: every unit's) by ascending (case, leg), and `after`."""
    conditions = [*are_reported(filters), leg_is("assigned", filters), leg_is(counted, filters)]
    if unit is not None:
        conditions.append(LEGS.unit == unit)
    if after is not None:
        conditions.append(sa.tuple_(LEGS.stream, LEGS.leg) > sa.tuple_(*after))
    rows = (
        await connection.execute(
            sa.select(tables.leg_facts)
            .select_from(tables.leg_facts.join(tables.case_facts, LEGS.stream == CASES.stream))
            .where(*conditions)
            .order_by(LEGS.stream, LEGS.leg)
            .limit(limit + 1)
        )
    ).all()
    page = [LegRow(stream=row.stream, leg=tables.leg_of(row)) for row in rows[:limit]]
    return page, (page[-1].stream, page[-1].leg.leg) if len(rows) > limit else None


async def _legs_of(connection: AsyncConnection, streams: Sequence[UUID]) -> dict[UUID, list[LegFacts]]:
    found: dict[UUID, list[LegFacts]] = defaultdict(list)
    among = LEGS.stream == sa.any_(sa.literal(list(streams), postgresql.ARRAY(sa.Uuid)))
    for row in await connection.execute(sa.select(tables.leg_facts).where(among)):
        found[row.stream].append(tables.leg_of(row))
    return found
