"""The read model made again from offset 0 beside the live one, and compared with it (I-9).

The second one lives in temporary tables of one session: the same migration makes them, the same projection fills
them, no other right is needed, and a rebuild that is killed leaves nothing behind. The live tables are only read.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import AdaptedConnection
from sqlalchemy.ext.asyncio import AsyncEngine

from services.analytics import queries, tables
from services.analytics.consumers.comparison import REBUILT, Comparison, compare
from services.analytics.consumers.given_up import GivenUp
from services.analytics.consumers.projection import TOPICS
from services.analytics.consumers.subscriptions import counting
from shared.contracts.records import Record
from shared.ledger.consumption import Consumption
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault

Place = tuple[str, int]
ShowProgress = Callable[[int], None]
"""Is told how many records were read so far."""

_PAUSE_SECONDS: Final = 0.2


class Read(Protocol):
    """Yields what the topics hold now, from these offsets on (`shared.messaging.reader.read_all`)."""

    def __call__(self, topics: Sequence[str], *, since: Mapping[Place, int]) -> AsyncIterator[list[Record]]:
        """Yield batches, each partition in its order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildReport:
    """`records` were read from the topics; `comparison` says what was compared with the live read model.

    `given_up` events were given up by operators, and are left out on both sides.
    """

    records: int
    given_up: int
    comparison: Comparison

    @property
    def equal(self) -> bool:
        """Whether everything was compared and nothing differs."""
        return self.comparison.equal


async def rebuild_beside(
    database_url: str, vault: Vault, read: Read, *, progress: ShowProgress, patience_seconds: float
) -> RebuildReport:
    """Make the read model again and compare.

    Args:
        database_url: the live one's, with its own role.
        vault: seals what must be held meanwhile.
        read: gives the records.
        progress: is called after every batch.
        patience_seconds: how long to wait, after the first reading, until both have counted the same events.

    Raises:
        Unavailable: when the database or the broker is away; the live read model is as it was.
    """
    async with _beside(database_url) as (engine, live):
        given_up = GivenUp(engine, live, vault)
        consumption = counting(engine, vault, leave_out=given_up.holds)
        offsets: dict[Place, int] = {}

        async def catch_up(records: int) -> int:
            await given_up.look()
            records = await _catch_up(consumption, read, offsets, progress, records)
            await given_up.give_up(consumption)
            return records

        records = await catch_up(0)
        deadline = asyncio.get_running_loop().time() + patience_seconds
        while True:
            comparison = await _compare(engine, live)
            if not comparison.streams_behind or asyncio.get_running_loop().time() >= deadline:
                return RebuildReport(records=records, given_up=len(given_up), comparison=comparison)
            await asyncio.sleep(_PAUSE_SECONDS)
            records = await catch_up(records)


async def _catch_up(
    consumption: Consumption, read: Read, offsets: dict[Place, int], progress: ShowProgress, records: int
) -> int:
    async for batch in read(TOPICS, since=offsets):
        await consumption.consume(batch)
        for record in batch:
            offsets[record.topic, record.partition] = record.offset + 1
        records += len(batch)
        progress(records)
    return records


async def _compare(engine: AsyncEngine, live: str) -> Comparison:
    async with engine.begin() as connection:
        for table in (tables.case_facts, tables.leg_facts, tables.case_marks, tables.ledger.positions):
            await connection.exec_driver_sql(f"ANALYZE {REBUILT}.{table.name}")
    async with queries.snapshot(engine) as connection:
        return await compare(connection, live)


@asynccontextmanager
async def _beside(database_url: str) -> AsyncIterator[tuple[AsyncEngine, str]]:
    """Give an engine of one session with empty temporary tables, and the name of the live schema."""
    engine = create_ledger_engine(database_url, application="analytics.rebuild", connections=1)
    try:
        async with engine.connect() as connection:
            live = (await connection.exec_driver_sql("SELECT current_schema()")).scalar_one()
        await engine.dispose()
        sa.event.listen(engine.sync_engine, "connect", _see_temporary_tables_alone)
        async with engine.begin() as connection:
            await connection.run_sync(tables.migrate)
        yield engine, live
    finally:
        await engine.dispose()


def _see_temporary_tables_alone(connection: AdaptedConnection, _record: object) -> None:
    """Whatever becomes of the session, its successor can never take the live tables for its own."""
    connection.run_async(lambda driver: driver.execute(f"SET search_path TO {REBUILT}"))
