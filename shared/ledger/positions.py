"""Has this service reached a position? For reads with `after=` (design section 2)."""

from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

Reached = Literal["reached", "behind", "held"]


async def reached(connection: AsyncConnection, consumer: str, topic: str, stream: UUID, sequence: int) -> Reached:
    """Tell whether `consumer` has taken event `sequence` of `stream`; `held` when a held message is in the way."""
    position = await connection.exec_driver_sql(
        "SELECT sequence FROM positions WHERE consumer = $1 AND topic = $2 AND stream = $3", (consumer, topic, stream)
    )
    if (position.scalar() or 0) >= sequence:
        return "reached"
    held = await connection.exec_driver_sql(
        "SELECT 1 FROM held WHERE consumer = $1 AND topic = $2 AND stream = $3 LIMIT 1", (consumer, topic, stream)
    )
    return "held" if held.scalar() else "behind"


async def written(connection: AsyncConnection, stream: UUID, sequence: int) -> Reached:
    """Tell whether this service itself has written event `sequence` of `stream`."""
    row = await connection.exec_driver_sql(
        "SELECT 1 FROM events WHERE stream = $1 AND sequence = $2", (stream, sequence)
    )
    return "reached" if row.scalar() else "behind"
