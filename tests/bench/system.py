"""The system under measurement: the embedded servers with the shipped settings, in a home that is thrown away.

It is provisioned and migrated; processes are started one by one, as a part of the bench needs them. The naive sides
know no users: the broker has one more listener for them, without authentication and with every right, which costs them
nothing that ours does not pay too.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from secrets import token_urlsafe
from typing import Final

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.embedded.backbone import backbone_of, prepare_database, provision_broker
from deploy.embedded.credentials import ADMIN, BROKER, CONTROLLER, SERVICES, load_credentials
from deploy.embedded.databases import DATABASE, create_database, prepare_roles, service_url, with_database
from deploy.embedded.home import Home
from deploy.embedded.identity import TokenIssuer
from deploy.embedded.kafka import CLIENT_PORT, CONTROLLER_PORT, KafkaServer
from deploy.embedded.parties import Parties, save_parties
from deploy.embedded.ports import LOOPBACK, remembered_ports
from deploy.embedded.postgres import PORT, PostgresServer
from deploy.embedded.processes import Child, Program, log_tail
from deploy.embedded.servers import start_servers, stop_all
from deploy.embedded.services import ServicePrograms, process_addresses
from deploy.embedded.settings import SystemSettings
from services.dispatch.seed import department_codes, source_codes
from shared.contracts.registry import Topic
from shared.messaging.connection import KafkaConnection
from shared.messaging.provisioning import create_topics
from tests.bench.machine import Meter
from tests.support.servers import plain_topic, temporary_home

WARM_EVENTS: Final = 30_000
STATEMENTS: Final = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track": "all"}
"""Database settings with which PostgreSQL accounts for each statement."""

_PLAIN_PORT: Final = "kafka-plain"
_START_SECONDS: Final = 90.0
_READY: Final = 200
_WARM_AT_ONCE: Final = 4
_WARM_VALUE: Final = bytes(600)


@dataclass(frozen=True, kw_only=True)
class _Kafka(KafkaServer):
    """The node of a home with a second listener, which asks nobody who he is."""

    @property
    def plain(self) -> str:
        return f"{LOOPBACK}:{self.ports[_PLAIN_PORT]}"

    def program(self, *extra_java_options: str) -> Program:
        program = super().program(*extra_java_options)
        users = (ADMIN, BROKER, CONTROLLER, "ANONYMOUS")
        changes = {
            "listeners": f"CLIENT://{self.bootstrap},CONTROLLER://{LOOPBACK}:{self.ports[CONTROLLER_PORT]},"
            f"PLAIN://{self.plain}",
            "advertised.listeners": f"CLIENT://{self.bootstrap},PLAIN://{self.plain}",
            "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT,PLAIN:PLAINTEXT",
            "super.users": ";".join(f"User:{user}" for user in users),
        }
        overrides = [part for name, value in changes.items() for part in ("--override", f"{name}={value}")]
        return replace(program, command=(*program.command, *overrides))


@dataclass(frozen=True, kw_only=True)
class _Postgres(PostgresServer):
    """The server of a home with some settings replaced."""

    more: Mapping[str, str]

    def program(self) -> Program:
        program = super().program()
        options = [part for name, value in self.more.items() for part in ("-c", f"{name}={value}")]
        return replace(program, command=(*program.command, *options))


@dataclass(kw_only=True)
class BenchSystem:
    """Servers that run. What is started here ends with them at the latest."""

    home: Home
    settings: SystemSettings
    kafka: _Kafka
    postgres: _Postgres
    servers: Mapping[str, Child] = field(default_factory=dict)
    running: list[Child] = field(default_factory=list)

    @property
    def plain_bootstrap(self) -> str:
        """The broker's address for the naive sides: no authentication, every right."""
        return self.kafka.plain

    @property
    def owner_url(self) -> str:
        """The database of the services for its owner (asyncpg's form)."""
        return with_database(self.postgres.address(), DATABASE)

    def database_url(self, service: str) -> str:
        """Return the database as a service opens it (SQLAlchemy's form)."""
        return service_url(self.owner_url, service, load_credentials(self.home).database[service])

    def address(self, service: str, role: str) -> str:
        """Return `http://host:port` of a service process."""
        return process_addresses(self.home)[f"{service}-{role}"]

    def token(self, client: str, unit: str, post: str, person: str | None = None) -> str:
        """Return a token for the APIs."""
        return TokenIssuer(load_credentials(self.home), self.settings.token_issuer).issue(client, unit, post, person)

    def connection(self, client_id: str = "bench") -> KafkaConnection:
        """Return the administrator's way to the broker: may read and write everything."""
        access = self.kafka.administration
        return KafkaConnection(
            bootstrap=(access.bootstrap,), client_id=client_id, username=access.username, password=access.password
        )

    def create_topic(self, name: str, *, partitions: int) -> None:
        """Make a topic that is kept for ever."""
        self.create_topics([plain_topic(name, partitions=partitions)])

    def create_topics(self, topics: Sequence[Topic]) -> None:
        """Make those of the topics that do not exist."""
        create_topics(self.kafka.administration, topics)

    def fresh_schema(self, name: str) -> str:
        """Make a role with an empty schema of the same name in the services' database; return its plain URL."""
        password = token_urlsafe(16)
        prepare_roles(self.owner_url, {name: password})
        return service_url(self.owner_url, name, password).replace("postgresql+asyncpg://", "postgresql://")

    def meter(self, python: Sequence[Child], *, generators: Sequence[int] = ()) -> Meter:
        """Begin to measure: these processes, the database's and the broker; `generators` make load beside us."""
        return Meter(
            {
                "python": [child.pid for child in python],
                "postgres": [self.servers["postgres"].pid],
                "kafka": [self.servers["kafka"].pid],
            },
            generators=generators,
        )

    def programs(self) -> ServicePrograms:
        """Return how the shipped processes are started."""
        return ServicePrograms(
            home=self.home,
            settings=self.settings,
            credentials=load_credentials(self.home),
            backbone=backbone_of(self.home, self.settings),
        )

    def start(self, service: str, role: str) -> Child:
        """Start a shipped process (`python -m services.<service> <role>`) and return it when it is ready."""
        child = self.start_program(self.programs().process(service, role))
        address = self.address(service, role)
        with httpx.Client(timeout=1.0, trust_env=False) as client:
            _wait(child, self.home, lambda: _answers(client, f"{address}/readyz"))
        return child

    def start_program(self, program: Program) -> Child:
        """Start any process; its output is in the log of its name."""
        child = Child(self.home, program)
        self.running.append(child)
        return child

    def stop(self, *children: Child) -> None:
        """End processes that were started here."""
        stop_all(children)
        self.running = [child for child in self.running if child not in children]

    def run_to_end(self, program: Program) -> None:
        """Run a process that ends by itself; fail when it fails."""
        child = self.start_program(program)
        _wait(child, self.home, lambda: child.exit_code is not None, may_end=True)
        self.running.remove(child)
        assert child.exit_code == 0, log_tail(self.home.log(program.name))


