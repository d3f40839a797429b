"""From aiokafka's records to ours: total, whatever a stranger has put into one (I-3)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import ConsumerRecord

from shared.contracts.records import Record

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_record(raw: "ConsumerRecord[Any, Any]") -> Record:
    """Return a record as it came; never raises.

    A header without value keeps None. A timestamp that is absent or that no calendar knows becomes 1970-01-01, so
    that nothing counts as later than it can be.
    """
    return Record(
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        timestamp=_instant(raw.timestamp),
        key=_bytes(raw.key),
        headers=tuple((str(name), _bytes(value)) for name, value in raw.headers or ()),
        value=_bytes(raw.value),
    )


def to_records(batch: "Iterable[ConsumerRecord[Any, Any]]") -> tuple[Record, ...]:
    """Return a batch's records in the order in which they came."""
    return tuple(to_record(raw) for raw in batch)


def _instant(milliseconds: int) -> datetime:
    if milliseconds <= 0:
        return _EPOCH
    try:
        return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return _EPOCH


def _bytes(value: bytes | bytearray | None) -> bytes | None:
    return None if value is None else bytes(value)
