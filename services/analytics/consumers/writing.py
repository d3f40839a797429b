"""What changed of reports and cases, written a statement a table, rows in the order of their keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics import tables
from services.analytics.domain.facts import CaseFacts, ReportFacts

_DIALECT: Final[sa.Dialect] = postgresql.dialect()  # type: ignore[no-untyped-call]
_FORGET_LEGS: Final = (
    "DELETE FROM leg_facts l USING unnest($1::uuid[], $2::integer[]) AS gone(stream, leg) "
    "WHERE l.stream = gone.stream AND l.leg = gone.leg"
)


def _upsert(table: sa.Table, names: Sequence[str]) -> str:
    """Return the statement that inserts rows in their order, or sets these columns, and no others, of those there."""
    columns = ("stream", *names)
    key = [column.name for column in table.primary_key]
    types = (table.c[name].type.compile(dialect=_DIALECT) for name in columns)
    arrays = ", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(types, start=1))
    changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns if name not in key)
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM unnest({arrays}) "  # noqa: S608 - our own names
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
    )


_REPORTS: Final = _upsert(tables.case_facts, tables.REPORT_COLUMNS)
_CASES: Final = _upsert(tables.case_facts, tables.CASE_COLUMNS)
_LEGS: Final = _upsert(tables.leg_facts, tables.LEG_COLUMNS)
_MARKS: Final = _upsert(tables.case_marks, tables.MARK_COLUMNS)


async def write_reports(connection: AsyncConnection, reports: Mapping[UUID, ReportFacts]) -> None:
    """Write what is known of these reports now."""
    rows = [(stream, *tables.report_values(reports[stream])) for stream in sorted(reports)]
    await _write(connection, _REPORTS, rows)


@dataclass(slots=True)
class CaseChanges:
    """What changed of some cases, noted in the order of their streams."""

    _cases: list[Sequence[object]] = field(default_factory=list)
    _legs: list[Sequence[object]] = field(default_factory=list)
    _marks: list[Sequence[object]] = field(default_factory=list)
    _gone: list[tuple[UUID, int]] = field(default_factory=list)

    def note(self, stream: UUID, before: CaseFacts | None, after: CaseFacts) -> None:
        """Note how a case stood, None where it was not there, and how it stands."""
        own = tables.case_values(after)
        if before is None or own != tables.case_values(before):
            self._cases.append((stream, *own))
        legs = before.legs if before else {}
        changed = [leg for _, leg in sorted(after.legs.items()) if leg != legs.get(leg.leg)]
        self._legs += [(stream, *tables.leg_values(leg)) for leg in changed]
        self._gone += [(stream, number) for number in sorted(legs.keys() - after.legs.keys())]
        marks = before.marks if before else ()
        if after.marks is not marks:
            known = set(marks)
            self._marks += [(stream, *tables.mark_values(mark)) for mark in after.marks if mark not in known]

    async def write(self, connection: AsyncConnection) -> None:
        """Write it."""
        await _write(connection, _CASES, self._cases)
        await _write(connection, _LEGS, self._legs)
        await _write(connection, _FORGET_LEGS, self._gone)
        await _write(connection, _MARKS, self._marks)


async def _write(connection: AsyncConnection, statement: str, rows: Sequence[Sequence[object]]) -> None:
    """Run the statement on the rows, given as one array a column."""
    if rows:
        await connection.exec_driver_sql(statement, tuple(list(column) for column in zip(*rows, strict=True)))
