"""The embedded Kafka and PostgreSQL of one home: started together, stopped together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from deploy.embedded.credentials import load_credentials
from deploy.embedded.kafka import CLIENT_PORT, CONTROLLER_PORT, KafkaServer
from deploy.embedded.ports import remembered_ports, require_free
from deploy.embedded.postgres import PORT, PostgresServer
from deploy.embedded.processes import Child

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deploy.embedded.home import Home
    from deploy.embedded.processes import Program
    from deploy.embedded.settings import SystemSettings


class Server(Protocol):
    """What a server must offer to be started."""

    @property
    def listening(self) -> dict[str, int]:
        """The ports it will listen on, by name."""

    def prepare(self) -> None:
        """Do what must be done before the start; idempotent."""

    def program(self) -> Program:
        """Return how to start it."""

    def wait_until_ready(self, check: Callable[[], None], seconds: float) -> None:
        """Return when it serves; raise what `check` raises, Unavailable if it takes too long."""


def kafka_of(home: Home, settings: SystemSettings) -> KafkaServer:
    """Describe the Kafka node of a home."""
    ports = remembered_ports(home, (CLIENT_PORT, CONTROLLER_PORT))
    return KafkaServer(home=home, credentials=load_credentials(home), ports=ports, heap=settings.kafka_heap)


def postgres_of(home: Home, settings: SystemSettings) -> PostgresServer:
    """Describe the PostgreSQL server of a home."""
    return PostgresServer(
        home=home,
        credentials=load_credentials(home),
        port=remembered_ports(home, (PORT,))[PORT],
        shared_buffers=settings.database_shared_buffers,
        connections=settings.database_connections,
    )


def start_servers(
    home: Home, servers: Sequence[Server], *, seconds: float, check: Callable[[], None] = lambda: None
) -> list[Child]:
    """Start the servers side by side and return them when all serve; on failure none stays.

    What `check` raises while waiting ends the start.

    Raises:
        SystemFailure: if one cannot be prepared or ends by itself.
        Unavailable: if one does not serve within `seconds`.
    """
    for server in servers:
        require_free(home, server.listening)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda server: server.prepare(), servers))
    children: list[Child] = []
    try:
        # Not by the pool's threads: a child ends with the thread that made it.
        children.extend(Child(home, server.program()) for server in servers)

        def all_run() -> None:
            check()
            for child in children:
                child.require_running()

        for server in servers:
            server.wait_until_ready(all_run, seconds)
    except BaseException:
        stop_all(children)
        raise
    return children


def stop_all(children: Sequence[Child]) -> list[str]:
    """End the children side by side; return the names of those that had to be killed."""
    for child in children:
        child.ask_to_stop()
    return [child.program.name for child in children if not child.stop()]
