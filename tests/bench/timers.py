"""Timers: wakes of cases that are due at once, fired by the shipped dispatch worker, beside one transaction a wake.

The cases have whole histories, and clocks that ran out long ago without anybody having been told; the first wake of
each becomes due in the same instant, and each that fires makes the next one of its case due. The naive side decides the
same commands with the same code on the same tables; each wake has a transaction of its own. Nobody publishes meanwhile
on its side.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from time import monotonic
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
import httpx
import msgspec

from deploy.embedded.processes import Child
from services.dispatch.app import compose_on
from services.dispatch.domain.case import CaseState
from services.dispatch.domain.clocks import wakes
from services.dispatch.domain.clocks import woken as command_of
from services.dispatch.seed import CITY, documents
from services.dispatch.tables import CASE
from shared.contracts.common import Actor, Answer
from shared.kernel.decider import Wake
from shared.ledger.commands import Cause, Command
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault
from tests.bench.machine import Meter, Usage
from tests.bench.million_load import load
from tests.bench.result import Figure, Result, Scale
from tests.bench.system import BenchSystem, running_system

_DUE: Final = "SELECT EXISTS (SELECT FROM wakes WHERE due_at <= clock_timestamp())"
_FIRED: Final = re.compile(r"^joint_wakes_fired_total\{.*\} (\S+)$", re.MULTILINE)
_SYSTEM: Final = Actor(client="dispatch", unit="dispatch", post="system")
_START_SECONDS: Final = 60.0
_STEP_SECONDS: Final = 0.1

Row = tuple[UUID, str, str, datetime]


class Fired(NamedTuple):
    """How many wakes fired, and what it took."""

    wakes: int
    usage: Usage

    @property
    def rate(self) -> float:
        """Wakes a second by the clock on the wall."""
        return self.wakes / self.usage.wall

    @property
    def microseconds(self) -> float:
        """CPU a wake: worker, database and broker."""
        return self.usage.total / self.wakes * 1e6


async def run(scale: Scale) -> Result:
    """Fire wakes one by one, all at once, and one by one again."""
    together, alone = scale.pick(100_000, 2_000), scale.pick(2_000, 100)
    with running_system(services=("dispatch",)) as system:
        url = system.database_url("dispatch")
        plain = url.replace("+asyncpg", "")
        async with _worker(system):
            await _documents_arrive(plain)
        await load(plain, together + 2 * alone)
        due = await _first_wakes(plain)
        naive = [await _one_by_one(system, url, due[:alone])]
        async with _worker(system) as worker:
            ours = await _at_once(system, worker, plain, due[2 * alone :])
        naive.append(await _one_by_one(system, url, due[alone : 2 * alone]))
    return _result(naive, ours, together)


def _result(naive: Sequence[Fired], ours: Fired, together: int) -> Result:
    naive_rate = sum(run.wakes for run in naive) / sum(run.usage.wall for run in naive)
    return Result(
        part="timers",
        figures=[
            Figure(name="naive: wakes a second", unit="/s", values=[run.rate for run in naive]),
            Figure(name="naive: CPU a wake", unit="us", values=[run.microseconds for run in naive]),
            Figure(name="ours: wakes a second", unit="/s", values=[ours.rate]),
            Figure(name="ours: CPU a wake", unit="us", values=[ours.microseconds]),
            *(
                Figure(name=f"ours: of it {group}", unit="us", values=[seconds / ours.wakes * 1e6])
                for group, seconds in ours.usage.cpu.items()
            ),
            Figure(name=f"ours: until the wakes of {together:,} cases have fired", unit="s", values=[ours.usage.wall]),
        ],
        summary={
            "timers_wakes_per_second": ours.rate,
            "timers_seconds": ours.usage.wall,
            "timers_cpu_us": ours.microseconds,
            "timers_ratio": ours.rate / naive_rate,
        },
        notes=[f"ours: {ours.wakes:,} wakes, of {together:,} that were due at once and those that follow them"],
    )


async def _first_wakes(database: str) -> list[Row]:
    """Let every case forget what its clocks have told; return the next wake of each."""
    connection = await asyncpg.connect(database)
    try:
        decoder = msgspec.json.Decoder(CaseState)
        stored = await connection.fetch("SELECT stream, state FROM cases ORDER BY stream")
        states = {row["stream"]: _told_nothing(decoder.decode(row["state"])) for row in stored}
        await connection.execute("CREATE TEMPORARY TABLE untold (stream uuid PRIMARY KEY, state bytea)")
        await connection.copy_records_to_table(
            "untold", records=[(stream, msgspec.json.encode(state)) for stream, state in states.items()]
        )
        await connection.execute("UPDATE cases c SET state = u.state FROM untold u WHERE c.stream = u.stream")
        await connection.execute("VACUUM (ANALYZE) cases")
    finally:
        await connection.close()
    return [(stream, wake.kind, CASE, wake.due_at) for stream, state in states.items() for wake in wakes(state)]


def _told_nothing(case: CaseState) -> CaseState:
    replace = msgspec.structs.replace
    return replace(case, legs=tuple(replace(leg, sign_told=0, handle_told=0) for leg in case.legs))


async def _one_by_one(system: BenchSystem, url: str, rows: Sequence[Row]) -> Fired:
    """Fire these wakes here, each in a transaction of its own."""
    await _make_due(url.replace("+asyncpg", ""), rows)
    engine = create_ledger_engine(url, application="naive")
    try:
        ledger = compose_on(engine, Vault(bytes(32)), CITY).ledger
        meter = Meter({"python": [os.getpid()], "postgres": [system.servers["postgres"].pid]})
        for stream, kind, aggregate, due_at in rows:
            body = command_of(stream, Wake(kind=kind, due_at=due_at))
            cause = Cause(correlation=str(stream))
            command = Command(aggregate=aggregate, stream=stream, body=body, actor=_SYSTEM, cause=cause)
            [outcome] = await ledger.execute([command])
            assert isinstance(outcome, Answer), outcome
        usage = meter.read()
        async with engine.begin() as connection:
            # Their next ones are not for the other side.
            await connection.exec_driver_sql("DELETE FROM wakes")
    finally:
        await engine.dispose()
    return Fired(len(rows), usage)


async def _at_once(system: BenchSystem, worker: Child, database: str, rows: Sequence[Row]) -> Fired:
    """Make all of these due in one instant, and let the worker fire whatever is due."""
    before = await _fired(system)
    await _make_due(database, rows)
    meter = system.meter([worker])
    connection = await asyncpg.connect(database)
    try:
        while await connection.fetchval(_DUE):
            await asyncio.sleep(_STEP_SECONDS)
            worker.require_running()
    finally:
        await connection.close()
    usage = meter.read()
    return Fired(await _fired(system) - before, usage)


async def _make_due(database: str, rows: Sequence[Row]) -> None:
    connection = await asyncpg.connect(database)
    try:
        await connection.copy_records_to_table(
            "wakes", columns=("stream", "kind", "aggregate", "due_at"), records=list(rows)
        )
    finally:
        await connection.close()


async def _fired(system: BenchSystem) -> int:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{system.address('dispatch', 'worker')}/metrics")
    return int(sum(float(number) for number in _FIRED.findall(answer.text)))


async def _documents_arrive(database: str) -> None:
    """Wait until dispatch has its copy of what it has published."""
    connection = await asyncpg.connect(database)
    deadline = monotonic() + _START_SECONDS
    try:
        while await connection.fetchval("SELECT count(*) FROM reference_documents") < len(documents()):
            assert monotonic() < deadline, "the documents did not arrive"
            await asyncio.sleep(_STEP_SECONDS)
    finally:
        await connection.close()


@asynccontextmanager
async def _worker(system: BenchSystem) -> AsyncIterator[Child]:
    worker = system.start("dispatch", "worker")
    try:
        yield worker
    finally:
        system.stop(worker)
