"""The two sides of the HTTP comparison: how each is started, and what it is sent.

Both are told of a report of about the same size: where, what, by whom, and a text of some 300 bytes.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import httpx
import msgspec

from deploy.embedded.ports import LOOPBACK, remembered_ports
from deploy.embedded.processes import Child, Program
from shared.contracts.intake import ReportSubmission, SubmittedCategory, SubmittedPlace
from tests.bench.feeding import Problem, problems
from tests.bench.http_load import Job
from tests.bench.system import BenchSystem

UNTRUSTED: Final = "citizen-portal"
"""Its reports wait for an acceptor: one event each, as on the naive side."""
TRUSTED: Final = "grid-platform"
"""Its reports are accepted and filed at once: three events each."""

_START_SECONDS: Final = 60.0
_NAIVE: Final = Path(__file__).parent / "naive"
_KINDS: Final = 100
_TEXT: Final = "小区东门外绿化带堆放建筑垃圾约两立方米，占用人行道，行人只能绕行机动车道；现场没有围挡和警示标志。" * 2


@dataclass(frozen=True, kw_only=True)
class Side:
    """A server that runs: its processes by name, how it is asked, and which table counts what it took."""

    name: str
    processes: dict[str, Child]
    job: Job
    counted_in: str
    database: str

    async def rows(self) -> int:
        """Return how many reports it holds."""
        connection = await asyncpg.connect(self.database)
        try:
            return int(await connection.fetchval(f"SELECT count(*) FROM {self.counted_in}"))
        finally:
            await connection.close()


@asynccontextmanager
async def naive_side(system: BenchSystem) -> AsyncIterator[Side]:
    """Run the naive endpoint under uvicorn: one process, uvloop, httptools, no access log."""
    port = remembered_ports(system.home, ["naive-http"])["naive-http"]
    database = system.fresh_schema("naive_http")
    program = Program(
        name="naive-http",
        command=(
            *(sys.executable, "-m", "uvicorn", "naive_http:app", "--host", LOOPBACK, "--port", str(port)),
            *("--no-access-log", "--loop", "uvloop", "--http", "httptools"),
        ),
        folder=_NAIVE,
        environment={"DSN": database},
    )
    server = system.start_program(program)
    try:
        await _ready(server, f"http://{LOOPBACK}:{port}/openapi.json")
        job = Job(host=LOOPBACK, port=port, path="/reports", bodies=_naive_bodies(), count=0)
        yield Side(
            name="naive", processes={"api": server}, job=job, counted_in="naive_http.naive_reports", database=database
        )
    finally:
        system.stop(server)


@asynccontextmanager
async def our_side(system: BenchSystem) -> AsyncIterator[Side]:
    """Run the shipped processes of intake; the worker is what publishes."""
    worker, api = system.start("intake", "worker"), system.start("intake", "api")
    try:
        address = urlsplit(system.address("intake", "api"))
        assert address.hostname is not None
        assert address.port is not None
        job = Job(
            host=address.hostname,
            port=address.port,
            path="/v1/reports",
            bodies=_our_bodies(),
            count=0,
            token=system.token(UNTRUSTED, UNTRUSTED, "source"),
            keyed=True,
        )
        yield Side(
            name="ours",
            processes={"api": api, "worker": worker},
            job=job,
            counted_in="intake.reports",
            database=system.owner_url,
        )
    finally:
        system.stop(api, worker)


async def publish_references(system: BenchSystem) -> None:
    """Let dispatch publish the city's documents, and intake take its copies of them."""
    dispatch, intake = system.start("dispatch", "worker"), system.start("intake", "worker")
    system.stop(dispatch, intake)


def _our_bodies() -> Sequence[str]:
    observed = datetime.now(UTC) - timedelta(minutes=5)
    return [msgspec.json.encode(submission(problem, observed)).decode() for problem in problems(_KINDS)]


def submission(problem: Problem, observed: datetime) -> ReportSubmission:
    """Return what a source says of the problem."""
    category, place = problem.category, problem.place
    return ReportSubmission(
        category=SubmittedCategory(
            system=category.system, version=category.version, code=category.code, condition=category.condition
        ),
        place=SubmittedPlace(
            longitude=place.longitude, latitude=place.latitude, street=place.street, community=place.community
        ),
        observed_at=observed,
        description=_TEXT,
    )


def _naive_bodies() -> Sequence[str]:
    return [
        msgspec.json.encode(
            {
                "district": problem.place.street,
                "category": problem.category.code,
                "title": "建筑垃圾占用人行道",
                "reporter": UNTRUSTED,
                "latitude": problem.place.latitude,
                "longitude": problem.place.longitude,
                "note": _TEXT,
            }
        ).decode()
        for problem in problems(_KINDS)
    ]


async def _ready(server: Child, url: str) -> None:
    async with asyncio.timeout(_START_SECONDS), httpx.AsyncClient(trust_env=False) as client:
        while True:
            server.require_running()
            try:
                if (await client.get(url)).is_success:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
