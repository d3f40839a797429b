"""What the environment says to dispatch; nothing else in the service reads it."""

from shared.runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    """Addresses and secrets of one process of dispatch."""

    http_port: int = 8002
    health_port: int = 8102
