"""A whole city under test: the real servers and the shipped processes, whose parts are killed and started one by one.

What is done to it is written to the history, so that a finding can be read beside what had happened before it.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import psutil
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.group import LeaveGroupRequest
from prometheus_client.parser import text_string_to_metric_families

from deploy.campaign.stage import Stage
from deploy.cli.running import know_the_city
from deploy.embedded.backbone import administration, backbone_of
from deploy.embedded.home import Home
from deploy.embedded.ports import LOOPBACK, remembered_ports
from deploy.embedded.processes import Child, describe_exit, log_tail
from deploy.embedded.servers import Server, kafka_of, postgres_of, stop_all
from deploy.embedded.services import API, PROCESSES
from deploy.embedded.settings import SystemSettings
from deploy.embedded.system import System
from shared.messaging.connection import KafkaConnection
from tests.reliability.history.actions import History
from tests.reliability.quiet import READS, is_quiet
from tests.support.kafka import eventually
from tests.support.patience import pauses

BROKER: Final = "kafka"
DATABASE: Final = "postgres"
SECONDS: Final = 90.0


class City:
    """A running city. `history` takes every fault; `stage` is how outside parties get in."""

    def __init__(self, system: System, stage: Stage, history: History) -> None:
        self.stage = stage
        self.history = history
        self.children: dict[str, Child] = system.children
        self.administration = administration(system.home, system.settings)
        self.database_url = backbone_of(system.home, system.settings).database_url
        self._http = httpx.Client(timeout=5.0, trust_env=False)
        self._home = system.home
        self._servers: dict[str, Server] = {
            BROKER: kafka_of(system.home, system.settings),
            DATABASE: postgres_of(system.home, system.settings),
        }

    # ------------------------------------------------------------------------------------------------ processes

    def start(self, process: str, *, crash_at: str | None = None, copy: int = 1) -> str:
        """Start a process (again): to die at a crash point where one is given; return its name.

        `copy` 2, 3 … run beside the first under names and ports of their own.
        """
        name = process if copy == 1 else f"{process}-{copy}"
        program = self.children[process].program
        port = remembered_ports(self._home, [name])[name]
        variable = "JOINT_HTTP_PORT" if process.endswith(API) else "JOINT_HEALTH_PORT"
        environment = {**program.environment, variable: str(port), "JOINT_CRASH_AT": crash_at or ""}
        self.children[name] = Child(self._home, replace(program, name=name, environment=environment))
        return name

    async def restart(self, process: str, *, crash_at: str | None = None) -> None:
        """Stop the process in order, if it runs, and start it again."""
        await self.stop(process)
        self.start(process, crash_at=crash_at)

    async def stop(self, name: str) -> None:
        """Ask the process to end, and wait until it has.

        Raises:
            AssertionError: when it does not end in time, or not without failure.
        """
        child = self.children[name]
        if child.exit_code is None:
            child.ask_to_stop()
            code = await self.ended(name)
            assert code == 0, f"{name} ended with {describe_exit(code)}:\n{log_tail(self._home.log(name))}"

    async def kill(self, name: str) -> None:
        """End the process as a power cut would."""
        self.history.fault("kill", process=name)
        os.kill(self.children[name].pid, signal.SIGKILL)
        await self.ended(name)

    async def died(self, name: str, point: str) -> None:
        """Wait until the process has died at the crash point that it was started with.

        Raises:
            AssertionError: when it lives on, or ended in another way.
        """
        code = await self.ended(name)
        assert code == -signal.SIGKILL, f"{name} ended with {describe_exit(code)}:\n{log_tail(self._home.log(name))}"
        self.history.fault("crash_point", process=name, point=point)

    async def ended(self, name: str, seconds: float = SECONDS) -> int:
        """Return the exit code when the process has ended; negative: by that signal."""
        child = self.children[name]
        await eventually(lambda: child.exit_code is not None, f"{name} ends", seconds=seconds)
        assert child.exit_code is not None
        return child.exit_code

    async def forget_sessions(self, service: str) -> None:
        """End the group sessions of the service's workers, all of which are dead.

        The broker does the same ten seconds after the last heartbeat: a test of many kills cannot wait that long.
        """
        admin = AIOKafkaAdminClient(**self.connection.client_arguments())
        await admin.start()
        try:
            for group in (group for group in READS if group.startswith(f"{service}.")):
                node = await admin.find_coordinator(group)
                (description,) = await admin.describe_consumer_groups([group], group_coordinator_id=node)
                for member in description.groups[0][5]:
                    await admin._send_request(LeaveGroupRequest(group, member[0]), node)
        finally:
            await admin.close()

    async def stands_still(self, name: str, point: str) -> None:
        """Wait until the process stands at the point that it was started with (`<point>:<nth>:stop`)."""
        process = psutil.Process(self.children[name].pid)
        await eventually(lambda: process.status() == psutil.STATUS_STOPPED, f"{name} stands still", seconds=SECONDS)
        self.history.fault("stands_still", process=name, point=point)

    def go_on(self, name: str) -> None:
        """Let a process go on that stands still."""
        self.history.fault("go_on", process=name)
        os.kill(self.children[name].pid, signal.SIGCONT)

    async def heal(self) -> None:
        """Have every server and one process of each kind run as shipped, whatever a test has left behind."""
        for name in self._servers:
            if self.children[name].exit_code is not None:
                await self._start_server(name)
        for name in [name for name in self.children if name not in self._servers]:
            child = self.children[name]
            if name not in PROCESSES:
                child.kill()
                del self.children[name]
            elif child.exit_code is not None or child.program.environment.get("JOINT_CRASH_AT"):
                child.kill()
                self.start(name)
                await self.ready(name)

    # -------------------------------------------------------------------------------------------------- servers

    async def stop_broker(self, *, kill: bool = False) -> None:
        """Stop Kafka in order, or kill its JVM."""
        await self._stop_server(BROKER, signal.SIGKILL if kill else signal.SIGTERM)

    async def start_broker(self) -> None:
        """Start Kafka again and wait until it serves."""
        await self._start_server(BROKER)

    async def stop_database(self, *, immediate: bool = False) -> None:
        """Stop PostgreSQL: `fast` ends every session and shuts down, `immediate` leaves the rest to recovery."""
        await self._stop_server(DATABASE, signal.SIGQUIT if immediate else signal.SIGINT)

    async def start_database(self) -> None:
        """Start PostgreSQL again and wait until it serves."""
        await self._start_server(DATABASE)

    @asynccontextmanager
    async def without_broker(self, *, kill: bool = False) -> AsyncIterator[None]:
        """Run the block while Kafka is stopped; it serves again afterwards, whatever happens."""
        await self.stop_broker(kill=kill)
        try:
            yield
        finally:
            await self.start_broker()

    @asynccontextmanager
    async def without_database(self, *, immediate: bool = False) -> AsyncIterator[None]:
        """Run the block while PostgreSQL is stopped; it serves again afterwards, whatever happens."""
        await self.stop_database(immediate=immediate)
        try:
            yield
        finally:
            await self.start_database()

    async def _stop_server(self, name: str, how: signal.Signals) -> None:
        self.history.fault("stop", server=name, signal=how.name)
        os.kill(self.children[name].pid, how)
        await self.ended(name)

    async def _start_server(self, name: str) -> None:
        server = self._servers[name]
        child = self.children[name] = Child(self._home, server.program())
        await asyncio.to_thread(server.wait_until_ready, child.require_running, SECONDS)
        self.history.fault("started", server=name)

    # ----------------------------------------------------------------------------------------------- looking in

    @property
    def connection(self) -> KafkaConnection:
        """Return the broker's administrator's connection."""
        access = self.administration
        return KafkaConnection(
            bootstrap=(access.bootstrap,), client_id="city", username=access.username, password=access.password
        )

    def address(self, name: str) -> str:
        """Return `http://host:port` of a process."""
        return f"http://{LOOPBACK}:{remembered_ports(self._home, [name])[name]}"

    async def problems(self, name: str) -> Mapping[str, str] | None:
        """Return what /readyz complains of, nothing when the process is ready; None when it does not answer."""
        try:
            answer = await self._get(name, "readyz")
        except httpx.TransportError:
            return None
        found: dict[str, str] = answer.json()["problems"]
        assert bool(found) == (answer.status_code != httpx.codes.OK)
        return found

    async def ready(self, *names: str) -> None:
        """Wait until these processes (without names: all) say that they are ready."""
        for name in names or [name for name in self.children if name not in self._servers]:
            await eventually(lambda name=name: self._is_ready(name), f"{name} is ready", seconds=SECONDS)  # type: ignore[misc]

    async def _is_ready(self, name: str) -> bool:
        self.children[name].require_running()
        return await self.problems(name) == {}

    async def metric(self, name: str, metric: str, **labels: str) -> float:
        """Return a figure of a process; 0 when it has none with these labels, or does not answer."""
        try:
            answer = await self._get(name, "metrics")
        except httpx.TransportError:
            return 0.0
        samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
        return sum(
            sample.value for sample in samples if sample.name == metric and labels.items() <= sample.labels.items()
        )

    async def _get(self, name: str, page: str) -> httpx.Response:
        # In a thread of its own, because the city outlives every test's event loop.
        return await asyncio.to_thread(self._http.get, f"{self.address(name)}/{page}")

    async def database(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Return a connection of the database's owner; the schemas are `intake`, `dispatch`, `analytics`."""
        return await asyncpg.connect(self.database_url)

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        """Return the rows of a query of the database's owner."""
        connection = await self.database()
        try:
            return list(await connection.fetch(query, *arguments))
        finally:
            await connection.close()

    async def wait_until_quiet(self, seconds: float = SECONDS) -> None:
        """Return when every outbox is empty, every group has read everything, and nothing moves."""
        seen = ""
        try:
            async with asyncio.timeout(seconds):
                for pause in pauses():
                    quiet, seen = await is_quiet(self.administration, self.database_url)
                    if quiet:
                        return
                    await asyncio.sleep(pause)
        except TimeoutError:
            complaints = {name: await self.problems(name) for name in PROCESSES}
            raise AssertionError(f"not quiet within {seconds:.0f} s: {seen}; {complaints}") from None


@contextmanager
def running_city(home: Home, history: Path) -> Iterator[City]:
    """Bring a city up in the home, with topics and rights for everybody whom its first documents name."""
    stage = Stage(home=home, settings=SystemSettings(home=home.root))
    know_the_city(stage)
    with System(stage.settings, report=_say_nothing) as system:
        city = City(system, stage, History(history))
        try:
            yield city
        finally:
            servers = [city.children.pop(name) for name in (BROKER, DATABASE)]
            stop_all(list(city.children.values()))
            stop_all(servers)


def _say_nothing(_line: str) -> None:
    """Keep what the system reports to people out of the tests' output."""
