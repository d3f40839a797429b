"""The two sides of the stage comparison, each a worker process measured from outside in the same way.

A run: the process starts and takes a small lot, which shows that it is ready. It is stopped (SIGSTOP), its input is
put on the topics, the meter begins, it goes on (SIGCONT). The run ends when everything that it must publish is on its
topics and everything that it was given is acknowledged. So neither start-up nor the making of the input is measured.
"""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg

from deploy.embedded.processes import Child, Program
from services.dispatch.app import ACTIONS
from services.dispatch.queries import EVENTS
from services.dispatch.seed import department_codes
from shared.contracts.registry import (
    ACTIONS_PREFIX,
    DISPATCH_CASES,
    DISPATCH_RECEIPTS_PREFIX,
    INTAKE_REPORTS,
    PARTITIONS,
)
from shared.kernel.identifiers import new_id
from shared.ledger.relaying import OutboxRow
from tests.bench.counting import Counter, Topics
from tests.bench.feeding import acts, fill, problems, reports
from tests.bench.machine import Usage
from tests.bench.system import BenchSystem

EVENTS_A_CASE: Final = 10
"""Of the naive side."""
_NAIVE_PARTITIONS: Final = 4
_NAIVE: Final = Path(__file__).parent / "naive" / "naive_stage.py"
_SCHEMA: Final = "naive_stage"
_EMPTY_SECONDS: Final = 30.0

_ACTIONS: Final[Topics] = {f"{ACTIONS_PREFIX}{code}": 1 for code in department_codes()}
_RECEIPTS: Final[Topics] = {f"{DISPATCH_RECEIPTS_PREFIX}{code}": 1 for code in department_codes()}
_REPORTS: Final[Topics] = {INTAKE_REPORTS: PARTITIONS}
_CASES: Final[Topics] = {DISPATCH_CASES: PARTITIONS}


@dataclass(frozen=True, kw_only=True)
class StageRun:
    """What a stage did with a lot: incoming records, those that had an effect, and what was published for them."""

    records: int
    events: int
    published: int
    usage: Usage

    @property
    def microseconds(self) -> float:
        """CPU an event: worker, database and broker."""
        return self.usage.total / self.events * 1e6

    @property
    def rate(self) -> float:
        """Events a second by the clock on the wall."""
        return self.events / self.usage.wall

    def share(self, group: str) -> float:
        """CPU microseconds an event of one group."""
        return self.usage.cpu[group] / self.events * 1e6

    def __add__(self, other: "StageRun") -> "StageRun":
        """Return both as one run."""
        return StageRun(
            records=self.records + other.records,
            events=self.events + other.events,
            published=self.published + other.published,
            usage=self.usage + other.usage,
        )


@asynccontextmanager
async def our_worker(system: BenchSystem, counter: Counter, warm_cases: int = 100) -> AsyncIterator[Child]:
    """Run the shipped dispatch worker while the block runs; it has worked already when the block begins."""
    worker = system.start("dispatch", "worker")
    try:
        await run_ours(system, counter, worker, warm_cases)
        yield worker
    finally:
        system.stop(worker)


async def run_ours(system: BenchSystem, counter: Counter, worker: Child, cases: int) -> StageRun:
    """Let the worker take so many filed reports, and then all acts of the departments on the legs that result.

    An event is a filed report or an accepted act. Had an act been refused, its event would be missing on
    `dispatch.cases`, and the run would fail.
    """
    new = problems(cases)
    legs = sum(len(problem.units) for problem in new)
    opening = await run_lot(
        system,
        counter,
        worker,
        Lot(
            rows=reports(new),
            events=cases,
            group=EVENTS,
            taken_from=_REPORTS,
            # opened and dispatched; a task for each leg.
            published=((_CASES, 2 * cases), (_RECEIPTS, legs)),
        ),
    )
    run = opening
    before, last = acts(new)
    run += await run_lot(system, counter, worker, _acting(before))
    run += await run_lot(system, counter, worker, _acting(last, checks=len(last)))
    await _require_empty(system.database_url("dispatch").replace("+asyncpg", ""), "outbox")
    return run


def _acting(rows: Sequence[OutboxRow], checks: int = 0) -> "Lot":
    return Lot(
        rows=rows,
        events=len(rows),
        group=ACTIONS,
        taken_from=_ACTIONS,
        # An event for each act, and the assignment of the check after the last; a receipt and the news of the task.
        published=((_CASES, len(rows) + checks), (_RECEIPTS, 2 * len(rows))),
    )


