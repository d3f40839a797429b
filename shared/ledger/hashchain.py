"""The hash chain of a stream (I-17): each event's hash covers its envelope, its stored bytes and its predecessor."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.contracts.envelope import instant_text

GENESIS: Final = bytes(32)
"""What the first event of a stream follows."""


def chained(
    previous: bytes, *, event: UUID, stream: UUID, sequence: int, type_: str, at: datetime, data: bytes
) -> bytes:
    """Return the hash of an event that follows the one with hash `previous`."""
    envelope = f"{type_}\x1f{instant_text(at)}\x1f".encode()
    parts = (previous, event.bytes, stream.bytes, sequence.to_bytes(8, "big"), envelope, data)
    return hashlib.sha256(b"".join(parts)).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle root of the leaves (RFC 6962 section 2.1: leaf prefix 0, node prefix 1)."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]
