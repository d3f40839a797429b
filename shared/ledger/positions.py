"""Has this service reached a position? For reads with `after=` (design section 2)."""

from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

Reached = Literal["reached", "behind", "waiting", "held"]
"""`behind`: it has not come here yet. `waiting`: it is here, and what must come before it is not; that goes on by
itself. `held`: a dead letter is in the way, which an operator has to deal with."""


async def reached(connection: AsyncConnection, consumer: str, topic: str, stream: UUID, sequence: int) -> Reached:
    """Tell whether `consumer` has taken event `sequence` of `stream`, and if not, why."""
    position = await connection.exec_driver_sql(
        "SELECT sequence FROM positions WHERE consumer = $1 AND topic = $2 AND stream = $3", (consumer, topic, stream)
    )
    if (position.scalar() or 0) >= sequence:
        return "reached"
    held = await connection.exec_driver_sql(
        "SELECT bool_or(reason IS NOT NULL) FROM held "
        "WHERE consumer = $1 AND topic = $2 AND stream = $3 AND sequence <= $4",
        (consumer, topic, stream, sequence),
    )
    dead = held.scalar()
    if dead is None:
        return "behind"
    return "held" if dead else "waiting"


async def written(connection: AsyncConnection, stream: UUID, sequence: int) -> Reached:
    """Tell whether this service itself has written event `sequence` of `stream`."""
    row = await connection.exec_driver_sql(
        "SELECT 1 FROM events WHERE stream = $1 AND sequence = $2", (stream, sequence)
    )
    return "reached" if row.scalar() else "behind"
