"""Fill dispatch's tables with cases and their whole histories, quickly and in a way that can be repeated.

The cases are spread evenly over the year before last week. Indexes are built when the rows are there; then the tables
are vacuumed and analysed, as they are in a city that has grown for a year.
"""

import asyncio
import itertools
import multiprocessing
import random
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from tests.bench.histories import stories
from tests.bench.histories_copy import COPIES, HEADER, TABLES, TRAILER, Multiplier

YEAR: Final = timedelta(days=365)
_SETTLED: Final = timedelta(days=8)
"""Before now: until then the last history has ended."""
_LOADERS: Final = 2
_LOT: Final = 2_000
_SEED: Final = 20261124

_NOT_FOR_INSERTS: Final = "autovacuum_vacuum_insert_threshold=-1"

_INDEXES: Final = """
    SELECT i.indexname AS name, i.tablename AS table_name, i.indexdef AS definition, c.conname AS constraint_name,
      pg_get_constraintdef(c.oid) AS constraint_definition
    FROM pg_indexes i
    LEFT JOIN pg_constraint c ON c.conindid = format('%I.%I', i.schemaname, i.indexname)::regclass
    WHERE i.schemaname = current_schema() AND i.tablename = ANY($1::text[])
"""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A case that was loaded: its id, 16 bytes, and the number of its story."""

    case: bytes
    story: int


async def load(database: str, count: int) -> list[Stored]:
    """Load so many cases; return them oldest first. The tables may hold others already.

    `database` is the service's own plain URL.
    """
    connection = await asyncpg.connect(database)
    try:
        indexes = await connection.fetch(_INDEXES, list(TABLES))
        await _drop(connection, indexes)
        stored = await _fill(database, count)
        await _build(connection, indexes)
        for table in TABLES:
            await _settle(connection, table)
    finally:
        await connection.close()
    return stored


async def _drop(connection: asyncpg.Connection, indexes: Sequence[asyncpg.Record]) -> None:
    for index in indexes:
        if index["constraint_name"]:
            await connection.execute(f"ALTER TABLE {index['table_name']} DROP CONSTRAINT {index['constraint_name']}")
        else:
            await connection.execute(f"DROP INDEX {index['name']}")


async def _build(connection: asyncpg.Connection, indexes: Sequence[asyncpg.Record]) -> None:
    await connection.execute("SET maintenance_work_mem = '1GB'")
    for index in indexes:
        if index["constraint_name"]:
            await connection.execute(
                f"ALTER TABLE {index['table_name']} ADD CONSTRAINT {index['constraint_name']} "
                f"{index['constraint_definition']}"
            )
        else:
            await connection.execute(index["definition"])


async def _settle(connection: asyncpg.Connection, table: str) -> None:
    """Do what autovacuum would have done to the table in a year."""
    options = await connection.fetchval("SELECT reloptions FROM pg_class WHERE oid = $1::regclass", table)
    vacuumed = _NOT_FOR_INSERTS not in (options or ())
    await connection.execute(f"VACUUM (FREEZE, ANALYZE) {table}" if vacuumed else f"ANALYZE {table}")


async def _fill(database: str, count: int) -> list[Stored]:
    until = datetime.now(UTC) - _SETTLED
    bounds = [count * number // _LOADERS for number in range(_LOADERS + 1)]
    context = multiprocessing.get_context("spawn")
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(_LOADERS, mp_context=context) as pool:
        parts = await asyncio.gather(
            *(
                loop.run_in_executor(pool, _load_part, database, range(first, last), count, until)
                for first, last in itertools.pairwise(bounds)
            )
        )
    identities = b"".join(part for part, _ in parts)
    number_of_stories = parts[0][1]
    return [
        Stored(case=identities[16 * number : 16 * number + 16], story=number % number_of_stories)
        for number in range(count)
    ]


def _load_part(database: str, numbers: range, count: int, until: datetime) -> tuple[bytes, int]:
    return asyncio.run(_copy(database, numbers, count, until))


async def _copy(database: str, numbers: range, count: int, until: datetime) -> tuple[bytes, int]:
    """Load the cases with these numbers; return their ids and how many stories they were made of."""
    multipliers = [Multiplier(story) for story in stories()]
    chance = random.Random(_SEED + numbers.start)
    identities: list[bytes] = []
    connection = await asyncpg.connect(database)
    try:
        for first in range(numbers.start, numbers.stop, _LOT):
            rows = [[HEADER] for _ in COPIES]
            for number in range(first, min(first + _LOT, numbers.stop)):
                began = until - YEAR + YEAR * number / count
                made = multipliers[number % len(multipliers)].case(began, chance)
                identities.append(made.case.bytes)
                for copy, more in zip(rows, made.copies, strict=True):
                    copy.append(more)
            for table, copy in zip(COPIES, rows, strict=True):
                source = _chunks([*copy, TRAILER])
                await connection.copy_to_table(table, source=source, columns=TABLES[table], format="binary")
    finally:
        await connection.close()
    return b"".join(identities), len(multipliers)


async def _chunks(parts: Sequence[bytes]) -> AsyncIterator[bytes]:
    for first in range(0, len(parts), 100):
        yield b"".join(parts[first : first + 100])
