"""The outbox as a relay would read it, for tests without one."""

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ledger.draft import OutboxRow
from shared.ledger.outbox import delete_lots, read_lots

_ALL = 1_000_000


async def unsent(connection: AsyncConnection) -> list[OutboxRow]:
    """Return every message that waits, lot by lot."""
    return [row for lot in await read_lots(connection, _ALL) for row in lot.rows]


async def drained(connection: AsyncConnection) -> list[OutboxRow]:
    """Take every message out and return it, lot by lot."""
    lots = await read_lots(connection, _ALL)
    await delete_lots(connection, [lot.id for lot in lots])
    return [row for lot in lots for row in lot.rows]
