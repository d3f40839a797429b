"""Lots: how messages lie in the outbox, many of one topic in one row (ADR 0013)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from shared.ledger.draft import OutboxRow

MAXIMUM_MESSAGES: Final = 250
_MAXIMUM_BYTES: Final = 1024 * 1024

_Message = tuple[bytes, tuple[tuple[str, bytes], ...], bytes | None]
_DECODER: Final = msgspec.msgpack.Decoder(list[_Message])


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `outbox`: messages of one topic in the order in which they must reach their partitions."""

    id: int
    topic: str
    rows: Sequence[OutboxRow]


def pack(rows: Sequence[OutboxRow]) -> bytes:
    """Return messages as a lot holds them."""
    return msgspec.msgpack.encode([(row.key, row.headers, row.value) for row in rows])


def unpack(number: int, topic: str, packed: bytes, first: int = 0) -> Lot:
    """Return the lot with this id; its messages are numbered from `first`."""
    rows = [
        OutboxRow(id=own, topic=topic, key=key, headers=headers, value=value)
        for own, (key, headers, value) in enumerate(_decode(packed), start=first)
    ]
    return Lot(id=number, topic=topic, rows=rows)


def lots_of(rows: Sequence[OutboxRow]) -> Iterator[Sequence[OutboxRow]]:
    """Cut messages into lots: each has one topic, keeps the order, and is neither too many nor too large."""
    by_topic: dict[str, list[OutboxRow]] = defaultdict(list)
    for row in rows:
        by_topic[row.topic].append(row)
    for of_topic in by_topic.values():
        start, size = 0, 0
        for number, row in enumerate(of_topic):
            length = len(row.value or b"")
            if number > start and (number - start >= MAXIMUM_MESSAGES or size + length > _MAXIMUM_BYTES):
                yield of_topic[start:number]
                start, size = number, 0
            size += length
        yield of_topic[start:]


def _decode(packed: bytes) -> list[_Message]:
    return _DECODER.decode(packed)
