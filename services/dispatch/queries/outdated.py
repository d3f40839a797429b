"""Open cases whose clocks rest on older documents than those in force."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

_OUTDATED: Final = (
    "SELECT stream FROM cases WHERE open AND (calendar_version < $1 OR policy_version < $2) "
    "AND stream <> ALL($3::uuid[]) LIMIT $4"
)


async def outdated_cases(
    connection: AsyncConnection, *, calendar: int, policy: int, without: Sequence[UUID], limit: int
) -> list[UUID]:
    """Return some open cases with clocks of before these versions, none of `without`."""
    found = await connection.exec_driver_sql(_OUTDATED, (calendar, policy, list(without), limit))
    return list(found.scalars())
