"""How administrators and command-line clients reach a broker (librdkafka); services use `connection.py`."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from shared.kernel.errors import Unavailable

_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class KafkaAccess:
    """How to reach a broker. Without a user name the broker is taken to have no authentication."""

    bootstrap: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def client_settings(self) -> dict[str, str | int | float | bool]:
        """Return the settings of a librdkafka client."""
        address: dict[str, str | int | float | bool] = {
            "bootstrap.servers": self.bootstrap,
            "reconnect.backoff.max.ms": 200,
            # Warnings and worse: what it merely tells would stand among what a command prints for people.
            "log_level": 4,
        }
        if self.username is None:
            return address
        return address | {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": self.username,
            "sasl.password": self.password or "",
        }


def wait_until_ready(access: KafkaAccess, *, seconds: float, while_waiting: Callable[[], None] = lambda: None) -> None:
    """Return when the broker answers this user; `while_waiting` is called between attempts.

    Raises:
        Unavailable: if it does not within `seconds`; the last reason is in the message.
    """
    # What a broker that is still starting does to a client is expected and not worth a line each.
    admin = AdminClient(access.client_settings() | {"log_level": 0})
    deadline = time.monotonic() + seconds
    reason = "no attempt was made"
    while time.monotonic() < deadline:
        while_waiting()
        try:
            if admin.list_topics(timeout=1.0).brokers:
                return
        except KafkaException as error:
            reason = str(error)
        time.sleep(_POLL_SECONDS)
    raise Unavailable(f"Kafka at {access.bootstrap} did not answer within {seconds:.0f} s: {reason}")
