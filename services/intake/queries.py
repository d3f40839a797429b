"""Every SELECT of this service. Lists are read newest first and paged by the last id seen."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.intake.domain.contents import PrivateContent, read_content
from services.intake.domain.report import Report, Status
from services.intake.domain.telling import CaseAsTold
from services.intake.tables import ledger, reports
from shared.contracts.common import Position
from shared.contracts.library import ReferenceLibrary
from shared.contracts.registry import DISPATCH_CASES, DISPATCH_REFERENCE
from shared.ledger.load import database_now
from shared.ledger.positions import Reached, reached, written
from shared.ledger.reading import reading
from shared.ledger.references import References
from shared.ledger.vault import Vault

CASES_CONSUMER: Final = "intake.cases"
REFERENCE_CONSUMER: Final = "intake.reference"
CONSUMERS: Final = {DISPATCH_CASES: CASES_CONSUMER, DISPATCH_REFERENCE: REFERENCE_CONSUMER}
"""The consumer group that takes each topic whose positions a read may wait for."""
_OUTDATED: Final = (
    "SELECT stream FROM reports WHERE calendar_version IS NOT NULL AND (calendar_version < $1 OR policy_version < $2) "
    "AND stream <> ALL($3::uuid[]) LIMIT $4"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFilter:
    """Which reports are wanted; None asks for nothing."""

    state: Status | None = None
    source: str | None = None
    street: str | None = None
    category: str | None = None
    campaign: str | None = None
    verify_unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownReport:
    """A report as it stands.

    `followed` is what is known of the case that its reporter follows instead of its own, `master` of the report as
    which it goes on since it was merged.
    """

    id: UUID
    changed_at: datetime
    report: Report
    followed: CaseAsTold | None = None
    master: "KnownReport | None" = None


class ReportQueries:
    """Reads of intake's own database; the vault opens what is kept private, the documents explain clocks."""

    def __init__(self, engine: AsyncEngine, vault: Vault, references: References, city: str) -> None:
        self._engine = engine
        self._vault = vault
        self._references = references
        self.city = city

    async def find(self, report_id: UUID) -> KnownReport | None:
        """Return the report, or None."""
        async with reading(self._engine) as connection:
            found = await _read(connection, _select().where(reports.c.stream == report_id))
        return found[0] if found else None

    async def exists(self, report_id: UUID) -> bool:
        """Return whether there is such a report."""
        async with reading(self._engine) as connection:
            found = await connection.execute(sa.select(reports.c.stream).where(reports.c.stream == report_id))
        return found.scalar() is not None

    async def page(
        self, wanted: ReportFilter, *, limit: int, before: UUID | None = None
    ) -> tuple[Sequence[KnownReport], UUID | None]:
        """Return at most `limit` reports older than `before`, newest first, and the last one's id if there are more."""
        statement = _select().where(*_conditions(wanted)).order_by(reports.c.stream.desc()).limit(limit + 1)
        if before is not None:
            statement = statement.where(reports.c.stream < before)
        async with reading(self._engine) as connection:
            found = await _read(connection, statement)
        page = found[:limit]
        return page, page[-1].id if len(found) > limit else None

    async def content(self, report_id: UUID) -> PrivateContent | None:
        """Return what is kept private of the report; None once it is forgotten."""
        statement = sa.select(ledger.private.c.sealed).where(ledger.private.c.stream == report_id)
        async with reading(self._engine) as connection:
            sealed = (await connection.execute(statement)).scalar()
        return None if sealed is None else read_content(self._vault.open(sealed))

    async def as_of(self) -> tuple[datetime, ReferenceLibrary]:
        """Return the database's clock, and the reference documents that have arrived."""
        async with reading(self._engine) as connection:
            return await database_now(connection), await self._references.refresh(connection)

    async def reached(self, position: Position) -> Reached:
        """Tell whether this service has got to a position of a topic that it writes or copies (`after=`)."""
        async with reading(self._engine) as connection:
            consumer = CONSUMERS.get(position.topic)
            if consumer is None:
                return await written(connection, position.stream, position.sequence)
            return await reached(connection, consumer, position.topic, position.stream, position.sequence)


async def outdated_reports(
    connection: AsyncConnection, *, calendar: int, policy: int, without: Sequence[UUID], limit: int
) -> list[UUID]:
    """Return some waiting reports with a clock of before these versions, none of `without`."""
    found = await connection.exec_driver_sql(_OUTDATED, (calendar, policy, list(without), limit))
    return list(found.scalars())


def _select() -> sa.Select[Any]:
    return sa.select(reports.c.stream, reports.c.changed_at, reports.c.state)


def _conditions(wanted: ReportFilter) -> list[sa.ColumnElement[bool]]:
    exact = {
        reports.c.status: wanted.state,
        reports.c.source: wanted.source,
        reports.c.street: wanted.street,
        reports.c.category: wanted.category,
        reports.c.campaign: wanted.campaign,
        reports.c.verify_unit: wanted.verify_unit,
    }
    return [column == value for column, value in exact.items() if value is not None]


async def _read(connection: AsyncConnection, statement: sa.Select[Any]) -> list[KnownReport]:
    """Return the reports, each with what is known of the case or report as which it goes on."""
    rows = [(row, _state(row)) for row in await connection.execute(statement)]
    cases = {report.told.follows for _, report in rows if report.told is not None} - {None}
    told = await _told(connection, cases) if cases else {}
    masters = await _masters(connection, {report.master for _, report in rows} - {None})
    return [
        KnownReport(
            id=row.stream,
            changed_at=row.changed_at,
            report=report,
            followed=told.get(report.told.follows) if report.told is not None else None,
            master=masters.get(report.master),
        )
        for row, report in rows
    ]


async def _masters(connection: AsyncConnection, masters: Collection[UUID | None]) -> dict[UUID | None, KnownReport]:
    """Return these reports; none of them has a master of its own (no chains)."""
    if not masters:
        return {}
    return {known.id: known for known in await _read(connection, _select().where(reports.c.stream.in_(masters)))}


async def _told(connection: AsyncConnection, masters: Collection[UUID | None]) -> dict[UUID | None, CaseAsTold]:
    rows = await connection.execute(_select().where(reports.c.stream.in_(masters)))
    return {row.stream: _state(row).told or CaseAsTold(state="open") for row in rows}


def _state(row: sa.Row[Any]) -> Report:
    return msgspec.json.decode(row.state, type=Report)
