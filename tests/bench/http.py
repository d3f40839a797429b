"""HTTP intake: the shipped API process against the naive endpoint, interleaved on the same servers.

`http_ratio` is the CPU a request (server process and PostgreSQL) of the naive side by that of ours, medians of the
rounds. The naive side writes a report, an event and an outbox row, and nobody publishes them. Ours verifies a token,
knows repeats by their key, judges the report by the city's documents, chains hashes and keeps what is private
encrypted. While requests are counted our worker stands still, so that nobody publishes there either; what publishing
costs is measured after it, and the ratio with it is printed beside. The latencies are those of both sides under the
same rate, our worker publishing as it does in a city.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

import asyncpg
import msgspec

from tests.bench.http_load import Generator, Job, Load, generating
from tests.bench.http_sides import TRUSTED, Side, naive_side, our_side, publish_references
from tests.bench.machine import BUSY_CORES, Meter, Usage
from tests.bench.result import Figure, Result, Scale
from tests.bench.system import BenchSystem, running_system, warm_broker

RATE: Final = 100.0
"""Requests a second of the open loop: what the naive side survives."""

_PATIENCE_SECONDS: Final = 120.0


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How much is asked of a side: to warm it, as fast as it answers, and at the fixed rate."""

    warm: int
    closed: int
    open: int


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one side did: flat out with what it cost, what publishing cost after it, and at the fixed rate."""

    load: Load
    usage: Usage
    publishing: Usage
    steady: Load
    steady_usage: Usage

    @property
    def microseconds(self) -> float:
        """CPU a request: the server process and the database."""
        return self.share("api") + self.share("postgres")

    @property
    def with_publishing(self) -> float:
        """CPU a request of every process, until its events are on their topics."""
        return (self.usage.total + self.publishing.total) / len(self.load.seconds) * 1e6

    @property
    def rate(self) -> float:
        """Requests a second flat out."""
        return len(self.load.seconds) / self.load.wall

    def share(self, group: str) -> float:
        """CPU microseconds a request of one group, publishing left out."""
        return self.usage.cpu[group] / len(self.load.seconds) * 1e6


async def run(scale: Scale) -> Result:
    """Measure both sides in turn, and ours once more with reports that are filed at once."""
    naive: list[Round] = []
    ours: list[Round] = []
    filed: list[Round] = []
    steady = scale.pick(1500, 200)
    with running_system(services=("dispatch", "intake")) as system:
        await warm_broker(system, scale.pick(20_000, 2_000))
        await publish_references(system)
        async with generating() as generator:
            for _ in range(scale.rounds):
                counts = Counts(warm=scale.pick(300, 100), closed=scale.pick(2500, 300), open=steady)
                async with naive_side(system) as side:
                    naive.append(await _round(system, side, generator, counts))
                counts = Counts(warm=scale.pick(3000, 500), closed=scale.pick(20_000, 2000), open=steady)
                async with our_side(system) as side:
                    ours.append(await _round(system, side, generator, counts))
                    token = system.token(TRUSTED, TRUSTED, "source")
                    trusted = replace(side, job=msgspec.structs.replace(side.job, token=token))
                    counts = replace(counts, open=scale.pick(100, 50))
                    filed.append(await _round(system, trusted, generator, counts))
    return _result(naive, ours, filed)


async def _round(system: BenchSystem, side: Side, generator: Generator, counts: Counts) -> Round:
    before = await side.rows()
    await generator.run(_job(side, counts.warm))
    await _published(system, side)
    load, usage, publishing = await _flat_out(system, side, generator, counts.closed)
    meter = _meter(system, side, generator)
    steady = await generator.run(_job(side, counts.open, RATE))
    steady_usage = meter.read()
    taken, asked = await side.rows() - before, counts.warm + counts.closed + counts.open
    assert taken == asked, f"{side.name}: {taken} reports are stored of {asked} that were answered"
    await _published(system, side)
    return Round(load=load, usage=usage, publishing=publishing, steady=steady, steady_usage=steady_usage)


async def _flat_out(system: BenchSystem, side: Side, generator: Generator, count: int) -> tuple[Load, Usage, Usage]:
    worker = side.processes.get("worker")
    if worker is not None:
        os.kill(worker.pid, signal.SIGSTOP)
    try:
        meter = _meter(system, side, generator)
        load = await generator.run(_job(side, count))
        usage = meter.read()
        meter = _meter(system, side, generator)
    finally:
        if worker is not None:
            os.kill(worker.pid, signal.SIGCONT)
    await _published(system, side)
    return load, usage, meter.read()


def _job(side: Side, count: int, rate: float | None = None) -> Job:
    return msgspec.structs.replace(side.job, count=count, rate=rate)


def _meter(system: BenchSystem, side: Side, generator: Generator) -> Meter:
    processes = {"api": side.processes["api"], **side.processes, **system.servers}
    return Meter({name: [child.pid] for name, child in processes.items()}, generators=[generator.pid])


async def _published(system: BenchSystem, side: Side) -> None:
    """Return when our outbox is empty; the naive side's is nobody's to empty."""
    if "worker" not in side.processes:
        return
    connection = await asyncpg.connect(system.owner_url)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while await connection.fetchval("SELECT EXISTS (SELECT FROM intake.outbox)"):
                await asyncio.sleep(0.05)
    finally:
        await connection.close()


def _result(naive: Sequence[Round], ours: Sequence[Round], filed: Sequence[Round]) -> Result:
    ratio = median(a.microseconds for a in naive) / median(b.microseconds for b in ours)
    published = median(a.microseconds for a in naive) / median(b.with_publishing for b in ours)
    return Result(
        part="http",
        figures=[
            *_figures("naive", naive),
            *_figures("ours", ours),
            *_figures("ours, filed at once", filed),
            Figure(
                name="naive by ours: CPU a request",
                unit="x",
                values=[a.microseconds / b.microseconds for a, b in zip(naive, ours, strict=True)],
            ),
            Figure(
                name="the same, our publishing counted",
                unit="x",
                values=[a.microseconds / b.with_publishing for a, b in zip(naive, ours, strict=True)],
                note="the naive side does not publish",
            ),
            Figure(
                name="ours by naive: requests a second",
                unit="x",
                values=[b.rate / a.rate for a, b in zip(naive, ours, strict=True)],
            ),
        ],
        summary={
            "http_ratio": ratio,
            "http_ratio_published": published,
            "http_requests_per_second": median(b.rate for b in ours),
            "http_p99_ms": median(percentile(b.steady.seconds, 0.99) * 1e3 for b in ours),
            "http_naive_p99_ms": median(percentile(a.steady.seconds, 0.99) * 1e3 for a in naive),
        },
        notes=[*_marks("naive", naive), *_marks("ours", ours), *_marks("ours, filed at once", filed)],
    )


def _figures(side: str, rounds: Sequence[Round]) -> list[Figure]:
    def figure(name: str, unit: str, values: Sequence[float], note: str = "") -> Figure:
        return Figure(name=f"{side}: {name}", unit=unit, values=values, note=note)

    steady = [one.steady for one in rounds]
    figures = [
        figure("CPU a request", "us", [one.microseconds for one in rounds]),
        figure("of it the API process", "us", [one.share("api") for one in rounds]),
        figure("of it PostgreSQL", "us", [one.share("postgres") for one in rounds]),
    ]
    if side != "naive":
        figures.append(figure("CPU a request, published", "us", [one.with_publishing for one in rounds]))
    return [
        *figures,
        figure("requests a second", "/s", [one.rate for one in rounds]),
        *(
            figure(f"p{share} flat out", "ms", [percentile(one.load.seconds, share / 100) * 1e3 for one in rounds])
            for share in (50, 99)
        ),
        *(
            figure(f"p{share} at {RATE:.0f}/s", "ms", [percentile(one.seconds, share / 100) * 1e3 for one in steady])
            for share in (50, 99)
        ),
        figure(
            "generator late, p99", "ms", [percentile(one.late, 0.99) * 1e3 for one in steady], "counted in the times"
        ),
        figure("foreign CPU", "cores", [one.usage.foreign_cores for one in rounds]),
    ]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _marks(side: str, rounds: Sequence[Round]) -> list[str]:
    return [
        f"{side}, round {number}: BUSY, {usage.foreign_cores:.2f} cores were taken by others (mark: {BUSY_CORES})"
        for number, one in enumerate(rounds, start=1)
        for usage in (one.usage, one.steady_usage)
        if usage.busy
    ]
