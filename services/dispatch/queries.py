"""Every SELECT that the API makes. Lists are read newest first and paged by the last id seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.dispatch.domain.case import CaseState
from services.dispatch.domain.legs import DONE, LEG_STAGES, LegStage, LegState
from services.dispatch.tables import cases, contents, ledger
from shared.contracts.common import Position
from shared.contracts.intake import Content
from shared.contracts.reference import Document, Kind
from shared.contracts.registry import DISPATCH_CASES, DISPATCH_REFERENCE, INTAKE_REPORTS
from shared.ledger.positions import Reached, reached, written
from shared.ledger.reading import reading
from shared.ledger.references import References

EVENTS: Final = "dispatch.events"
REFERENCE: Final = "dispatch.reference"
CONSUMERS: Final = {INTAKE_REPORTS: EVENTS, DISPATCH_REFERENCE: REFERENCE}
"""The consumer group that takes each topic whose positions a read may wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases are wanted; None asks for nothing. `unit` has a leg in the case, whatever its state."""

    state: str | None = None
    unit: str | None = None
    street: str | None = None
    category: str | None = None
    campaign: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCase:
    """A case as it stands after event `sequence` of its stream."""

    id: UUID
    sequence: int
    changed_at: datetime
    case: CaseState


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One event of a case's history; `data` is the JSON that was published."""

    sequence: int
    type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLeg:
    """A leg and the case that it belongs to."""

    case: KnownCase
    leg: LegState


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """Everything that is stored about a case, read in one snapshot."""

    known: KnownCase
    history: Sequence[StoredEvent]
    content: Content | None


class Database:
    """What the API reads; each call is a snapshot of its own."""

    def __init__(self, engine: AsyncEngine, references: References) -> None:
        self._engine = engine
        self._references = references

    async def cases(
        self, wanted: CaseFilter, *, limit: int, before: UUID | None
    ) -> tuple[Sequence[KnownCase], UUID | None]:
        """Return a page of cases (see `find_cases`)."""
        async with reading(self._engine) as connection:
            return await find_cases(connection, wanted, limit=limit, before=before)

    async def legs(
        self, *, unit: str | None, state: LegStage | None, limit: int, before: UUID | None
    ) -> tuple[Sequence[KnownLeg], UUID | None]:
        """Return a page of legs (see `find_legs`)."""
        async with reading(self._engine) as connection:
            return await find_legs(connection, unit=unit, state=state, limit=limit, before=before)

    async def file(self, case_id: UUID) -> CaseFile | None:
        """Return everything about a case, or None."""
        async with reading(self._engine) as plain:
            connection = await plain.execution_options(isolation_level="REPEATABLE READ")
            known = await find_case(connection, case_id)
            if known is None:
                return None
            return CaseFile(
                known=known,
                history=await history(connection, case_id),
                content=await find_content(connection, case_id),
            )

    async def reference(self, kind: Kind, name: str, version: int | None) -> tuple[int, Document] | None:
        """Return that version of a document, or the one in force, with its number."""
        async with reading(self._engine) as connection:
            library = await self._references.refresh(connection)
        if version is None:
            return library.current(kind, name)
        document = library.get(kind, name, version)
        return None if document is None else (version, document)

    async def reached(self, position: Position) -> Reached:
        """Tell whether reads show what happened up to this position; of a topic that is not read here they never do."""
        consumer = CONSUMERS.get(position.topic)
        async with reading(self._engine) as connection:
            if position.topic == DISPATCH_CASES:
                return await written(connection, position.stream, position.sequence)
            if consumer is None:
                return "behind"
            return await reached(connection, consumer, position.topic, position.stream, position.sequence)


async def find_cases(
    connection: AsyncConnection, wanted: CaseFilter, *, limit: int, before: UUID | None = None
) -> tuple[Sequence[KnownCase], UUID | None]:
    """Return at most `limit` cases older than `before`, newest first, and the last one's id if there are more."""
    rows = await connection.execute(_page(limit + 1, before).where(*_conditions(wanted)))
    found = [_known(row) for row in rows]
    page = found[:limit]
    return page, page[-1].id if len(found) > limit else None


