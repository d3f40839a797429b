"""Real servers for tests: Kafka and PostgreSQL, each started once a test run, when a test first asks.

A test asks for the fixture `broker` or `postgres` (list this module in `pytest_plugins`). By default
they are the embedded servers in a temporary home; with JOINT_TEST_SERVERS=containers they come from
public images (testcontainers); JOINT_TEST_BROKER and JOINT_TEST_POSTGRES name embedded ones that another
test run has started (`addresses`). A server that cannot start fails the tests that need it; nothing skips.

    def test_x(broker: Broker, postgres: Postgres) -> None:
        topic = broker.fresh_topic("orders", partitions=3)
        url = postgres.fresh_database("ledger")      # postgresql+asyncpg://role:password@host:port/joint
"""

import itertools
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from deploy.embedded.databases import create_database, plain_url, prepare_roles, service_url
from deploy.embedded.home import Home
from deploy.embedded.ports import LOOPBACK, remembered_ports
from deploy.embedded.postgres import remove_outside_folder
from deploy.embedded.servers import Server, kafka_of, postgres_of, start_servers, stop_all
from deploy.embedded.settings import SystemSettings
from shared.contracts.registry import Topic
from shared.messaging.access import KafkaAccess, wait_until_ready
from shared.messaging.provisioning import create_topics, provision

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

EMBEDDED: Final = "embedded"
CONTAINERS: Final = "containers"
START_SECONDS: Final = 90.0
CONTAINER_PORT: Final = 19092
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - homes have names that nobody guesses, and belong to their owner
_ROOM_BYTES: Final = 8 * 1024**3
RUNNING_BROKER: Final = "JOINT_TEST_BROKER"
RUNNING_POSTGRES: Final = "JOINT_TEST_POSTGRES"

_numbers = itertools.count(1)


def unique_name(prefix: str) -> str:
    """Return a name that no other test of this or any other run uses."""
    return f"{prefix}-{secrets.token_hex(4)}-{next(_numbers)}"


def plain_topic(name: str, *, partitions: int = 1, compacted: bool = False) -> Topic:
    """Describe a topic that is kept for ever and that only the administrator may use."""
    return Topic(
        name=name,
        partitions=partitions,
        retention_seconds=None,
        compacted=compacted,
        writer="nobody",
        readers=(),
        messages=(),
    )


@dataclass(frozen=True, kw_only=True)
class Broker:
    """A Kafka broker. `access` is that of the principal who may do everything."""

    access: KafkaAccess
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """The address for clients, `host:port`."""
        return self.access.bootstrap

    def fresh_topic(self, prefix: str, *, partitions: int = 1, compacted: bool = False) -> str:
        """Make a topic of its own for a test, kept for ever, and return its name."""
        topic = plain_topic(unique_name(prefix), partitions=partitions, compacted=compacted)
        self.create_topics([topic])
        return topic.name

    def create_topics(self, topics: Sequence[Topic]) -> None:
        """Make those of the topics that do not exist."""
        create_topics(self.access, topics)

    def provision(self, topics: Sequence[Topic]) -> None:
        """Make the topics, and their writers and readers as users with exactly the rights they imply."""
        for topic in topics:
            for user in (topic.writer, *topic.readers):
                self.passwords.setdefault(user, secrets.token_urlsafe(16))
        provision(self.access, topics, self.passwords)

    def access_of(self, principal: str) -> KafkaAccess:
        """Return the access of a user that `provision` made (everybody's, on a broker without users)."""
        if self.access.username is None:
            return self.access
        return KafkaAccess(bootstrap=self.bootstrap, username=principal, password=self.passwords[principal])


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """A PostgreSQL server. `owner_url` opens the database `joint` with every right (asyncpg's form)."""

    owner_url: str

    def fresh_database(self, prefix: str) -> str:
        """Make a role with a schema of its own and return its URL (SQLAlchemy's form, asyncpg as driver).

        The schema and the role have the same name; the role sees nothing of other tests.
        """
        name = unique_name(prefix).replace("-", "_")
        password = secrets.token_urlsafe(16)
        prepare_roles(self.owner_url, {name: password})
        return service_url(self.owner_url, name, password)


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """Return the Kafka broker of this test run."""
    address = os.environ.get(RUNNING_BROKER)
    if address is not None:
        yield _broker_at(address)
        return
    with _kafka_container() if _containers_wanted() else embedded_broker() as running:
        yield running


