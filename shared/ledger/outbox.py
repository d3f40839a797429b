"""What the relay needs of the ledger: the lots to send in order, and the lease that makes one relay active."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.ledger.draft import OutboxRow
from shared.ledger.lots import Lot, pack, unpack

_LEASES: Final = 220281
"""The class of our advisory locks; the second number is the lease."""
_LOTS_LOOKED_AT: Final = 2000
_OLDEST: Final = """
    SELECT id, topic, packed FROM outbox WHERE id = ANY(ARRAY(
        SELECT id FROM (
            SELECT id, sum(messages) OVER (ORDER BY id) - messages AS before
            FROM (SELECT id, messages FROM outbox WHERE topic <> ALL($2::text[]) ORDER BY id LIMIT $3) AS first
        ) AS counted WHERE before < $1
    )) ORDER BY id FOR UPDATE
"""


async def read_lots(connection: AsyncConnection, limit: int, without_topics: Sequence[str] = ()) -> list[Lot]:
    """Return the oldest lots by id, up to the one that reaches `limit` messages; not those of topics set aside; locked.

    Their messages are numbered through, from 0.

    The lock makes a successor wait for a relay that lost its lease with a batch in flight, instead of overtaking it.
    """
    rows: Any = await connection.exec_driver_sql(_OLDEST, (limit, list(without_topics), _LOTS_LOOKED_AT))
    lots: list[Lot] = []
    first = 0
    for number, topic, packed in rows:
        lots.append(unpack(number, topic, packed, first))
        first += len(lots[-1].rows)
    return lots


async def delete_lots(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """Remove lots that the broker has acknowledged."""
    await connection.exec_driver_sql("DELETE FROM outbox WHERE id = ANY($1::bigint[])", (sorted(ids),))


async def keep_rest(connection: AsyncConnection, lot: int, rest: Sequence[OutboxRow]) -> None:
    """Keep of a lot what the broker has not acknowledged."""
    await connection.exec_driver_sql(
        "UPDATE outbox SET messages = $2, packed = $3 WHERE id = $1", (lot, len(rest), pack(rest))
    )


async def unsent_messages(connection: AsyncConnection, topic: str | None = None) -> int:
    """Return how many messages wait to be sent, to one topic or to all."""
    counted = await connection.exec_driver_sql(
        "SELECT coalesce(sum(messages), 0)::bigint FROM outbox WHERE $1::text IS NULL OR topic = $1", (topic,)
    )
    return int(counted.scalar_one())


async def outbox_age_seconds(connection: AsyncConnection) -> float:
    """Return the age of the oldest unsent message in seconds; 0 when nothing waits."""
    age = await connection.exec_driver_sql(
        "SELECT extract(epoch FROM clock_timestamp() - written_at)::float8 FROM outbox ORDER BY id LIMIT 1"
    )
    return float(age.scalar() or 0.0)


@asynccontextmanager
async def lease(engine: AsyncEngine, name: str) -> AsyncIterator[AsyncConnection | None]:
    """Try to hold a lease while the block runs: an advisory lock on a connection of its own.

    Yields the connection that holds it, or None when somebody else does. The lease is lost with the connection:
    check with `still_held` before each act that needs it.
    """
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        taken = await connection.exec_driver_sql("SELECT pg_try_advisory_lock($1, hashtext($2))", (_LEASES, name))
        if not taken.scalar_one():
            yield None
            return
        try:
            yield connection
        finally:
            if not connection.closed and not connection.invalidated:
                await _give_up(connection, name)


async def _give_up(connection: AsyncConnection, name: str) -> None:
    """Unlock; where that fails the lock goes with the connection. Raises nothing: what ended the block is told."""
    try:
        await connection.exec_driver_sql("SELECT pg_advisory_unlock($1, hashtext($2))", (_LEASES, name))
    except (SQLAlchemyError, OSError):
        await connection.invalidate()


async def still_held(connection: AsyncConnection) -> None:
    """Prove that the lease's connection lives.

    Raises:
        sqlalchemy.exc.DBAPIError: when it does not; the lease is lost.
    """
    await connection.exec_driver_sql("SELECT 1")
