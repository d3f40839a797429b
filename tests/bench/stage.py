"""The stage: the shipped dispatch worker against the naive one, interleaved on the same servers.

`stage_ratio` is the CPU an event (worker, PostgreSQL and Kafka) of the naive side by that of ours, medians of the
rounds. The naive stage keeps a case row and an outbox row. Ours decides with the city's reference documents: it routes,
keeps every leg, event and wake, chains hashes, answers each act with a receipt and tells each unit of its task, over
connections with users and rights.
"""

from collections.abc import Sequence
from statistics import median
from typing import Final

from tests.bench.counting import counting
from tests.bench.machine import BUSY_CORES
from tests.bench.result import Figure, Result, Scale
from tests.bench.sides import EVENTS_A_CASE, StageRun, our_worker, run_naive, run_ours
from tests.bench.system import running_system, warm_broker

GROUPS: Final = ("python", "postgres", "kafka")


async def run(scale: Scale) -> Result:
    """Measure both sides in turn."""
    naive: list[StageRun] = []
    ours: list[StageRun] = []
    cases, events = scale.pick(5400, 400), scale.pick(150, 30) * EVENTS_A_CASE
    with running_system(services=("dispatch",)) as system:
        await warm_broker(system, scale.pick(30_000, 6_000))
        async with counting(system.connection("bench.count")) as counter:
            # Not counted: it lets the JVM compile what this very client asks for, in the naive side's favour.
            await run_naive(system, counter, events)
            for _ in range(scale.rounds):
                naive.append(await run_naive(system, counter, events))
                async with our_worker(system, counter) as worker:
                    ours.append(await run_ours(system, counter, worker, cases))
    return Result(
        part="stage",
        figures=[*figures("naive", naive), *figures("ours", ours), *_ratios(naive, ours)],
        summary={
            "stage_ratio": _median_cost(naive) / _median_cost(ours),
            "stage_events_per_second": median(run.rate for run in ours),
            "stage_cpu_us": _median_cost(ours),
        },
        notes=[_counts("naive", naive[0]), _counts("ours", ours[0]), *marks("naive", naive), *marks("ours", ours)],
    )


def figures(side: str, runs: Sequence[StageRun]) -> list[Figure]:
    """Return what one side's runs cost and how quick they were."""
    return [
        Figure(name=f"{side}: CPU an event", unit="us", values=[run.microseconds for run in runs]),
        *(
            Figure(name=f"{side}: of it {group}", unit="us", values=[run.share(group) for run in runs])
            for group in GROUPS
        ),
        Figure(
            name=f"{side}: CPU a published record",
            unit="us",
            values=[run.usage.total / run.published * 1e6 for run in runs],
        ),
        Figure(
            name=f"{side}: CPU an incoming record",
            unit="us",
            values=[run.usage.total / run.records * 1e6 for run in runs],
        ),
        Figure(name=f"{side}: events a second", unit="/s", values=[run.rate for run in runs]),
        Figure(name=f"{side}: foreign CPU", unit="cores", values=[run.usage.foreign_cores for run in runs]),
    ]


def marks(side: str, runs: Sequence[StageRun]) -> list[str]:
    """Name the runs during which others took much of the machine."""
    return [
        f"{side}, run {number}: BUSY, {run.usage.foreign_cores:.2f} cores were taken by others (mark: {BUSY_CORES})"
        for number, run in enumerate(runs, start=1)
        if run.usage.busy
    ]


def _ratios(naive: Sequence[StageRun], ours: Sequence[StageRun]) -> list[Figure]:
    pairs = list(zip(naive, ours, strict=True))
    return [
        Figure(
            name="naive by ours: CPU an event", unit="x", values=[a.microseconds / b.microseconds for a, b in pairs]
        ),
        Figure(name="ours by naive: events a second", unit="x", values=[b.rate / a.rate for a, b in pairs]),
    ]


def _median_cost(runs: Sequence[StageRun]) -> float:
    return median(run.microseconds for run in runs)


def _counts(side: str, run: StageRun) -> str:
    return f"{side}: {run.events:,} events in {run.records:,} incoming records made {run.published:,} published records"
