"""The embedded servers and their supervisor: what they start, refuse, remember, and how they end."""

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import psutil
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from pydantic import SecretStr

from deploy.embedded.credentials import load_credentials
from deploy.embedded.databases import plain_url, run_to_end, with_database
from deploy.embedded.errors import SystemFailure
from deploy.embedded.home import Home
from deploy.embedded.identity import TokenIssuer
from deploy.embedded.ports import LOOPBACK, is_free, remembered_ports
from deploy.embedded.services import PROCESSES, process_addresses
from deploy.embedded.settings import SystemSettings
from deploy.embedded.status import system_status
from deploy.embedded.system import SUPERVISOR, AlreadyRunning, System
from shared.messaging.provisioning import create_topics
from tests.support.servers import Broker, Postgres, plain_topic, temporary_home, unique_name
from tests.support.standins import CRASH_CODE
from tests.support.systems import assert_nothing_runs, wait_for


@pytest.fixture(scope="module")
def running(standins: Path) -> Iterator[System]:
    """Return a system that runs beside the others, for the tests that only look."""
    with temporary_home() as home, System(SystemSettings(home=home.root), report=lambda _: None) as system:
        yield system


def test_a_broker_makes_a_topic_once(broker: Broker) -> None:
    topic = broker.fresh_topic("orders", partitions=3)
    assert create_topics(broker.access, [plain_topic(topic, partitions=3)]) == ()


async def test_a_fresh_database_is_empty_and_its_role_owns_it(postgres: Postgres) -> None:
    session = await asyncpg.connect(plain_url(postgres.fresh_database("ledger")))
    try:
        await session.execute("CREATE TABLE events (id bigint)")
        schema = await session.fetchval(
            "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'events'::regclass"
        )
        assert schema == await session.fetchval("SELECT current_user")
    finally:
        await session.close()


