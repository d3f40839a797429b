"""The shipped dispatch worker on tables of any size: new cases alone, or half of it acts on cases drawn from a store.

One server holds several copies of dispatch's schema; the one that is measured bears the service's name.
"""

import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import asyncpg

from deploy.embedded.credentials import load_credentials
from deploy.embedded.databases import prepare_roles
from deploy.embedded.processes import Child
from services.dispatch.app import ACTIONS, SERVICE
from services.dispatch.seed import department_codes
from shared.contracts.registry import (
    ACTIONS_PREFIX,
    DISPATCH_CASES,
    DISPATCH_RECEIPTS_PREFIX,
    PARTITIONS,
)
from shared.ledger.relaying import OutboxRow
from tests.bench.counting import Counter, Topics
from tests.bench.feeding import LEAD, acts, feedback, problems, reports
from tests.bench.histories import stories
from tests.bench.million_load import Stored, load
from tests.bench.sides import Lot, StageRun, our_worker, run_lot
from tests.bench.system import BenchSystem

_ACTIONS: Final[Topics] = {f"{ACTIONS_PREFIX}{code}": 1 for code in department_codes()}
_RECEIPTS: Final[Topics] = {f"{DISPATCH_RECEIPTS_PREFIX}{code}": 1 for code in department_codes()}
_CASES: Final[Topics] = {DISPATCH_CASES: PARTITIONS}
_FLUSHED_SECONDS: Final = 1.5
"""A session of PostgreSQL tells its counts at most once a second."""

_COUNTS: Final = """
    SELECT w.wal_records, w.wal_fpi AS page_images, w.wal_bytes::float8 AS wal_bytes, d.blks_hit AS hits,
      d.blks_read AS reads, d.temp_bytes, c.num_timed + c.num_requested AS checkpoints, c.buffers_written AS written
    FROM pg_stat_wal w, pg_stat_checkpointer c, pg_stat_database d WHERE d.datname = current_database()
"""


@dataclass(frozen=True, kw_only=True)
class StoreRun:
    """What the worker did, and what PostgreSQL counted meanwhile."""

    stage: StageRun
    counts: Mapping[str, float]

    def an_event(self, name: str) -> float:
        """One of the counts by the number of events."""
        return self.counts[name] / self.stage.events


class Drawer:
    """Draws cases uniformly and without putting any back: an act on each is valid, whatever was done before."""

    def __init__(self, stored: Sequence[Stored], seed: int = 1) -> None:
        self._stored = stored
        self._problems = [story.problem for story in stories()]
        self._order = random.Random(seed).sample(range(len(stored)), len(stored))

    def acts(self, count: int) -> "Acts":
        """Return one feedback a case of its last leg; the lead's only where it is the only one."""
        taken = [self._stored[self._order.pop()] for _ in range(count)]
        problems = [replace(self._problems[stored.story], id=UUID(bytes=stored.case)) for stored in taken]
        return Acts(
            rows=[feedback(problem, LEAD - 1 + len(problem.units), problem.units[-1]) for problem in problems],
            checks=sum(len(problem.units) == 1 for problem in problems),
        )


@dataclass(frozen=True, kw_only=True)
class Acts:
    """Feedbacks on cases, and how many of them were the last of their case: each of those lets a check be assigned."""

    rows: Sequence[OutboxRow] = ()
    checks: int = 0


