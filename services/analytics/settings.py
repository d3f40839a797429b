"""What the environment says to analytics; nothing else in the service reads it."""

from shared.runtime.settings import ProcessSettings


class Settings(ProcessSettings):
    """Addresses and secrets of one process of analytics."""

    http_port: int = 8003
    health_port: int = 8103
    rebuild_patience_seconds: float = 60.0
    """How long a rebuild waits until it and the live read model have counted the same."""
