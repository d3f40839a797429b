"""What a running system looks like from outside: processes, memory, lag and rate."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from deploy.embedded.processes import remembered_process
from deploy.embedded.services import PROCESSES, WORKER, process_addresses
from deploy.embedded.system import SUPERVISOR

if TYPE_CHECKING:
    from deploy.embedded.home import Home

_ORDER: Final = ("kafka", "postgres", *PROCESSES, SUPERVISOR)
_LAG: Final = "joint_consumer_lag_records"
_TAKEN: Final = "joint_consumer_records_total"
_HELD: Final = "joint_ledger_held_now"
_DEAD: Final = f"{_HELD} dead"
_WAITING: Final = f"{_HELD} waiting"
_DUE: Final = "joint_wakes_due"
_RATE_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class ProcessStatus:
    """One process. Memory is its proportional share (PSS) in bytes, with its own children.

    `lag` (records not taken yet), `rate` (records taken a second), `dead` (messages that an operator has to deal
    with), `waiting` (messages that wait for others) and `due` (wakes whose time has come) are None where the process
    publishes none.
    """

    name: str
    pid: int | None
    memory: int | None
    lag: float | None = None
    rate: float | None = None
    dead: int | None = None
    waiting: int | None = None
    due: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Figures:
    lag: float
    rate: float
    dead: int
    waiting: int
    due: int


@dataclass(frozen=True, kw_only=True)
class SystemStatus:
    """The processes of one home; `start_seconds` is None while the system is not up."""

    start_seconds: float | None
    addresses: dict[str, str]
    processes: tuple[ProcessStatus, ...]

    @property
    def running(self) -> bool:
        return self.start_seconds is not None

    @property
    def memory(self) -> int:
        """The proportional share of all processes, in bytes."""
        return sum(process.memory or 0 for process in self.processes)

    def to_json(self) -> str:
        values = {**vars(self), "memory": self.memory, "processes": [vars(process) for process in self.processes]}
        return json.dumps(values, indent=2)


def system_status(home: Home) -> SystemStatus:
    """Look at the processes and ask the workers for their figures; takes about a second."""
    state = json.loads(home.state.read_text()) if home.state.exists() else None
    if state is None or remembered_process(home.pid_file(SUPERVISOR)) is None:
        return SystemStatus(start_seconds=None, addresses={}, processes=())
    figures = _worker_figures(process_addresses(home))
    known = [name for name in _ORDER if home.pid_file(name).exists()]
    processes = tuple(_process_status(home, name, figures.get(name)) for name in known)
    return SystemStatus(start_seconds=state["start_seconds"], addresses=state["addresses"], processes=processes)


def _process_status(home: Home, name: str, figures: _Figures | None) -> ProcessStatus:
    process = remembered_process(home.pid_file(name))
    if process is None:
        return ProcessStatus(name=name, pid=None, memory=None)
    return ProcessStatus(
        name=name, pid=process.pid, memory=_memory(process, name), **({} if figures is None else asdict(figures))
    )


def _memory(process: psutil.Process, name: str) -> int | None:
    # The supervisor is the parent of everything; the others' children (PostgreSQL's) are their own.
    family = [process] if name == SUPERVISOR else [process, *process.children(recursive=True)]
    total = 0
    for member in family:
        try:
            figures = member.memory_full_info()
        except psutil.NoSuchProcess:
            continue
        except psutil.AccessDenied:
            return None
        # Where the system knows no proportional share, memory that is the process's alone.
        total += getattr(figures, "pss", figures.uss)
    return total


def _worker_figures(addresses: dict[str, str]) -> dict[str, _Figures]:
    """Return the figures of each worker that publishes them."""
    workers = {name: url for name, url in addresses.items() if name.endswith(WORKER)}
    with httpx.Client(timeout=2.0, trust_env=False) as client:
        first = {name: _sums(client, url) for name, url in workers.items()}
        begun = time.monotonic()
        time.sleep(_RATE_SECONDS)
        second = {name: _sums(client, url) for name, url in workers.items()}
        passed = time.monotonic() - begun
    return {
        name: _Figures(
            lag=now[_LAG],
            rate=(now[_TAKEN] - before[_TAKEN]) / passed,
            dead=int(now[_DEAD]),
            waiting=int(now[_WAITING]),
            due=int(now[_DUE]),
        )
        for name, now in second.items()
        if now is not None and (before := first[name]) is not None
    }


def _sums(client: httpx.Client, address: str) -> dict[str, float] | None:
    """Return the sum of each figure over its labels, or None where the process does not answer."""
    try:
        answer = client.get(f"{address}/metrics").raise_for_status()
    except httpx.HTTPError:
        return None
    sums = dict.fromkeys((_LAG, _TAKEN, _DEAD, _WAITING, _DUE), 0.0)
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            name = f"{_HELD} {sample.labels['state']}" if sample.name == _HELD else sample.name
            if name in sums:
                sums[name] += sample.value
    return sums
