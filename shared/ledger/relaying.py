"""The outbox as the relay sees it: a lease that makes one relay active, rounds of messages that were sent or stay."""

import itertools
from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.ledger.draft import OutboxRow
from shared.ledger.lots import Lot
from shared.ledger.outbox import delete_lots, keep_rest, lease, outbox_age_seconds, read_lots, still_held

__all__ = ["AsyncEngine", "LeasedOutbox", "Outbox", "OutboxRow", "Round"]

_LEASE: Final = "relay"


class Round:
    """The messages of one transaction, locked, oldest first; each has an id of its own."""

    def __init__(self, connection: AsyncConnection, lots: Sequence[Lot]) -> None:
        self._connection = connection
        self._lots = lots
        self.rows = list(itertools.chain.from_iterable(lot.rows for lot in lots))

    async def sent(self, ids: AbstractSet[int]) -> None:
        """Remove the messages that the broker has acknowledged, when the round ends; the others stay."""
        gone: list[int] = []
        for lot in self._lots:
            rest = [row for row in lot.rows if row.id not in ids]
            if not rest:
                gone.append(lot.id)
            elif len(rest) < len(lot.rows):
                await keep_rest(self._connection, lot.id, rest)
        if gone:
            await delete_lots(self._connection, gone)


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
        """Lock the oldest messages, about `limit`, of topics that are not set aside; commit at the end of the block."""
        async with self._engine.begin() as connection:
            lots = await read_lots(connection, limit, without_topics)
            # After the lots are locked: a successor waits for us from here on.
            await still_held(self._holder)
            yield Round(connection, lots)


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
