"""Prepares the servers of docker-compose.yml with the functions of the embedded system, and ends.

Database, roles and schemas; topics, users and rights of the services and of every party of the city; the keys of
tokens. Run as `python -m deploy.docker.provision`; a second run changes nothing.
"""

import dataclasses
import sys
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.cli.running import know_the_city, this_stage
from deploy.embedded.backbone import administration, backbone_of, prepare_database, provision_broker
from deploy.embedded.credentials import load_credentials
from deploy.embedded.databases import create_database, wait_for_database
from deploy.embedded.errors import SystemFailure
from deploy.embedded.home import Home, write_private
from deploy.embedded.identity import TokenIssuer
from shared.kernel.errors import Unavailable
from shared.messaging.access import wait_until_ready


class ProvisionSettings(BaseSettings):
    """What this needs beside the settings of `deploy/embedded`.

    The secrets of the services by service, as the processes get them; `keys` is the folder that gets the public keys
    of tokens.
    """

    model_config = SettingsConfigDict(env_prefix="JOINT_", frozen=True)

    kafka_passwords: dict[str, str]
    database_passwords: dict[str, str]
    content_keys: dict[str, str]
    keys: Path


def provision(given: ProvisionSettings) -> str:
    """Bring the servers to what the registry says; return a line for a person.

    Raises:
        Unavailable: if a server does not answer in time or refuses.
    """
    stage = this_stage()
    home, settings = stage.home, stage.settings
    know_the_city(stage)
    take_over(home, given)
    database = backbone_of(home, settings).database_url
    wait_for_database(database, seconds=settings.start_seconds)
    create_database(database)
    prepare_database(home, settings)
    wait_until_ready(administration(home, settings), seconds=settings.start_seconds)
    done = provision_broker(home, settings)
    TokenIssuer(load_credentials(home), settings.token_issuer).write_public_keys(Home(root=given.keys))
    return f"{len(done.topics_created)} topics made, {len(done.users)} users, {done.rights_granted} rights granted."


def take_over(home: Home, given: ProvisionSettings) -> None:
    """Keep the given secrets of the services in the home, beside those of the parties, which are made there."""
    known = load_credentials(home)
    credentials = dataclasses.replace(
        known,
        kafka=known.kafka | given.kafka_passwords,
        database=known.database | given.database_passwords,
        content_keys=known.content_keys | given.content_keys,
    )
    write_private(home.credentials, credentials.to_json())


def main() -> int:
    """Provision, or say what failed; return the exit code."""
    try:
        print(provision(ProvisionSettings()))  # type: ignore[call-arg]  # the environment gives them
    except (SystemFailure, Unavailable) as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
