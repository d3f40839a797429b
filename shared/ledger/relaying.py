"""The outbox as the relay sees it: a lease that makes one relay active, and rounds of rows that were sent or stay."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.ledger.draft import OutboxRow
from shared.ledger.outbox import delete_sent, lease, outbox_age_seconds, read_outbox, still_held

__all__ = ["AsyncEngine", "LeasedOutbox", "Outbox", "OutboxRow", "Round"]

_LEASE: Final = "relay"


class Round:
    """The rows of one transaction, locked, oldest first."""

    def __init__(self, connection: AsyncConnection, rows: Sequence[OutboxRow]) -> None:
        self._connection = connection
        self.rows = rows

    async def sent(self, ids: Sequence[int]) -> None:
        """Remove the rows that the broker has acknowledged, when the round ends; the others stay."""
        if ids:
            await delete_sent(self._connection, ids)


class LeasedOutbox:
    """The outbox in the hands of the active relay. Every method raises what the database raises: the lease is lost."""

    def __init__(self, engine: AsyncEngine, holder: AsyncConnection) -> None:
        self._engine = engine
        self._holder = holder

    async def age_seconds(self) -> float:
        """Return the age of the oldest row; 0 when the outbox is empty. Proves the lease too."""
        return await outbox_age_seconds(self._holder)

    @asynccontextmanager
    async def round(self, limit: int, without_topics: Sequence[str]) -> AsyncIterator[Round]:
        """Lock the oldest rows of the topics that are not set aside; commit at the end of the block."""
        async with self._engine.begin() as connection:
            rows = await read_outbox(connection, limit, without_topics)
            # After the rows are locked: a successor waits for us from here on.
            await still_held(self._holder)
            yield Round(connection, rows)


class Outbox:
    """A service's outbox."""

    def __init__(self, engine: AsyncEngine, *, service: str) -> None:
        self._engine = engine
        self._lease = f"{service}.{_LEASE}"

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[LeasedOutbox | None]:
        """Hold the lease of the relay while the block runs; None when another process has it."""
        async with lease(self._engine, self._lease) as holder:
            yield None if holder is None else LeasedOutbox(self._engine, holder)
