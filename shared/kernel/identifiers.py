"""Identifiers: UUIDv7 for what happens in time (RFC 9562 section 5.7), UUIDv5 for what has a name."""

import hashlib
import os
import time
import uuid
from uuid import UUID

_NAMESPACE = UUID("6e1f6f0e-9d0b-5d0e-8f4c-220281000000")
_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_A_MASK = (1 << 12) - 1
_RANDOM_B_MASK = (1 << 62) - 1
_POOLED = 512
_pool: list[bytes] = []
os.register_at_fork(after_in_child=_pool.clear)


def new_id() -> UUID:
    """Return a new UUIDv7: sorted by its millisecond of creation, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(_random_bytes(), "big")
    random_a = (random >> 62) & _RANDOM_A_MASK
    return UUID(int=milliseconds << 80 | _VERSION_7 | random_a << 64 | _VARIANT | random & _RANDOM_B_MASK)


def _random_bytes() -> bytes:
    """Return ten bytes that nobody else gets; the system is asked for many at once."""
    try:
        return _pool.pop()
    except IndexError:
        fresh = os.urandom(10 * _POOLED)
        _pool.extend(fresh[start : start + 10] for start in range(0, len(fresh), 10))
        return os.urandom(10)


def named_id(*parts: str) -> UUID:
    """Return the UUIDv5 that belongs to this name in Joint's namespace; the same parts give the same id."""
    return uuid.uuid5(_NAMESPACE, "\x1f".join(parts))


def named_text(*parts: str) -> str:
    """Return the text of the UUIDv8 (RFC 9562 section 5.8) of this name, for identifiers that only travel."""
    name = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
    return f"{name[:8]}-{name[8:12]}-8{name[13:16]}-8{name[17:20]}-{name[20:]}"
