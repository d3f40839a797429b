"""Whole lifecycles through the six shipped processes: reported over a topic, handled, closed over HTTP, counted.

`lifecycles_per_second` is their number by the seconds from the first submission's append until analytics' own read
model has the last of them closed; the median of the rounds. A lifecycle has about thirteen events: reported, accepted,
filed, opened, dispatched, signed and fed back by each of one to three units, check assigned, checked, closed.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import msgspec

from deploy.embedded.processes import Child
from deploy.embedded.services import ROLES
from services.dispatch.seed import units
from shared.kernel.identifiers import new_id
from tests.bench.lifecycle_parties import Done, Order
from tests.bench.machine import BUSY_CORES, Meter, Usage
from tests.bench.result import Figure, Result, Scale
from tests.bench.system import BenchSystem, running_system, warm_broker

CENTRE: Final = "supervision-centre"
_SERVICES: Final = ("dispatch", "intake", "analytics")
_POLL_SECONDS: Final = 0.05
_SETTLE_SECONDS: Final = 30.0
_PATIENCE_SECONDS: Final = 240.0
_CLOSED: Final = "SELECT count(*) FROM analytics.case_facts WHERE stream > $1 AND closed_at IS NOT NULL"


@dataclass(frozen=True, kw_only=True)
class Round:
    """What so many lifecycles took; `events` is how many events they are together."""

    count: int
    events: int
    wall: float
    usage: Usage

    @property
    def rate(self) -> float:
        """Lifecycles a second."""
        return self.count / self.wall

    def share(self, group: str) -> float:
        """CPU microseconds a lifecycle of one process."""
        return self.usage.cpu[group] / self.count * 1e6


class PartiesProcess:
    """The process of all outside parties, seen from the bench."""

    def __init__(self, system: BenchSystem, process: asyncio.subprocess.Process) -> None:
        access = system.kafka.administration
        address = urlsplit(system.address("dispatch", "api"))
        assert address.hostname is not None
        assert address.port is not None
        self._process = process
        self._order = Order(
            count=0,
            bootstrap=access.bootstrap,
            username=access.username,
            password=access.password,
            host=address.hostname,
            port=address.port,
            collectors={
                unit.code: system.token(f"{unit.code}.collector", unit.code, "collector")
                for unit in units().units
                if "collector" in unit.posts
            },
            duty_leader=system.token(f"{CENTRE}.duty_leader", CENTRE, "duty_leader"),
        )

    @property
    def pid(self) -> int:
        """Its number, for the accounts."""
        return self._process.pid

    async def run(self, count: int) -> Done:
        """Let them take so many problems to their end; fails when anything was refused."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(msgspec.structs.replace(self._order, count=count)) + b"\n")
        done = msgspec.json.decode(await self._process.stdout.readline(), type=Done)
        assert not done.refused, done.refused
        return done


async def run(scale: Scale) -> Result:
    """Let rounds of lifecycles run through the whole system."""
    rounds: list[Round] = []
    with whole_system() as (system, children):
        await warm_broker(system, scale.pick(20_000, 2_000))
        async with _parties(system) as parties:
            await _round(system, children, parties, scale.pick(500, 50))
            rounds += [await _round(system, children, parties, scale.pick(4000, 200)) for _ in range(scale.rounds)]
    return _result(rounds)


@contextmanager
def whole_system() -> Iterator[tuple[BenchSystem, Mapping[str, Child]]]:
    """Give the servers and all six processes, ready, by their names."""
    with running_system() as system:
        yield (
            system,
            {f"{service}-{role}": system.start(service, role) for service in _SERVICES for role in reversed(ROLES)},
        )


@asynccontextmanager
async def _parties(system: BenchSystem) -> AsyncIterator[PartiesProcess]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.lifecycle_parties"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield PartiesProcess(system, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def _round(system: BenchSystem, children: Mapping[str, Child], parties: PartiesProcess, count: int) -> Round:
    connection = await asyncpg.connect(system.owner_url)
    try:
        first = new_id()
        processes = {**children, **system.servers}
        meter = Meter({name: [child.pid] for name, child in processes.items()}, generators=[parties.pid])
        async with asyncio.timeout(_PATIENCE_SECONDS):
            done, (visible_at, usage) = await asyncio.gather(
                parties.run(count), _until_counted(connection, first, count, meter)
            )
            await _require_settled(connection, first, done.events)
    finally:
        await connection.close()
    return Round(count=count, events=done.events, wall=visible_at - done.first_at, usage=usage)


async def _until_counted(connection: asyncpg.Connection, first: UUID, count: int, meter: Meter) -> tuple[float, Usage]:
    while await connection.fetchval(_CLOSED, first) < count:
        await asyncio.sleep(_POLL_SECONDS)
    return time.time(), meter.read()


async def _require_settled(connection: asyncpg.Connection, first: UUID, events: int) -> None:
    """Fail unless the ledgers hold exactly the events that were to come, and nothing is held anywhere."""
    # Reporters are told of a closing while analytics counts it already.
    deadline = time.monotonic() + _SETTLE_SECONDS
    while (found := await _stored(connection, first)) < events and time.monotonic() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
    assert found == events, f"{found} events where {events} were expected"
    for service in _SERVICES:
        held = await connection.fetchval(f"SELECT count(*) FROM {service}.held")
        assert held == 0, f"{service} holds {held} messages"


async def _stored(connection: asyncpg.Connection, first: UUID) -> int:
    # Reference documents are streams too, but no UUIDv7: they sort behind every one of them.
    within = (first, new_id())
    counts = [
        await connection.fetchval(f"SELECT count(*) FROM {service}.events WHERE stream BETWEEN $1 AND $2", *within)
        for service in ("intake", "dispatch")
    ]
    return sum(counts)


def _result(rounds: Sequence[Round]) -> Result:
    groups = list(rounds[0].usage.cpu)
    return Result(
        part="lifecycle",
        figures=[
            Figure(name="lifecycles a second", unit="/s", values=[one.rate for one in rounds]),
            Figure(name="events a lifecycle", unit="", values=[one.events / one.count for one in rounds]),
            Figure(name="events a second", unit="/s", values=[one.events / one.wall for one in rounds]),
            Figure(name="CPU a lifecycle", unit="us", values=[one.usage.total / one.count * 1e6 for one in rounds]),
            *(
                Figure(name=f"of it {group}", unit="us", values=[one.share(group) for one in rounds])
                for group in groups
            ),
            Figure(
                name="outside parties",
                unit="us",
                values=[one.usage.generator / one.count * 1e6 for one in rounds],
                note="not counted above",
            ),
            Figure(name="foreign CPU", unit="cores", values=[one.usage.foreign_cores for one in rounds]),
        ],
        summary={
            "lifecycles_per_second": median(one.rate for one in rounds),
            "lifecycle_cpu_us": median(one.usage.total / one.count * 1e6 for one in rounds),
        },
        notes=[
            f"round {number}: BUSY, {one.usage.foreign_cores:.2f} cores were taken by others (mark: {BUSY_CORES})"
            for number, one in enumerate(rounds, start=1)
            if one.usage.busy
        ],
    )
