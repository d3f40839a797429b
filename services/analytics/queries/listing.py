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
    is_counted,
    leg_is,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One problem behind a figure."""

    stream: UUID
    report: ReportFacts
    case: CaseFacts | None


async def cases(
    connection: AsyncConnection, counted: Counted, filters: Filters, *, after: UUID | None, limit: int
) -> list[CaseRow]:
    """Return at most `limit` problems behind a figure in the order of their ids, which is that of their creation.

    `after` is the last id of the page before: a page never moves, whatever is reported meanwhile.
    """
    conditions = [*are_reported(filters), is_counted(counted, filters)]
    if after is not None:
        conditions.append(CASES.stream > after)
    rows = (
        await connection.execute(sa.select(tables.case_facts).where(*conditions).order_by(CASES.stream).limit(limit))
    ).all()
    legs = await _legs_of(connection, [row.stream for row in rows])
    return [
        CaseRow(stream=row.stream, report=report, case=tables.case_of(row, legs[row.stream]))
        for row in rows
        if (report := tables.report_of(row)) is not None
    ]


async def legs(
    connection: AsyncConnection,
    unit: str,
    counted: LegCounted,
    filters: Filters,
    *,
    after: tuple[UUID, int] | None,
    limit: int,
) -> list[tuple[UUID, LegFacts]]:
    """Return the legs behind a unit's figure with the ids of their cases, in the order of (id, leg)."""
    conditions = [*are_reported(filters), leg_is("assigned", filters), leg_is(counted, filters), LEGS.unit == unit]
    if after is not None:
        conditions.append(sa.tuple_(LEGS.stream, LEGS.leg) > sa.tuple_(*after))
    rows = await connection.execute(
        sa.select(tables.leg_facts)
        .select_from(tables.leg_facts.join(tables.case_facts, LEGS.stream == CASES.stream))
        .where(*conditions)
        .order_by(LEGS.stream, LEGS.leg)
        .limit(limit)
    )
    return [(row.stream, tables.leg_of(row)) for row in rows]


async def _legs_of(connection: AsyncConnection, streams: Sequence[UUID]) -> dict[UUID, list[LegFacts]]:
    found: dict[UUID, list[LegFacts]] = defaultdict(list)
    among = LEGS.stream == sa.any_(sa.literal(list(streams), postgresql.ARRAY(sa.Uuid)))
    for row in await connection.execute(sa.select(tables.leg_facts).where(among)):
        found[row.stream].append(tables.leg_of(row))
    return found
