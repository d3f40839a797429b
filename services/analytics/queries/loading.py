"""What is known of some streams, whole: for the fold that goes on from there, and for the rows of a list."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics import tables
from services.analytics.domain.facts import CaseFacts, LegFacts, ReportFacts
from services.analytics.domain.marks import Mark


def _select(table: sa.Table, names: Sequence[str]) -> str:
    key = ", ".join(column.name for column in table.primary_key)
    listed = ", ".join(names)
    return f"SELECT stream, {listed} FROM {table.name} WHERE stream = ANY($1::uuid[]) ORDER BY {key}"  # noqa: S608 - ours


_REPORTS: Final = _select(tables.case_facts, tables.REPORT_COLUMNS)
_CASES: Final = _select(tables.case_facts, tables.CASE_COLUMNS)
_LEGS: Final = _select(tables.leg_facts, tables.LEG_COLUMNS)
_MARKS: Final = _select(tables.case_marks, tables.MARK_COLUMNS)
_MARK_COUNT: Final = tables.CASE_COLUMNS.index("marks")


async def load_reports(connection: AsyncConnection, streams: Sequence[UUID]) -> dict[UUID, ReportFacts]:
    """Return what is known of these reports, those of which intake has spoken."""
    rows = await _load(connection, _REPORTS, streams)
    return {stream: facts for stream, values in rows if (facts := tables.report_of(values)) is not None}


async def load_cases(connection: AsyncConnection, streams: Sequence[UUID]) -> dict[UUID, CaseFacts]:
    """Return what is known of these cases, those of which dispatch has spoken."""
    rows = await _load(connection, _CASES, streams)
    legs: dict[UUID, list[LegFacts]] = defaultdict(list)
    for stream, values in await _load(connection, _LEGS, streams):
        legs[stream].append(tables.leg_of(values))
    marks: dict[UUID, list[Mark]] = defaultdict(list)
    for stream, values in await _load(connection, _MARKS, [stream for stream, own in rows if own[_MARK_COUNT]]):
        marks[stream].append(tables.mark_of(values))
    return {
        stream: facts
        for stream, values in rows
        if (facts := tables.case_of(values, legs.get(stream, ()), marks.get(stream, ()))) is not None
    }


async def _load(connection: AsyncConnection, select: str, streams: Sequence[UUID]) -> list[tuple[UUID, Sequence[Any]]]:
    if not streams:
        return []
    return [(row[0], row[1:]) for row in await connection.exec_driver_sql(select, (list(streams),))]
