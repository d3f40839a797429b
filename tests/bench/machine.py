"""What a stretch of work cost this machine: CPU seconds of named groups of processes, and of everybody else.

Read from outside, from the kernel's own accounts, so that both sides of a comparison are measured alike.
"""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final, Self

import psutil

BUSY_CORES: Final = 0.35
"""With more foreign CPU than this a run is marked: it may be compared with nothing but its own round."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What passed between two readings. `cpu` is user and system seconds by group, ended children included.

    `generator` is what making and counting the load cost; `foreign` is the machine's busy time that belongs to
    nobody here, stolen time included.
    """

    wall: float
    cpu: Mapping[str, float]
    generator: float
    foreign: float

    @property
    def total(self) -> float:
        """The CPU seconds of all groups together."""
        return sum(self.cpu.values())

    @property
    def foreign_cores(self) -> float:
        """How many cores others kept busy."""
        return self.foreign / self.wall if self.wall else 0.0

    @property
    def busy(self) -> bool:
        """Tell whether others took so much that the run should be looked at with care."""
        return self.foreign_cores > BUSY_CORES

    def __add__(self, other: Self) -> "Usage":
        """Return both stretches as one; they have the same groups."""
        return Usage(
            wall=self.wall + other.wall,
            cpu={group: seconds + other.cpu[group] for group, seconds in self.cpu.items()},
            generator=self.generator + other.generator,
            foreign=self.foreign + other.foreign,
        )


class Meter:
    """Begins to measure when it is made; `read` returns what passed since, as often as it is asked.

    A group is the processes named and everything that they started. This process and `generators` are the load
    generator. A process that has ended counts as it was when it was last read.
    """

    def __init__(self, groups: Mapping[str, Sequence[int]], *, generators: Sequence[int] = ()) -> None:
        self._groups = {name: tuple(pids) for name, pids in groups.items()}
        self._generators = tuple(generators)
        self._last: dict[int, float] = {}
        self._begun = monotonic()
        self._busy = _machine_seconds()
        self._before = self._seconds()

    def read(self) -> Usage:
        """Return what was used since the meter was made."""
        wall, busy = monotonic() - self._begun, _machine_seconds() - self._busy
        now = self._seconds()
        cpu = {name: now[name] - self._before[name] for name in self._groups}
        generator = now[""] - self._before[""]
        return Usage(wall=wall, cpu=cpu, generator=generator, foreign=max(0.0, busy - sum(cpu.values()) - generator))

    def _seconds(self) -> dict[str, float]:
        """Return the seconds so far of each group; the generator's under the empty name."""
        own = os.times()
        return {name: self._of(pids) for name, pids in self._groups.items()} | {
            "": own.user + own.system + self._of(self._generators)
        }

    def _of(self, pids: Iterable[int]) -> float:
        for pid in pids:
            self._last[pid] = family_seconds(pid) or self._last.get(pid, 0.0)
        return sum(self._last[pid] for pid in pids)


def family_seconds(pid: int) -> float | None:
    """Return the CPU seconds of a process and of all its children, ended ones included; None when it is gone.

    A child that ends is found in its parent's account once the parent has taken notice of it.
    """
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return None
    return sum(_own_seconds(member) for member in family)


def describe() -> dict[str, str | int]:
    """Say what machine this is, for the record of a result."""
    return {
        "processor": _processor_name(),
        "cores": psutil.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _own_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def _machine_seconds() -> float:
    times = psutil.cpu_times()
    steal = float(getattr(times, "steal", 0.0))
    interrupts = float(getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0))
    return float(times.user + getattr(times, "nice", 0.0) + times.system) + steal + interrupts


def _processor_name() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