async def run_naive(system: BenchSystem, counter: Counter, events: int) -> StageRun:
    """Run the naive stage from its start to the last of so many events; its tables are kept from run to run."""
    name = f"naive-{new_id().hex[-8:]}"
    source, target = f"{name}-in", f"{name}-out"
    for topic in (source, target):
        system.create_topic(topic, partitions=_NAIVE_PARTITIONS)
    database = system.fresh_schema(_SCHEMA)
    warm = max(EVENTS_A_CASE, events // 10)
    program = Program(
        name=name,
        # One event more than it ever gets: it must not end before it was measured.
        command=(sys.executable, str(_NAIVE), source, target, str(warm + events + 1)),
        folder=_NAIVE.parent,
        environment={"BOOTSTRAP": system.plain_bootstrap, "DSN": database},
    )
    worker = system.start_program(program)
    try:
        await run_lot(system, counter, worker, _naive_lot(source, target, warm))
        run = await run_lot(system, counter, worker, _naive_lot(source, target, events))
        await _require_empty(database, "naive_outbox")
    finally:
        system.stop(worker)
    return run


@dataclass(frozen=True, kw_only=True)
class Lot:
    """Input, and what must come of it: so many records more on each of the groups of topics."""

    rows: Sequence[OutboxRow]
    events: int
    group: str
    taken_from: Topics
    published: Sequence[tuple[Topics, int]]


async def run_lot(system: BenchSystem, counter: Counter, worker: Child, lot: Lot) -> StageRun:
    wanted = [(topics, await counter.records(topics) + more) for topics, more in lot.published]
    os.kill(worker.pid, signal.SIGSTOP)
    try:
        await fill(system.connection("bench.fill"), lot.rows)
        meter = system.meter([worker])
    finally:
        os.kill(worker.pid, signal.SIGCONT)
    for topics, records in wanted:
        await counter.reach(topics, records)
    await counter.acknowledge_all(lot.group, lot.taken_from)
    worker.require_running()
    return StageRun(
        records=len(lot.rows),
        events=lot.events,
        published=sum(more for _, more in lot.published),
        usage=meter.read(),
    )


def _naive_lot(source: str, target: str, events: int) -> Lot:
    return Lot(
        rows=naive_rows(source, events),
        events=events,
        group=f"{source}.naive",
        taken_from={source: _NAIVE_PARTITIONS},
        published=(({target: _NAIVE_PARTITIONS}, events),),
    )


def naive_rows(topic: str, events: int) -> list[OutboxRow]:
    """Return case events as the naive stage reads them: ten a case in their order, cases side by side, 600 bytes."""
    chance = random.Random(events)
    rows: list[OutboxRow] = []
    for first in range(0, events, EVENTS_A_CASE * 100):
        cases = [new_id() for _ in range(min(100, (events - first) // EVENTS_A_CASE))]
        for sequence in range(1, EVENTS_A_CASE + 1):
            rows += [_naive_row(topic, str(case), sequence, chance) for case in cases]
    assert len(rows) == events, f"{events} is no multiple of {EVENTS_A_CASE}"
    return rows


def _naive_row(topic: str, case: str, sequence: int, chance: random.Random) -> OutboxRow:
    event = {
        "type": f"case.changed.{sequence}",
        "case_id": case,
        "sequence": sequence,
        "occurred_at": datetime.now(UTC).isoformat(),
        "district": "220281001",
        "category": "E0110",
        "title": "垃圾裸露",
        "reporter": "grid-platform",
        "department": "sanitation",
        "latitude": 43.72 + chance.random() / 100,
        "longitude": 127.34 + chance.random() / 100,
    }
    event["note"] = "x" * (600 - len(json.dumps(event, ensure_ascii=False).encode()) - len(', "note": ""'))
    value = json.dumps(event, ensure_ascii=False).encode()
    return OutboxRow(topic=topic, key=case.encode(), headers=(), value=value)


async def _require_empty(database: str, table: str) -> None:
    """Return when the table is empty: what Kafka has acknowledged is deleted a moment later."""
    connection = await asyncpg.connect(database)
    try:
        async with asyncio.timeout(_EMPTY_SECONDS):
            while await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):
                await asyncio.sleep(0.05)
    finally:
        await connection.close()