async def test_a_role_sees_nothing_of_another_roles_schema(postgres: Postgres) -> None:
    owner = await asyncpg.connect(plain_url(postgres.fresh_database("intake")))
    stranger = await asyncpg.connect(plain_url(postgres.fresh_database("dispatch")))
    try:
        schema = await owner.fetchval("SELECT current_schema()")
        await owner.execute("CREATE TABLE reports (id bigint)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await stranger.fetch(f"SELECT * FROM {schema}.reports")
    finally:
        await owner.close()
        await stranger.close()


def test_every_process_of_a_running_system_answers_and_has_its_own_principal(running: System) -> None:
    for name, address in process_addresses(running.home).items():
        assert httpx.get(f"{address}/readyz", trust_env=False).status_code == 200
        service, _, role = name.partition("-")
        assert running.home.log(name).read_text() == f"{service} {role} as {service}\n"


def test_a_running_system_listens_on_loopback_alone(running: System) -> None:
    listening = [
        connection.laddr.ip
        for child in running.children.values()
        for connection in psutil.Process(child.pid).net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= len(PROCESSES) + 3
    assert {address.removeprefix("::ffff:") for address in listening} == {LOOPBACK}


def test_status_shows_memory_lag_and_the_length_of_the_start(running: System) -> None:
    found = system_status(running.home)
    assert found.running
    assert {process.name for process in found.processes} == {"kafka", "postgres", *PROCESSES, SUPERVISOR}
    assert all(process.memory for process in found.processes)
    assert found.memory < 1.5 * 1024**3
    assert {process.lag for process in found.processes if process.name.endswith("worker")} == {7.0}
    assert {process.due for process in found.processes if process.name.endswith("worker")} == {0}
    assert json.loads(found.to_json())["memory"] == found.memory


def test_a_second_start_of_the_same_home_is_refused_and_disturbs_nothing(running: System) -> None:
    with pytest.raises(AlreadyRunning):
        System(running.settings, report=lambda _: None).start()
    assert all(child.exit_code is None for child in running.children.values())


def test_a_service_can_be_restarted_while_the_others_go_on(running: System) -> None:
    before = {name: child.pid for name, child in running.children.items()}
    running.restart("dispatch-worker")
    changed = {name for name, child in running.children.items() if child.pid != before[name]}
    assert changed == {"dispatch-worker"}


def test_secrets_are_readable_by_their_owner_alone(running: System) -> None:
    for file in (running.home.credentials, running.home.kafka / "server.properties"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    public = running.home.public_keys.read_text()
    assert '"d"' not in public


def test_no_password_is_on_a_command_line(running: System) -> None:
    secrets = json.loads(running.home.credentials.read_text())
    words = [*secrets["kafka"].values(), *secrets["database"].values(), *secrets["content_keys"].values()]
    for child in running.children.values():
        line = " ".join(psutil.Process(child.pid).cmdline())
        assert not any(word in line for word in words)


def test_ports_passwords_and_data_survive_a_restart(home: Home) -> None:
    with System(SystemSettings(), report=lambda _: None):
        kept = [home.credentials.read_text(), home.ports.read_text()]
    with System(SystemSettings(), report=lambda _: None) as system:
        assert [home.credentials.read_text(), home.ports.read_text()] == kept
        assert all(child.exit_code is None for child in system.children.values())


def test_a_service_that_ends_during_the_start_is_shown_with_the_end_of_its_log(home: Home, standins: Path) -> None:
    order = standins / "dispatch-api.crash"
    order.touch()
    try:
        with pytest.raises(SystemFailure) as failure:
            System(SystemSettings(), report=lambda _: None).start()
    finally:
        order.unlink()
    assert f"dispatch-api ended by itself (exit code {CRASH_CODE})" in failure.value.what
    assert "the reason why it ended" in failure.value.what
    assert_nothing_runs(home)


def test_a_migration_that_fails_ends_the_start(home: Home, standins: Path) -> None:
    order = standins / "intake-migrate.crash"
    order.touch()
    try:
        with pytest.raises(SystemFailure, match="intake-migrate failed"):
            System(SystemSettings(), report=lambda _: None).start()
    finally:
        order.unlink()
    assert_nothing_runs(home)


def test_a_port_that_somebody_else_took_is_named(home: Home) -> None:
    port = remembered_ports(home, ["intake-api"])["intake-api"]
    blocker = subprocess.Popen([sys.executable, "-m", "http.server", str(port), "--bind", LOOPBACK])
    try:
        wait_for(lambda: not is_free(port))
        with pytest.raises(SystemFailure, match=f"Port {port} of intake-api is in use"):
            System(SystemSettings(), report=lambda _: None).start()
    finally:
        blocker.kill()
        blocker.wait()


def test_existing_servers_are_used_instead_of_the_embedded_ones(
    standins: Path, broker: Broker, postgres: Postgres
) -> None:
    with temporary_home() as home:
        settings = SystemSettings(
            home=home.root,
            kafka_bootstrap=broker.bootstrap,
            kafka_username=broker.access.username,
            kafka_password=SecretStr(broker.access.password or ""),
            database_url=SecretStr(_url_of_a_mere_role(postgres)),
        )
        with System(settings, report=lambda _: None) as system:
            assert set(system.children) == set(PROCESSES)
            used = system.children["intake-api"].program.environment
            assert used["JOINT_KAFKA_BOOTSTRAP"] == broker.bootstrap
            assert not home.postgres.exists()


def test_a_token_says_who_calls_and_is_verified_by_the_public_keys(tmp_path: Path) -> None:
    home = Home(root=tmp_path / "home")
    home.prepare()
    issuer = TokenIssuer(load_credentials(home), "https://issuer.test")
    issuer.write_public_keys(home)
    token = issuer.issue("console", "chengguan", "checker", person="li", lifetime=timedelta(minutes=5))

    keys = KeySet.import_key_set(json.loads(home.public_keys.read_text()))
    claims = jwt.decode(token, keys, algorithms=["ES256"]).claims

    assert {name: claims[name] for name in ("iss", "aud", "sub", "unit", "post", "person")} == {
        "iss": "https://issuer.test",
        "aud": "joint",
        "sub": "console",
        "unit": "chengguan",
        "post": "checker",
        "person": "li",
    }
    assert claims["exp"] - claims["iat"] == 300


def _url_of_a_mere_role(postgres: Postgres) -> str:
    """Return the URL of a new database whose owner may create roles and is no superuser."""
    name = unique_name("city").replace("-", "_")
    statements = [
        f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD 'invented'",
        f"CREATE DATABASE {name} OWNER {name}",
    ]

    async def make() -> None:
        session = await asyncpg.connect(postgres.owner_url)
        try:
            for statement in statements:
                await session.execute(statement)
        finally:
            await session.close()

    run_to_end(make())
    return with_database(postgres.owner_url, name).replace(
        urlsplit(postgres.owner_url).netloc, f"{name}:invented@{urlsplit(postgres.owner_url).netloc.partition('@')[2]}"
    )


def test_roles_can_be_prepared_by_several_at_a_time(postgres: Postgres) -> None:
    with ThreadPoolExecutor(4) as pool:
        urls = list(pool.map(postgres.fresh_database, ["together"] * 16))
    assert len(set(urls)) == 16
