"""How a process reaches Kafka: one place for the settings of its consumers and of its producer."""

import logging
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from faststream.kafka import KafkaBroker
from faststream.security import SASLScram512

from shared.messaging.headers import tolerate_header_names

DRAIN_SECONDS: Final = 25.0
"""The longest that a rebalance or a shutdown waits for a running batch; below the group's rebalance timeout."""

_METADATA_AGE_MS: Final = 10_000
"""How soon a new topic of a party is noticed by a consumer of a pattern."""
_MAXIMUM_BATCH_BYTES: Final = 900_000
"""Below the broker's default limit of 1 MiB for a batch; a batch is sent compressed by nothing."""
_REQUEST_TIMEOUT_MS: Final = 40_000
"""A join of a group waits this long: more than its rebalance timeout."""


@dataclass(frozen=True, kw_only=True)
class KafkaConnection:
    """A broker's address and the principal that we are there; no user name means no authentication.

    `client_id` is `<service>.<role>.<instance>`: the broker's log names clients by it.
    """

    bootstrap: tuple[str, ...]
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        tolerate_header_names()

    def client_arguments(self) -> dict[str, Any]:
        """Return what every client of aiokafka needs to reach this broker as this principal."""
        arguments: dict[str, Any] = {"bootstrap_servers": list(self.bootstrap), "client_id": self.client_id}
        if self.username is None:
            return arguments
        return arguments | {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password or "",
        }

    def broker(self) -> KafkaBroker:
        """Return a FastStream broker that only consumes: what we publish goes through the outbox."""
        return KafkaBroker(
            list(self.bootstrap),
            client_id=self.client_id,
            security=self._security(),
            consumer_only=True,
            allow_auto_create_topics=False,
            metadata_max_age_ms=_METADATA_AGE_MS,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            graceful_timeout=DRAIN_SECONDS,
            apply_types=False,
            logger=_logger(),
            log_level=logging.DEBUG,
        )

    def producer(self) -> AIOKafkaProducer:
        """Return a producer that is not started: idempotent, and acknowledged by all replicas in sync."""
        return AIOKafkaProducer(
            **self.client_arguments(),
            enable_idempotence=True,
            acks="all",
            max_batch_size=_MAXIMUM_BATCH_BYTES,
            linger_ms=0,
        )

    def _security(self) -> SASLScram512 | None:
        if self.username is None:
            return None
        return SASLScram512(self.username, self.password or "", use_ssl=False)


def _logger() -> logging.Logger:
    """Return FastStream's logger: below ERROR it says what our own lines say, and that it creates no topics."""
    logger = logging.getLogger("joint.faststream")
    logger.setLevel(logging.ERROR)
    return logger