@dataclass(kw_only=True)
class Ground:
    """Servers with several copies of dispatch's schema, of which one is in use."""

    system: BenchSystem
    counter: Counter

    @property
    def database(self) -> str:
        """The service's own plain URL."""
        return self.system.database_url(SERVICE).replace("+asyncpg", "")

    async def renew(self) -> None:
        """Put a schema into use that has just been migrated, unless one is in use already."""
        passwords = load_credentials(self.system.home).database
        prepare_roles(self.system.owner_url, {SERVICE: passwords[SERVICE]})
        self.system.run_to_end(self.system.programs().migration(SERVICE))
        await self._tell(_UNSEALED.format(schema=SERVICE))

    async def park(self, name: str) -> None:
        """Put the schema in use aside."""
        await self._tell(f"ALTER SCHEMA {SERVICE} RENAME TO {name}")

    async def take(self, name: str) -> None:
        """Put a schema that was put aside into use."""
        await self._tell(f"ALTER SCHEMA {name} RENAME TO {SERVICE}")

    async def drop(self) -> None:
        """Delete the schema in use."""
        await self._tell(f"DROP SCHEMA {SERVICE} CASCADE")

    async def fill(self, count: int) -> list[Stored]:
        """Load cases; nothing of it is safe before the end, which makes it quick."""
        await self._tell("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET max_wal_size = '6GB'", _RELOAD)
        try:
            return await load(self.database, count)
        finally:
            await self._tell("ALTER SYSTEM RESET fsync", "ALTER SYSTEM RESET max_wal_size", _RELOAD, "CHECKPOINT")

    async def _tell(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.system.owner_url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def counts(self) -> Mapping[str, float]:
        """Return what PostgreSQL has counted so far."""
        time.sleep(_FLUSHED_SECONDS)
        connection = await asyncpg.connect(self.system.owner_url)
        try:
            row = await connection.fetchrow(_COUNTS)
        finally:
            await connection.close()
        return {name: float(value) for name, value in row.items()}

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Child]:
        """Run the worker on the schema in use while the block runs."""
        async with our_worker(self.system, self.counter) as worker:
            yield worker

    async def measure(self, worker: Child, lots: Sequence[Lot]) -> StoreRun:
        """Let the worker do the lots one after the other, from a checkpoint on."""
        await self._tell("CHECKPOINT")
        before = await self.counts()
        run = await run_lot(self.system, self.counter, worker, lots[0])
        for lot in lots[1:]:
            run += await run_lot(self.system, self.counter, worker, lot)
        after = await self.counts()
        return StoreRun(stage=run, counts={name: after[name] - before[name] for name in after})


_RELOAD: Final = "SELECT pg_reload_conf()"
_UNSEALED: Final = "INSERT INTO {schema}.seals (cut, streams, events, root) VALUES (now() + interval '1 day', 0, 0, '')"
"""No seal falls into a run: what the hourly one costs is told apart."""


def lots(cases: int, drawer: Drawer | None = None) -> list[Lot]:
    """Return a run's input: new cases with all of their acts, and with a drawer as many acts on stored cases.

    The acts on stored cases go with the new ones in each lot, in turn.
    """
    new = problems(cases)
    legs = sum(len(problem.units) for problem in new)
    found = [_opening(reports(new), cases, legs, drawer)]
    before, last = acts(new)
    return [*found, _acting(before, 0, drawer), _acting(last, len(last), drawer)]


def _opening(rows: list[OutboxRow], cases: int, legs: int, drawer: Drawer | None) -> Lot:
    more = drawer.acts(cases) if drawer else Acts()
    count = len(more.rows)
    return Lot(
        rows=[*rows, *more.rows],
        events=cases + count,
        group=ACTIONS,
        taken_from=_ACTIONS,
        # Opened and dispatched, and a task for each leg; an event for each act, its receipt and the news of the task.
        published=((_CASES, 2 * cases + count + more.checks), (_RECEIPTS, legs + 2 * count)),
    )


def _acting(rows: list[OutboxRow], checks: int, drawer: Drawer | None) -> Lot:
    more = drawer.acts(len(rows)) if drawer else Acts()
    mixed = _mixed(rows, more.rows) if drawer else rows
    return Lot(
        rows=mixed,
        events=len(mixed),
        group=ACTIONS,
        taken_from=_ACTIONS,
        published=((_CASES, len(mixed) + checks + more.checks), (_RECEIPTS, 2 * len(mixed))),
    )


def _mixed(first: Sequence[OutboxRow], second: Sequence[OutboxRow]) -> list[OutboxRow]:
    """Return both in turn; the order within each stays, which is that of the acts on one case."""
    return [row for pair in zip(first, second, strict=True) for row in pair]
