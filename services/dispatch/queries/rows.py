"""Cases as they are stored, and what every list of them shares."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from services.dispatch.domain.case import CaseState
from services.dispatch.domain.legs import LegState
from services.dispatch.tables import cases
from shared.deadlines.colours import Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCase:
    """A case as it stands after event `sequence` of its stream."""

    id: UUID
    sequence: int
    changed_at: datetime
    case: CaseState


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLeg:
    """A leg and the case that it belongs to."""

    case: KnownCase
    leg: LegState


async def find_case(connection: AsyncConnection, case_id: UUID) -> KnownCase | None:
    """Return the case, or None."""
    row = (await connection.execute(select_cases().where(cases.c.stream == case_id))).one_or_none()
    return None if row is None else known_case(row)


async def database_now(connection: AsyncConnection) -> datetime:
    """Return the instant of the snapshot: clocks are read by it, and by no other."""
    now: datetime = (await connection.execute(sa.select(sa.func.now()))).scalar_one()
    return now


def select_cases() -> sa.Select[Any]:
    """Select what `known_case` reads."""
    return sa.select(cases.c.stream, cases.c.sequence, cases.c.changed_at, cases.c.state)


def known_case(row: sa.Row[Any]) -> KnownCase:
    """Return the case of a row of `select_cases`."""
    return KnownCase(
        id=row.stream,
        sequence=row.sequence,
        changed_at=row.changed_at,
        case=msgspec.json.decode(row.state, type=CaseState),
    )


def concerns(unit: str) -> sa.ColumnElement[bool]:
    """Select the cases in which the unit has a leg, whatever its state."""
    return cases.c.units.contains([unit])


def colour_is(colour: Colour, clock: ReadOnlyColumnCollection[str, Any]) -> tuple[sa.ColumnElement[bool], ...]:
    """Select the rows of a colour by `due_at` and `warn_at` and the database's now, as `colour_of` says it."""
    now = sa.func.now()
    match colour:
        case "red":
            return (clock.due_at <= now,)
        case "yellow":
            return (clock.due_at > now, clock.warn_at <= now)
        case "green":
            return (clock.due_at > now, clock.warn_at > now)
