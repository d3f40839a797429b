"""How the six processes of the system are started, and where they answer."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from deploy.embedded.credentials import SERVICES
from deploy.embedded.databases import service_url
from deploy.embedded.ports import LOOPBACK, remembered_ports
from deploy.embedded.processes import Program
from deploy.embedded.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from deploy.embedded.credentials import Credentials
    from deploy.embedded.home import Home
    from deploy.embedded.settings import SystemSettings
    from shared.messaging.access import KafkaAccess

API: Final = "api"
WORKER: Final = "worker"
ROLES: Final = (API, WORKER)
PROCESSES: Final = tuple(f"{service}-{role}" for service in SERVICES for role in ROLES)


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """The servers that the services use: a broker for its administrator, a database for its owner."""

    kafka: KafkaAccess
    database_url: str


def process_addresses(home: Home) -> dict[str, str]:
    """Return `http://host:port` of each process: an API's pages, a worker's health and metrics."""
    return {name: f"http://{LOOPBACK}:{port}" for name, port in remembered_ports(home, PROCESSES).items()}


def api_addresses(home: Home) -> dict[str, str]:
    """Return `http://host:port` of each service's API."""
    found = process_addresses(home)
    return {service: found[f"{service}-{API}"] for service in SERVICES}


@dataclass(frozen=True, kw_only=True)
class ServicePrograms:
    """Makes the programs of one home; everything they need to know is in their environment."""

    home: Home
    settings: SystemSettings
    credentials: Credentials
    backbone: Backbone

    def migration(self, service: str) -> Program:
        """Return the program that brings the service's tables up to date and ends."""
        return self._program(f"{service}-migrate", service, "migrate", {})

    def process(self, service: str, role: str) -> Program:
        """Return one of the six processes."""
        name = f"{service}-{role}"
        port = remembered_ports(self.home, [name])[name]
        variable = "JOINT_HTTP_PORT" if role == API else "JOINT_HEALTH_PORT"
        return self._program(name, service, role, {variable: str(port)})

    def _program(self, name: str, service: str, role: str, more: dict[str, str]) -> Program:
        return Program(
            name=name,
            command=(sys.executable, "-m", f"{self.settings.services_package}.{service}", role),
            folder=PROJECT_ROOT,
            environment=self._environment(service) | more,
        )

    def _environment(self, service: str) -> dict[str, str]:
        kafka = {"JOINT_KAFKA_BOOTSTRAP": self.backbone.kafka.bootstrap}
        if self.backbone.kafka.username is not None:
            kafka |= {"JOINT_KAFKA_USERNAME": service, "JOINT_KAFKA_PASSWORD": self.credentials.kafka[service]}
        return kafka | {
            "JOINT_DATABASE_URL": service_url(self.backbone.database_url, service, self.credentials.database[service]),
            "JOINT_CONTENT_KEY": self.credentials.content_keys[service],
            "JOINT_JWKS_FILE": str(self.home.public_keys),
            "JOINT_TOKEN_ISSUER": self.settings.token_issuer,
            "JOINT_LOG_FORMAT": self.settings.log_format,
        }
