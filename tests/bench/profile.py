"""Where the time goes: the stage and HTTP intake by process, by component, by function and by SQL statement.

The stacks that were seen stay below `.bench/`, for a flame graph or a closer look. The figures are shares of a run
that is slowed down by being looked at: for rates run `stage` and `http`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import asyncpg

from tests.bench.counting import counting
from tests.bench.http import _flat_out, _job, _published
from tests.bench.http_load import generating
from tests.bench.http_sides import our_side, publish_references
from tests.bench.machine import Usage
from tests.bench.result import FOLDER, Figure, Result, Scale
from tests.bench.sampling import Sampled, read_samples, sampling
from tests.bench.sides import our_worker, run_ours
from tests.bench.system import STATEMENTS, BenchSystem, running_system, warm_broker

_FUNCTIONS: Final = 15
_STATEMENTS: Final = 12
_WIDTH: Final = 90


async def run(scale: Scale) -> Result:
    """Look at both, one after the other."""
    with running_system(services=("dispatch", "intake"), database_settings=STATEMENTS) as system:
        await warm_broker(system, scale.pick(30_000, 3_000))
        parts = [await _stage(system, scale), await _http(system, scale)]
    return Result(
        part="profile",
        figures=[figure for figures, _ in parts for figure in figures],
        notes=[note for _, notes in parts for note in notes],
    )


async def _stage(system: BenchSystem, scale: Scale) -> tuple[list[Figure], list[str]]:
    file = _file("stage")
    async with counting(system.connection("bench.count")) as counter, our_worker(system, counter) as worker:
        await _forget_statements(system)
        async with sampling(worker.pid, file):
            run = await run_ours(system, counter, worker, scale.pick(5400, 400))
        statements = await _statements(system, run.events)
    return _told("stage", "event", run.usage, run.events, file), _notes("stage", file, statements)


async def _http(system: BenchSystem, scale: Scale) -> tuple[list[Figure], list[str]]:
    file = _file("http")
    count = scale.pick(20_000, 1_000)
    await publish_references(system)
    async with our_side(system) as side, generating() as generator:
        await generator.run(_job(side, count // 10))
        await _published(system, side)
        await _forget_statements(system)
        async with sampling(side.processes["api"].pid, file):
            _, usage, _ = await _flat_out(system, side, generator, count)
        statements = await _statements(system, count)
    renamed = Usage(
        wall=usage.wall,
        cpu={"python": usage.cpu["api"], "postgres": usage.cpu["postgres"], "kafka": usage.cpu["kafka"]},
        generator=usage.generator,
        foreign=usage.foreign,
    )
    return _told("http", "request", renamed, count, file), _notes("http", file, statements)


def _file(what: str) -> Path:
    FOLDER.mkdir(exist_ok=True)
    return FOLDER / f"{what}.samples"


def _told(what: str, unit: str, usage: Usage, count: int, file: Path) -> list[Figure]:
    """Return the CPU by process, and that of the Python process by component."""
    sampled = read_samples(file.read_text())
    python = usage.cpu["python"] / count * 1e6
    return [
        *(
            Figure(name=f"{what}: {group}", unit=f"us/{unit}", values=[seconds / count * 1e6])
            for group, seconds in usage.cpu.items()
        ),
        *(
            Figure(
                name=f"{what}: python, {component}",
                unit=f"us/{unit}",
                values=[share * python],
                note=f"{share:.1%} of the samples",
            )
            for component, share in sampled.shares().items()
        ),
        Figure(name=f"{what}: foreign CPU", unit="cores", values=[usage.foreign_cores]),
    ]


def _notes(what: str, file: Path, statements: Sequence[str]) -> list[str]:
    sampled = read_samples(file.read_text())
    return [
        f"{what}: functions by their own time, of {sampled.samples} samples",
        *(f"  {share:6.1%}  {function}" for function, share in _largest(sampled).items()),
        f"{what}: statements by the time on the clock that PostgreSQL took for them",
        *(f"  {statement}" for statement in statements),
    ]


def _largest(sampled: Sampled) -> Mapping[str, float]:
    return {name: count / sampled.samples for name, count in sampled.functions.most_common(_FUNCTIONS)}


async def _forget_statements(system: BenchSystem) -> None:
    connection = await asyncpg.connect(system.owner_url)
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        await connection.execute("SELECT pg_stat_statements_reset()")
    finally:
        await connection.close()


async def _statements(system: BenchSystem, count: int) -> list[str]:
    """Return the dearest statements, with their time an event or a request."""
    connection = await asyncpg.connect(system.owner_url)
    try:
        rows = await connection.fetch(
            "SELECT query, calls, rows, total_exec_time * 1000 / $1 AS each FROM pg_stat_statements "
            "ORDER BY total_exec_time DESC LIMIT $2",
            float(count),
            _STATEMENTS,
        )
    finally:
        await connection.close()
    return [
        f"{row['each']:6.1f} us  {row['calls']:6} calls {row['rows']:8} rows  {' '.join(row['query'].split())[:_WIDTH]}"
        for row in rows
    ]
