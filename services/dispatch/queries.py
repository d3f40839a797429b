"""Every SELECT that the API makes. Lists are read newest first and paged by the last id seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.dispatch.domain.case import CaseState
from services.dispatch.domain.legs import DONE, LEG_STAGES, LegStage, LegState
from services.dispatch.tables import cases, contents, ledger
from shared.contracts.intake import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases are wanted; None asks for nothing. `unit` has a leg in the case, whatever its state."""

    state: str | None = None
    unit: str | None = None
    street: str | None = None
    category: str | None = None
    campaign: str | None = None


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
    }
    conditions: list[sa.ColumnElement[bool]] = [column == value for column, value in exact.items() if value is not None]
    if wanted.unit is not None:
        conditions.append(_has_leg(unit=wanted.unit))
    return conditions


def _has_leg(*, unit: str | None = None, state: str | None = None) -> sa.ColumnElement[bool]:
    leg = {name: value for name, value in (("unit", unit), ("state", state)) if value is not None}
    return cases.c.legs.contains([leg])


def _known(row: sa.Row[Any]) -> KnownCase:
    return KnownCase(
        id=row.stream,
        sequence=row.sequence,
        changed_at=row.changed_at,
        case=msgspec.json.decode(row.state, type=CaseState),
    )
