"""What the environment says to intake; nothing else in the service reads it."""

from shared.runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    """Addresses and secrets of one process of intake."""

    http_port: int = 8001
    health_port: int = 8101
