"""Reads beside the write path: what the database does not answer is our fault there too (I-8)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.kernel.errors import Unavailable
from shared.ledger.failures import verdict_of


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Give a connection for SELECTs.

    Raises:
        Unavailable: when the database is away, full or shutting down.
    """
    try:
        async with engine.connect() as connection:
            yield connection
    except Exception as error:
        if verdict_of(error) == "halt":
            raise Unavailable(f"The database does not answer: {error}") from error
        raise
