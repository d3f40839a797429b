"""A million cases with their histories: how the stage fares on them.

Three figures, interleaved on one server, each run begun right after a checkpoint:

- `million_ratio`: the rate of new cases with the million stored, by the rate of the same on empty tables.
- `million_uniform_ratio`: the rate where half of the events are acts on stored cases and half are new cases and acts on
  them. Above: the stored cases are drawn uniformly from the million. Below: exactly the same mix, where nothing is
  stored but the few cases that the acts are about. Every act is on another case, above and below.
- the CPU, WAL and page images an event of each, without the machine's clock on the wall.
"""

from collections.abc import Sequence
from statistics import median
from typing import Final

from tests.bench.counting import counting
from tests.bench.million_runs import Drawer, Ground, StoreRun, lots
from tests.bench.result import Figure, Result, Scale
from tests.bench.stage import GROUPS, marks
from tests.bench.system import running_system, warm_broker

CITY_SETTINGS: Final = {"shared_buffers": "2GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min"}
"""What docs/performance.md tells a city to set; both sides have it."""

_MILLION: Final = "dispatch_million"
_COUNTED: Final = (
    ("WAL an event", "B", "wal_bytes"),
    ("page images an event", "", "page_images"),
    ("buffers found an event", "", "hits"),
    ("buffers read an event", "", "reads"),
)


async def run(scale: Scale) -> Result:
    """Load the million, then measure the sides in turn."""
    stored, cases = scale.pick(1_000_000, 20_000), scale.pick(5_400, 200)
    runs: dict[str, list[StoreRun]] = {side: [] for side in ("empty", "few", "million", "uniform")}
    with running_system(services=("dispatch",), database_settings=CITY_SETTINGS) as system:
        await warm_broker(system, scale.pick(30_000, 6_000))
        async with counting(system.connection("bench.count")) as counter:
            ground = Ground(system=system, counter=counter)
            drawer = await _grown(ground, stored)
            for _ in range(scale.rounds):
                await _small_side(ground, cases, runs)
                await _large_side(ground, cases, drawer, runs)
    return _result(runs, stored)


async def _grown(ground: Ground, count: int) -> Drawer:
    """Let a city grow, and put its schema aside."""
    await ground.renew()
    async with ground.worker():
        pass
    stored = await ground.fill(count)
    await ground.park(_MILLION)
    return Drawer(stored)


async def _small_side(ground: Ground, cases: int, runs: dict[str, list[StoreRun]]) -> None:
    await ground.renew()
    async with ground.worker() as worker:
        runs["empty"].append(await ground.measure(worker, lots(cases)))
    await ground.drop()
    await ground.renew()
    async with ground.worker():
        pass
    few = Drawer(await ground.fill(sum(lot.events for lot in lots(cases))))
    async with ground.worker() as worker:
        runs["few"].append(await ground.measure(worker, lots(cases, few)))
    await ground.drop()


async def _large_side(ground: Ground, cases: int, drawer: Drawer, runs: dict[str, list[StoreRun]]) -> None:
    await ground.take(_MILLION)
    async with ground.worker() as worker:
        runs["million"].append(await ground.measure(worker, lots(cases)))
        runs["uniform"].append(await ground.measure(worker, lots(cases, drawer)))
    await ground.park(_MILLION)


def _result(runs: dict[str, list[StoreRun]], stored: int) -> Result:
    names = {
        "empty": "nothing stored, new cases",
        "few": "few stored, half of the acts on them",
        "million": f"{stored:,} stored, new cases",
        "uniform": f"{stored:,} stored, half of the acts on them",
    }
    return Result(
        part="million",
        figures=[figure for side, name in names.items() for figure in _figures(name, runs[side])],
        summary={
            "million_ratio": _rate(runs["million"]) / _rate(runs["empty"]),
            "million_uniform_ratio": _rate(runs["uniform"]) / _rate(runs["few"]),
            "million_cpu_ratio": _cost(runs["empty"]) / _cost(runs["million"]),
            "million_uniform_cpu_ratio": _cost(runs["few"]) / _cost(runs["uniform"]),
        },
        notes=[
            *(note for side, name in names.items() for note in marks(name, [run.stage for run in runs[side]])),
            f"settings: {', '.join(f'{name} {value}' for name, value in CITY_SETTINGS.items())}",
        ],
    )


def _figures(name: str, runs: Sequence[StoreRun]) -> list[Figure]:
    stages = [run.stage for run in runs]
    return [
        Figure(name=f"{name}: events a second", unit="/s", values=[run.rate for run in stages]),
        Figure(name=f"{name}: CPU an event", unit="us", values=[run.microseconds for run in stages]),
        *(
            Figure(name=f"{name}: of it {group}", unit="us", values=[run.share(group) for run in stages])
            for group in GROUPS
        ),
        *(
            Figure(name=f"{name}: {what}", unit=unit, values=[run.an_event(count) for run in runs])
            for what, unit, count in _COUNTED
        ),
        Figure(name=f"{name}: checkpoints", unit="", values=[run.counts["checkpoints"] for run in runs]),
        Figure(name=f"{name}: foreign CPU", unit="cores", values=[run.usage.foreign_cores for run in stages]),
    ]


def _rate(runs: Sequence[StoreRun]) -> float:
    return median(run.stage.rate for run in runs)


def _cost(runs: Sequence[StoreRun]) -> float:
    return median(run.stage.microseconds for run in runs)
