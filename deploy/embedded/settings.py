"""What the environment says about the embedded system; nothing else in `deploy/embedded` reads it."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[2]


class SystemSettings(BaseSettings):
    """Where the system keeps its data, and which existing servers replace the embedded ones.

    `kafka_bootstrap` needs `kafka_username` and `kafka_password` of a principal that may create
    topics, users and ACLs (leave both out for a broker without authentication). `database_url` is
    the address of a role that may create roles and schemas in its database.
    Sizes are in the notation of the server that reads them. `start_seconds` is the patience with
    each part of the start. `services_package` holds the three services (tests put stand-ins there).
    """

    model_config = SettingsConfigDict(env_prefix="JOINT_", frozen=True)

    home: Path = PROJECT_ROOT / ".joint"
    kafka_bootstrap: str | None = None
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_heap: str = "320m"
    database_url: SecretStr | None = None
    database_shared_buffers: str = "128MB"
    database_connections: int = 100
    token_issuer: str = "https://joint.localhost/embedded"  # noqa: S105 - an address, not a secret
    log_format: str = "json"
    start_seconds: float = 90.0
    services_package: str = "services"
