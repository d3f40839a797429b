"""A Kafka record as it came, whatever is in it; the messaging package makes them, everybody else reads them."""

from datetime import datetime

from shared.contracts.common import Message


class Record(Message, frozen=True, kw_only=True):
    """One record of a topic. `timestamp` is the broker's (LogAppendTime) or the producer's, UTC."""

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None

    @property
    def place(self) -> str:
        """Return topic:partition:offset, which names the record for people."""
        return f"{self.topic}:{self.partition}:{self.offset}"
