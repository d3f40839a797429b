"""Kafka and PostgreSQL for the services: the embedded ones, or existing ones that the settings name.

Either way topics, users, rights, roles and schemas are brought to what the registry says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.embedded.credentials import SERVICES, load_credentials
from deploy.embedded.databases import DATABASE, create_database, plain_url, prepare_roles, with_database
from deploy.embedded.parties import load_parties
from deploy.embedded.servers import kafka_of, postgres_of
from deploy.embedded.services import Backbone
from shared.contracts.registry import topics
from shared.messaging.access import KafkaAccess
from shared.messaging.provisioning import Provisioned, principals, provision

if TYPE_CHECKING:
    from deploy.embedded.home import Home
    from deploy.embedded.parties import Parties
    from deploy.embedded.servers import Server
    from deploy.embedded.settings import SystemSettings
    from shared.contracts.registry import Topic


def embedded_servers(home: Home, settings: SystemSettings) -> list[Server]:
    """Return the servers to start: those that the settings do not replace."""
    servers: list[Server] = []
    if settings.kafka_bootstrap is None:
        servers.append(kafka_of(home, settings))
    if settings.database_url is None:
        servers.append(postgres_of(home, settings))
    return servers


def backbone_of(home: Home, settings: SystemSettings) -> Backbone:
    """Return how to reach the servers, with the rights to prepare them."""
    return Backbone(kafka=administration(home, settings), database_url=_database_url(home, settings))


def administration(home: Home, settings: SystemSettings) -> KafkaAccess:
    """Return the access of the principal that may provision the broker."""
    if settings.kafka_bootstrap is None:
        return kafka_of(home, settings).administration
    password = settings.kafka_password.get_secret_value() if settings.kafka_password else None
    return KafkaAccess(bootstrap=settings.kafka_bootstrap, username=settings.kafka_username, password=password)


def access_of(home: Home, settings: SystemSettings, principal: str) -> KafkaAccess:
    """Return how a principal (a service, `source.<slug>`, `department.<slug>`) reaches the broker."""
    admin = administration(home, settings)
    if admin.username is None:
        return admin
    password = load_credentials(home).kafka[principal]
    return KafkaAccess(bootstrap=admin.bootstrap, username=principal, password=password)


def provision_broker(home: Home, settings: SystemSettings, parties: Parties | None = None) -> Provisioned:
    """Bring topics, users and rights to what the registry says for the parties of this home."""
    wanted = _topics(parties or load_parties(home))
    passwords = load_credentials(home, principals(wanted)).kafka
    # Only our own broker is ours alone; an existing one may serve others, whose rights stay.
    exact = settings.kafka_bootstrap is None
    return provision(administration(home, settings), wanted, passwords, exact=exact)


def prepare_database(home: Home, settings: SystemSettings) -> None:
    """Make each service's role and schema; on the embedded server the database too."""
    if settings.database_url is None:
        create_database(postgres_of(home, settings).address())
    passwords = load_credentials(home).database
    prepare_roles(_database_url(home, settings), {service: passwords[service] for service in SERVICES})


def _topics(parties: Parties) -> tuple[Topic, ...]:
    return topics(parties.sources, parties.departments)


def _database_url(home: Home, settings: SystemSettings) -> str:
    if settings.database_url is not None:
        return plain_url(settings.database_url.get_secret_value())
    return with_database(postgres_of(home, settings).address(), DATABASE)