async def find_case(connection: AsyncConnection, case_id: UUID) -> KnownCase | None:
    """Return the case, or None."""
    row = (await connection.execute(_select().where(cases.c.stream == case_id))).one_or_none()
    return None if row is None else _known(row)


async def find_legs(
    connection: AsyncConnection,
    *,
    unit: str | None = None,
    state: LegStage | None = None,
    limit: int,
    before: UUID | None = None,
) -> tuple[Sequence[KnownLeg], UUID | None]:
    """Return the legs wanted of at most `limit` cases older than `before`, newest first, and the last case's id.

    Without `state` the legs of which something is expected are meant: a department's tasks. The id is None when no
    older case has such a leg.
    """
    states = [one for one in LEG_STAGES if one not in DONE] if state is None else [state]
    statement = _page(limit + 1, before).where(sa.or_(*(_has_leg(unit=unit, state=one) for one in states)))
    if unit is not None:
        statement = statement.where(_concerns(unit))
    if DONE.isdisjoint(states):
        # A closed case has no such leg (I-11), and the index of open cases is small.
        statement = statement.where(cases.c.closed_at.is_(None))
    found = [_known(row) for row in await connection.execute(statement)]
    page = found[:limit]
    legs = [
        KnownLeg(case=known, leg=leg)
        for known in page
        for leg in known.case.legs
        if leg.state in states and unit in {None, leg.unit}
    ]
    return legs, page[-1].id if len(found) > limit else None


async def history(connection: AsyncConnection, case_id: UUID) -> Sequence[StoredEvent]:
    """Return every event of the case, oldest first."""
    events = ledger.events
    rows = await connection.execute(
        sa.select(events.c.sequence, events.c.type, events.c.data)
        .where(events.c.stream == case_id)
        .order_by(events.c.sequence)
    )
    return [StoredEvent(sequence=row.sequence, type=row.type, data=row.data) for row in rows]


async def find_content(connection: AsyncConnection, case_id: UUID) -> Content | None:
    """Return the copy of what may have to be forgotten; None before it has arrived and once it is forgotten."""
    data = (await connection.execute(sa.select(contents.c.data).where(contents.c.stream == case_id))).scalar()
    return None if data is None else msgspec.json.decode(data, type=Content)


def _page(limit: int, before: UUID | None) -> sa.Select[Any]:
    statement = _select().order_by(cases.c.stream.desc()).limit(limit)
    return statement if before is None else statement.where(cases.c.stream < before)


def _select() -> sa.Select[Any]:
    return sa.select(cases.c.stream, cases.c.sequence, cases.c.changed_at, cases.c.state)


def _conditions(wanted: CaseFilter) -> list[sa.ColumnElement[bool]]:
    exact = {
        cases.c.status: wanted.state,
        cases.c.street: wanted.street,
        cases.c.category: wanted.category,
        cases.c.campaign: wanted.campaign,
        cases.c.source: wanted.source,
    }
    conditions: list[sa.ColumnElement[bool]] = [column == value for column, value in exact.items() if value is not None]
    if wanted.unit is not None:
        conditions.append(_concerns(wanted.unit))
    return conditions


def _concerns(unit: str) -> sa.ColumnElement[bool]:
    return cases.c.units.contains([unit])


def _has_leg(*, unit: str | None, state: str) -> sa.ColumnElement[bool]:
    return cases.c.legs.contains([{"state": state} if unit is None else {"unit": unit, "state": state}])


def _known(row: sa.Row[Any]) -> KnownCase:
    return KnownCase(
        id=row.stream,
        sequence=row.sequence,
        changed_at=row.changed_at,
        case=msgspec.json.decode(row.state, type=CaseState),
    )
