"""The load generator, a process of its own: reads jobs as JSON lines, answers each with one line, ends at end of input.

Closed loop: every connection asks as soon as it is answered. Open loop: requests are due at a fixed rate whatever the
server does, and a request's time runs from when it was due, so that waiting for a slow server is never left out.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec
import uvloop

from shared.kernel.identifiers import new_id
from tests.bench.http_connections import Pool, request_bytes

CONNECTIONS: Final = 32
_CREATED: Final = 201
_PATIENCE_SECONDS: Final = 300.0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """So many POSTs of these bodies in turn; `rate` a second, or as fast as the connections are answered.

    With `keyed` every request has an Idempotency-Key of its own.
    """

    host: str
    port: int
    path: str
    bodies: Sequence[str]
    count: int
    token: str | None = None
    keyed: bool = False
    rate: float | None = None
    connections: int = CONNECTIONS


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What was heard: seconds from due to answered of each request, and how late the generator itself was."""

    wall: float
    seconds: list[float]
    late: list[float]
    refused: list[tuple[int, str]]


class Generator:
    """The running process, seen from outside."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its number, for the accounts."""
        return self._process.pid

    async def run(self, job: Job) -> Load:
        """Make the load and return what was heard; fails unless every request was answered 201."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(job) + b"\n")
        async with asyncio.timeout(_PATIENCE_SECONDS):
            line = await self._process.stdout.readline()
        load = msgspec.json.decode(line, type=Load)
        assert not load.refused, load.refused[:3]
        assert len(load.seconds) == job.count, f"{len(load.seconds)} answers to {job.count} requests"
        return load


@asynccontextmanager
async def generating() -> AsyncIterator[Generator]:
    """Run a generator while the block runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=64 * 1024 * 1024,
    )
    try:
        yield Generator(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


class _Run:
    """One job on the way."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._pool = Pool()
        # Made before the clock starts: the generator must be quick while it is measured.
        self._requests = [_request(job, number) for number in range(job.count)]
        self._asked = 0
        self._done = asyncio.Event()
        self._seconds: list[float] = []
        self._late: list[float] = []
        self._refused: list[tuple[int, str]] = []

    async def run(self) -> Load:
        """Make the load; return when everything is answered."""
        await self._pool.connect(self._job.host, self._job.port, self._job.connections)
        started = time.perf_counter()
        if self._job.rate is None:
            for _ in range(self._job.connections):
                self._ask_next(time.perf_counter())
        else:
            await self._keep_time(started, self._job.rate)
        await self._done.wait()
        wall = time.perf_counter() - started
        lost = self._pool.lost
        self._pool.close()
        assert not lost, lost
        return Load(wall=wall, seconds=self._seconds, late=self._late, refused=self._refused)

    async def _keep_time(self, started: float, rate: float) -> None:
        for number in range(self._job.count):
            due = started + number / rate
            while (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            self._late.append(-wait)
            self._ask_next(due)

    def _ask_next(self, due: float) -> None:
        if self._asked == len(self._requests):
            return
        self._asked += 1

        def heard(status: int, body: bytes) -> None:
            now = time.perf_counter()
            self._seconds.append(now - due)
            if status != _CREATED:
                self._refused.append((status, body[:500].decode()))
            if len(self._seconds) == len(self._requests):
                self._done.set()
            elif self._job.rate is None:
                self._ask_next(now)

        self._pool.ask(self._requests[self._asked - 1], heard)


def _request(job: Job, number: int) -> bytes:
    headers = {} if job.token is None else {"Authorization": f"Bearer {job.token}"}
    if job.keyed:
        headers["Idempotency-Key"] = str(new_id())
    return request_bytes(job.path, f"{job.host}:{job.port}", headers, job.bodies[number % len(job.bodies)].encode())


def main() -> None:
    """Work until the input ends."""
    for line in sys.stdin.buffer:
        load = uvloop.run(_Run(msgspec.json.decode(line, type=Job)).run())
        sys.stdout.buffer.write(msgspec.json.encode(load) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