@contextmanager
def running_system(
    *,
    services: Sequence[str] = SERVICES,
    settings: SystemSettings | None = None,
    database_settings: Mapping[str, str] | None = None,
) -> Iterator[BenchSystem]:
    """Give the servers with every topic, user and schema of the city, and the tables of the services named.

    No service process runs yet. `database_settings` replace the shipped ones of PostgreSQL.
    """
    with temporary_home(on_disk=True) as home:
        system = _described(home, settings or SystemSettings(), database_settings or {})
        children = start_servers(home, [system.kafka, system.postgres], seconds=_START_SECONDS)
        system.servers = {child.program.name: child for child in children}
        try:
            _prepare(system, services)
            yield system
        finally:
            stop_all(system.running)
            stop_all(children)


async def warm_broker(system: BenchSystem, count: int = WARM_EVENTS) -> None:
    """Make the broker do `count` times what clients will ask: small requests and acks, so that the JVM has compiled it.

    Without this the first side pays for it: ten times the CPU in the first few hundred events.
    """
    topic = f"warm-{count}-{time.monotonic_ns()}"
    system.create_topic(topic, partitions=_WARM_AT_ONCE)
    arguments = system.connection("bench.warm").client_arguments()
    producer = AIOKafkaProducer(**arguments, enable_idempotence=True, acks="all")
    consumer = AIOKafkaConsumer(topic, **arguments, group_id=topic, auto_offset_reset="earliest")
    await asyncio.gather(producer.start(), consumer.start())

    async def produce(partition: int) -> None:
        for _ in range(count // _WARM_AT_ONCE):
            await producer.send_and_wait(topic, _WARM_VALUE, partition=partition)

    async def consume() -> None:
        taken = 0
        while taken < count // _WARM_AT_ONCE * _WARM_AT_ONCE:
            batches = await consumer.getmany(timeout_ms=200, max_records=4)
            taken += sum(map(len, batches.values()))
            await consumer.commit()

    try:
        await asyncio.gather(consume(), *map(produce, range(_WARM_AT_ONCE)))
    finally:
        await asyncio.gather(producer.stop(), consumer.stop())


def _described(home: Home, settings: SystemSettings, database_settings: Mapping[str, str]) -> BenchSystem:
    settings = settings.model_copy(update={"home": home.root})
    credentials = load_credentials(home)
    ports = remembered_ports(home, (CLIENT_PORT, CONTROLLER_PORT, _PLAIN_PORT))
    kafka = _Kafka(home=home, credentials=credentials, ports=ports, heap=settings.kafka_heap)
    postgres = _Postgres(
        home=home,
        credentials=credentials,
        port=remembered_ports(home, (PORT,))[PORT],
        shared_buffers=settings.database_shared_buffers,
        connections=settings.database_connections,
        more=database_settings,
    )
    return BenchSystem(home=home, settings=settings, kafka=kafka, postgres=postgres)


def _prepare(system: BenchSystem, services: Sequence[str]) -> None:
    parties = Parties().with_more(source_codes(), department_codes())
    save_parties(system.home, parties)
    create_database(system.postgres.address())
    prepare_database(system.home, system.settings)
    provision_broker(system.home, system.settings, parties)
    TokenIssuer(load_credentials(system.home), system.settings.token_issuer).write_public_keys(system.home)
    for service in services:
        system.run_to_end(system.programs().migration(service))


def _wait(child: Child, home: Home, condition: Callable[[], bool], *, may_end: bool = False) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not condition():
        if not may_end:
            child.require_running()
        assert time.monotonic() < deadline, (
            f"{child.program.name} took too long: {log_tail(home.log(child.program.name))}"
        )
        time.sleep(0.05)


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == _READY
    except httpx.TransportError:
        return False
