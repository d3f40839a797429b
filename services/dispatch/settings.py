"""What the environment says to dispatch; nothing else in the service reads it."""

from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Addresses and secrets of one process.

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
    http_port: int = 8002
    health_port: int = 8102
    jwks_file: Path | None = None
    token_issuer: str | None = None
    log_format: Literal["json", "console"] = "json"
    crash_at: str | None = None
