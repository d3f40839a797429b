"""Fill a topic anew from the ledger (`joint republish`): the same events, the same bytes, in order."""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.envelope import binary_headers
from shared.contracts.registry import party_uri
from shared.ledger.decide import envelope_of
from shared.ledger.draft import EventRow, OutboxRow
from shared.ledger.load import database_now
from shared.ledger.outbox import unsent_messages
from shared.ledger.write import write_outbox

_PAGE: Final = 2000
_QUEUED: Final = 50_000
"""How many messages may wait in the outbox before the next page: live traffic shares it."""


async def republish(
    engine: AsyncEngine, *, service: str, aggregate: str, topic: str, progress: Callable[[int], None]
) -> int:
    """Queue every event of an aggregate for `topic`; the relay sends them. Return how many.

    Consumers know what they took before by its sequence (I-6), so that a repeat harms nobody. `progress` hears how
    many events each page had.
    """
    total = 0
    last = (UUID(int=0), 0)
    previous: dict[UUID, bytes] = {}
    while True:
        async with engine.begin() as connection:
            rows = await _page(connection, aggregate, last)
            if not rows:
                return total
            messages = [_message(row, topic, service, previous) for row in rows]
            await write_outbox(connection, messages, await database_now(connection))
        last = (rows[-1].stream, rows[-1].sequence)
        previous = {rows[-1].stream: rows[-1].hash}
        total += len(rows)
        progress(len(rows))
        while await _queued(engine) > _QUEUED:  # noqa: ASYNC110 - another process drains it
            await asyncio.sleep(0.1)


async def _page(connection: AsyncConnection, aggregate: str, last: tuple[UUID, int]) -> list[EventRow]:
    rows = await connection.exec_driver_sql(
        "SELECT * FROM events WHERE (stream, sequence) > ($1::uuid, $2::bigint) AND aggregate = $3 "
        "ORDER BY stream, sequence LIMIT $4",
        (*last, aggregate, _PAGE),
    )
    return [EventRow(**row) for row in rows.mappings()]


def _message(row: EventRow, topic: str, service: str, previous: dict[UUID, bytes]) -> OutboxRow:
    event = envelope_of(row, source=party_uri("services", service), previous=previous.get(row.stream))
    previous[row.stream] = row.hash
    return OutboxRow(topic=topic, key=str(row.stream).encode(), headers=tuple(binary_headers(event)), value=row.data)


async def _queued(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return await unsent_messages(connection)
