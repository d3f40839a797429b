"""The whole system on one machine: servers, provisioning, migrations, six processes; watched until it ends.

Nothing outlives the supervisor. A part that ends by itself ends the system, and says why.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Self

import httpx

from deploy.embedded.backbone import backbone_of, embedded_servers, prepare_database, provision_broker
from deploy.embedded.credentials import SERVICES, load_credentials
from deploy.embedded.errors import SystemFailure
from deploy.embedded.home import Home, write_private
from deploy.embedded.identity import TokenIssuer
from deploy.embedded.ports import remembered_ports, require_free
from deploy.embedded.processes import Child, describe_exit, log_tail, remember_process, remembered_process
from deploy.embedded.servers import start_servers, stop_all
from deploy.embedded.services import PROCESSES, ROLES, ServicePrograms, process_addresses

if TYPE_CHECKING:
    from types import TracebackType

    from deploy.embedded.processes import Program
    from deploy.embedded.settings import SystemSettings

SUPERVISOR: Final = "supervisor"
_POLL_SECONDS: Final = 0.1
_LEFTOVER_SECONDS: Final = 20.0
_RESTARTS_ALLOWED: Final = 5
_RESTARTS_WITHIN_SECONDS: Final = 60.0
_READY: Final = 200


class AlreadyRunning(Exception):
    """Another supervisor holds this home."""


class StopRequested(Exception):
    """Somebody asked the system to end while it was starting."""


class System:
    """One running system. `with System(settings) as system:` starts it and ends it in order.

    `report` takes a line for a person. With `restarts`, a service process that ends by itself is
    started again (at most five times a minute); a server never is.
    """

    def __init__(
        self, settings: SystemSettings, *, report: Callable[[str], None] = print, restarts: bool = False
    ) -> None:
        self.settings = settings
        self.home = Home(root=settings.home.absolute())
        self._report = report
        self._restarts = restarts
        self._restarted: dict[str, list[float]] = {}
        self._stop_requested = False
        self._lock: IO[str] | None = None
        self._servers: list[Child] = []
        self._services: dict[str, Child] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def request_stop(self) -> None:
        """Ask for an orderly end; `start` and `watch` notice it. Safe in a signal handler."""
        self._stop_requested = True

    def start(self) -> None:
        """Bring everything up and return when every process is ready; on failure nothing stays.

        Raises:
            AlreadyRunning: if this home's system is up.
            SystemFailure: if a part cannot start or ends by itself.
            StopRequested: if `request_stop` was called meanwhile.
        """
        begun = time.monotonic()
        self.home.prepare()
        self._take_home()
        try:
            self._bring_up()
        except BaseException:
            self.stop()
            raise
        seconds = round(time.monotonic() - begun, 1)
        state = {"start_seconds": seconds, "addresses": process_addresses(self.home)}
        write_private(self.home.state, json.dumps(state, indent=2) + "\n")
        self._report(f"The system is ready after {seconds} s.")

    def watch(self) -> None:
        """Return when a stop was requested.

        Raises:
            SystemFailure: if a part ended by itself.
        """
        while not self._stop_requested:
            for server in self._servers:
                server.require_running()
            for name, child in list(self._services.items()):
                if child.exit_code is not None:
                    self._replace(name, child)
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """End the services, then the servers; a part that does not end in time is killed and named."""
        self.home.state.unlink(missing_ok=True)
        killed = [*stop_all(list(self._services.values())), *stop_all(self._servers)]
        for name in killed:
            self._report(f"{name} did not end in time and was killed.")
        self._services, self._servers = {}, []
        if self._lock is not None:
            self.home.pid_file(SUPERVISOR).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def restart(self, name: str) -> Child:
        """End a service process (if it still runs) and start it again; return the new one when it is ready."""
        old = self._services[name]
        old.stop()
        child = self._services[name] = Child(self.home, old.program)
        self._wait_until_ready([name])
        return child

    @property
    def children(self) -> dict[str, Child]:
        """Every running part by its name."""
        return {child.program.name: child for child in self._servers} | self._services

    def _take_home(self) -> None:
        lock = (self.home.run / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AlreadyRunning(str(self.home.root)) from None
        self._lock = lock
        _end_leftovers(self.home)
        self.home.state.unlink(missing_ok=True)
        remember_process(self.home.pid_file(SUPERVISOR), os.getpid())

    def _bring_up(self) -> None:
        require_free(self.home, remembered_ports(self.home, PROCESSES))
        self.home.rotate_logs()
        servers = embedded_servers(self.home, self.settings)
        if servers:
            self._report("Starting the servers.")
            self._servers = start_servers(self.home, servers, seconds=self.settings.start_seconds, check=self._check)
        self._report("Preparing topics, users, rights and schemas.")
        prepare_database(self.home, self.settings)
        provision_broker(self.home, self.settings)
        programs = self._programs()
        self._check()
        self._report("Migrating the databases.")
        self._run_to_end([programs.migration(service) for service in SERVICES])
        self._report("Starting the services.")
        for service in SERVICES:
            for role in ROLES:
                program = programs.process(service, role)
                self._services[program.name] = Child(self.home, program)
        self._wait_until_ready(list(self._services))

    def _programs(self) -> ServicePrograms:
        credentials = load_credentials(self.home)
        TokenIssuer(credentials, self.settings.token_issuer).write_public_keys(self.home)
        return ServicePrograms(
            home=self.home,
            settings=self.settings,
            credentials=credentials,
            backbone=backbone_of(self.home, self.settings),
        )

    def _run_to_end(self, programs: list[Program]) -> None:
        running = [Child(self.home, program) for program in programs]
        try:
            self._wait_for(lambda: all(child.exit_code is not None for child in running), "the migrations")
        finally:
            stop_all(running)
        for child in running:
            if child.exit_code:
                raise SystemFailure(
                    f"{child.program.name} failed ({describe_exit(child.exit_code)}). Its last lines:\n"
                    f"{log_tail(self.home.log(child.program.name))}",
                    remedy=f"The whole log: {self.home.log(child.program.name)}",
                )

    def _wait_until_ready(self, names: list[str]) -> None:
        addresses = process_addresses(self.home)
        waiting = set(names)

        def all_ready() -> bool:
            for name in sorted(waiting):
                self._services[name].require_running()
                if _answers_ready(client, addresses[name]):
                    waiting.discard(name)
            return not waiting

        with httpx.Client(timeout=1.0, trust_env=False) as client:
            self._wait_for(all_ready, lambda: f"{', '.join(sorted(waiting))} to be ready")

    def _wait_for(self, condition: Callable[[], bool], what: str | Callable[[], str]) -> None:
        deadline = time.monotonic() + self.settings.start_seconds
        while not condition():
            self._check()
            if time.monotonic() > deadline:
                raise SystemFailure(
                    f"Waited {self.settings.start_seconds:.0f} s for {what if isinstance(what, str) else what()}.",
                    remedy=f"Look at the logs in {self.home.logs}; JOINT_START_SECONDS gives more time.",
                )
            time.sleep(_POLL_SECONDS)

    def _check(self) -> None:
        if self._stop_requested:
            raise StopRequested
        for child in self._servers:
            child.require_running()

    def _replace(self, name: str, child: Child) -> None:
        if not self._restarts:
            child.require_running()
        now = time.monotonic()
        recent = [when for when in self._restarted.get(name, []) if now - when < _RESTARTS_WITHIN_SECONDS]
        if len(recent) >= _RESTARTS_ALLOWED:
            child.require_running()
        self._restarted[name] = [*recent, now]
        self._report(f"{name} ended by itself ({describe_exit(child.exit_code or 0)}); it is started again.")
        self._services[name] = Child(self.home, child.program)


def _answers_ready(client: httpx.Client, address: str) -> bool:
    try:
        return client.get(f"{address}/readyz").status_code == _READY
    except httpx.TransportError:
        return False


def _end_leftovers(home: Home) -> None:
    """End what a supervisor left that was killed where the kernel does not end children with their parent."""
    for pid_file in home.run.glob("*.pid"):
        process = remembered_process(pid_file)
        if process is not None:
            process.terminate()
            process.wait(_LEFTOVER_SECONDS)
        Path(pid_file).unlink()
