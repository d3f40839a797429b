"""The cases and legs behind every figure (I-16), in pages that never move."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics import tables
from services.analytics.domain.facts import CaseFacts, LegFacts, ReportFacts
from services.analytics.queries.conditions import (
    CASES,
    LEGS,
    Counted,
    Filters,
    Kind,
    LegCounted,
    are_reported,
    counted_as,
    is_counted,
    leg_is,
)
from services.analytics.queries.loading import load_cases, load_reports


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One problem behind a figure, and what it counts as at the cut-off."""

    stream: UUID
    counted_as: Kind
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
            sa.select(CASES.stream, counted_as(filters).label("counted_as"))
            .where(*conditions)
            .order_by(CASES.stream)
            .limit(limit + 1)
        )
    ).all()
    streams = [row.stream for row in rows[:limit]]
    reports, known = await load_reports(connection, streams), await load_cases(connection, streams)
    page = [
        CaseRow(stream=row.stream, counted_as=row.counted_as, report=reports[row.stream], case=known.get(row.stream))
        for row in rows[:limit]
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
            sa.select(LEGS.stream, *(LEGS[name] for name in tables.LEG_COLUMNS))
            .select_from(tables.leg_facts.join(tables.case_facts, LEGS.stream == CASES.stream))
            .where(*conditions)
            .order_by(LEGS.stream, LEGS.leg)
            .limit(limit + 1)
        )
    ).all()
    page = [LegRow(stream=row.stream, leg=tables.leg_of(row[1:])) for row in rows[:limit]]
    return page, (page[-1].stream, page[-1].leg.leg) if len(rows) > limit else None