@pytest.fixture(scope="session")
def secured_broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """Return a broker with users and default deny: the embedded one, whatever serves the other tests.

    The public image cannot be given its first user from outside.
    """
    if not _containers_wanted():
        yield request.getfixturevalue("broker")
        return
    with embedded_broker() as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Return the PostgreSQL server of this test run."""
    address = os.environ.get(RUNNING_POSTGRES)
    if address is not None:
        yield Postgres(owner_url=address)
        return
    with _postgres_container() if _containers_wanted() else embedded_postgres() as running:
        yield running


def addresses(broker: Broker, postgres: Postgres) -> dict[str, str]:
    """Return the variables that let another test run use these servers."""
    access = broker.access
    user = "" if access.username is None else f"{access.username}:{access.password}@"
    return {RUNNING_BROKER: f"{user}{access.bootstrap}", RUNNING_POSTGRES: postgres.owner_url}


def _broker_at(address: str) -> Broker:
    user, _, bootstrap = address.rpartition("@")
    if not user:
        return Broker(access=KafkaAccess(bootstrap=bootstrap))
    name, _, password = user.partition(":")
    return Broker(access=KafkaAccess(bootstrap=bootstrap, username=name, password=password))


@contextmanager
def temporary_home(*, on_disk: bool = False) -> Iterator[Home]:
    """Give an empty home that is deleted afterwards; on a disk for whoever measures, or stores much."""
    home = Home(root=Path(tempfile.mkdtemp(prefix="joint-test-", dir=None if on_disk else _folder_in_memory())))
    home.prepare()
    try:
        yield home
    finally:
        remove_outside_folder(home)
        shutil.rmtree(home.root)


def _folder_in_memory() -> Path | None:
    """Return where a home costs no writing to a disk, if there is room: no test asks what survives a power cut."""
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES:
        return _MEMORY
    return None


@contextmanager
def embedded_broker() -> Iterator[Broker]:
    """Run a Kafka broker of its own."""
    with temporary_home() as home:
        server = kafka_of(home, SystemSettings(home=home.root))
        with _running(home, server):
            yield Broker(access=server.administration)


@contextmanager
def embedded_postgres() -> Iterator[Postgres]:
    """Run a PostgreSQL server of its own."""
    with temporary_home() as home:
        server = postgres_of(home, SystemSettings(home=home.root))
        with _running(home, server):
            yield Postgres(owner_url=create_database(server.address()))


@contextmanager
def _running(home: Home, server: Server) -> Iterator[None]:
    children = start_servers(home, [server], seconds=START_SECONDS)
    try:
        yield
    finally:
        stop_all(children)


def _containers_wanted() -> bool:
    wanted = os.environ.get("JOINT_TEST_SERVERS", EMBEDDED)
    if wanted not in {EMBEDDED, CONTAINERS}:
        raise pytest.UsageError(f"JOINT_TEST_SERVERS is {wanted!r}; it can be {EMBEDDED!r} or {CONTAINERS!r}.")
    return wanted == CONTAINERS


@contextmanager
def _postgres_container() -> Iterator[Postgres]:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415 - needs a container engine

    container = PostgresContainer("postgres:18", driver=None)
    _publish_on_loopback(container, container.port, _free_port())
    with container:
        yield Postgres(owner_url=create_database(plain_url(container.get_connection_url())))


@contextmanager
def _kafka_container() -> Iterator[Broker]:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - needs a container engine

    container = DockerContainer("apache/kafka:4.3.1")
    port = _free_port()  # chosen before the start, because the node must advertise it
    _publish_on_loopback(container, CONTAINER_PORT, port)
    for name, value in _kafka_container_settings(port).items():
        container.with_env(f"KAFKA_{name}", value)
    with container:
        access = KafkaAccess(bootstrap=f"{LOOPBACK}:{port}")
        wait_until_ready(access, seconds=START_SECONDS)
        yield Broker(access=access)


def _publish_on_loopback(container: "DockerContainer", inside: int, outside: int) -> None:
    """Let this machine alone reach a port of the container; `with_bind_ports` would open it to everybody."""
    container.ports.clear()
    container.ports[f"{inside}/tcp"] = (LOOPBACK, outside)  # type: ignore[assignment]  # passed on to the engine


def _free_port() -> int:
    with temporary_home() as home:
        return remembered_ports(home, ["container"])["container"]


def _kafka_container_settings(port: int) -> dict[str, str]:
    """Return what the image turns into `server.properties`: the first KAFKA_ variable replaces its defaults."""
    return {
        "NODE_ID": "1",
        "PROCESS_ROLES": "broker,controller",
        "LISTENERS": f"CLIENT://:{CONTAINER_PORT},INSIDE://localhost:9092,CONTROLLER://localhost:9093",
        "ADVERTISED_LISTENERS": f"CLIENT://{LOOPBACK}:{port},INSIDE://localhost:9092",
        "LISTENER_SECURITY_PROTOCOL_MAP": "CLIENT:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "INTER_BROKER_LISTENER_NAME": "INSIDE",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "AUTO_CREATE_TOPICS_ENABLE": "false",
        "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_MIN_ISR": "1",
    }
