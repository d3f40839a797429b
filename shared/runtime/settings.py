"""What the environment says to a process; a service's own `settings.py` names its ports and what it needs beside."""

import base64
from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.ledger.vault import Vault
from shared.messaging.connection import KafkaConnection


class ProcessSettings(BaseSettings):
    """Addresses and secrets of one process, from variables that begin with JOINT_.

    `database_url` is SQLAlchemy's form with asyncpg as driver, with the service's own role. Without `kafka_username`
    the broker is taken to have no authentication. `content_key` is base64 of 32 bytes. `jwks_file` holds the public
    keys of tokens, which `token_issuer` issues; the api role needs both. `crash_at` is for tests alone.
    """

    model_config = SettingsConfigDict(env_prefix="JOINT_", frozen=True)

    kafka_bootstrap: str = "127.0.0.1:9092"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    database_url: SecretStr
    content_key: SecretStr
    city: str = "jiaohe"
    host: str = "127.0.0.1"
    http_port: int
    health_port: int
    jwks_file: Path | None = None
    token_issuer: str | None = None
    log_format: Literal["json", "console"] = "json"
    crash_at: str | None = None

    def kafka(self, client_id: str) -> KafkaConnection:
        """Return how this process reaches Kafka; the broker's log shows it as `client_id`."""
        password = self.kafka_password
        return KafkaConnection(
            bootstrap=tuple(self.kafka_bootstrap.split(",")),
            client_id=client_id,
            username=self.kafka_username,
            password=password.get_secret_value() if password else None,
        )

    def vault(self) -> Vault:
        """Return the vault of the service.

        Raises:
            ValueError: if the content key is not base64 of 32 bytes.
        """
        return Vault(base64.b64decode(self.content_key.get_secret_value()))
