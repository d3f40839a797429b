"""What the relay needs of the ledger: the rows to send in order, and the lease that makes one relay active."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.ledger.draft import OutboxRow

_LEASES: Final = 220281
"""The class of our advisory locks; the second number is the lease."""
_HEADERS: Final = msgspec.msgpack.Decoder(tuple[tuple[str, bytes], ...])


async def read_outbox(connection: AsyncConnection, limit: int, without_topics: Sequence[str] = ()) -> list[OutboxRow]:
    """Return the oldest `limit` rows by id, but those of the topics that are set aside; locked.

    The lock makes a successor wait for a relay that lost its lease with a batch in flight, instead of overtaking it.
    """
    rows: Any = await connection.exec_driver_sql(
        "SELECT id, topic, key, headers, value FROM outbox WHERE topic <> ALL($2::text[]) "
        "ORDER BY id LIMIT $1 FOR UPDATE",
        (limit, list(without_topics)),
    )
    return [
        OutboxRow(id=number, topic=topic, key=key, headers=_HEADERS.decode(headers), value=value)
        for number, topic, key, headers, value in rows
    ]


async def delete_sent(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """Remove rows that the broker has acknowledged."""
    await connection.exec_driver_sql("DELETE FROM outbox WHERE id = ANY($1::bigint[])", (sorted(ids),))


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
                await connection.exec_driver_sql("SELECT pg_advisory_unlock($1, hashtext($2))", (_LEASES, name))


async def still_held(connection: AsyncConnection) -> None:
    """Prove that the lease's connection lives.

    Raises:
        sqlalchemy.exc.DBAPIError: when it does not; the lease is lost.
    """
    await connection.exec_driver_sql("SELECT 1")
