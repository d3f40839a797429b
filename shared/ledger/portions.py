"""A batch is at most 2,000 items or 4 MiB (design section 1): whatever comes is cut so."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from shared.contracts.records import Record
from shared.ledger.commands import Command

MAXIMUM_ITEMS: Final = 2000
MAXIMUM_BYTES: Final = 4 * 1024 * 1024

T = TypeVar("T")


def portions(items: Sequence[T], size_of: Callable[[T], int]) -> Iterator[Sequence[T]]:
    """Cut items into batches, in their order; one that is too large for every batch goes alone."""
    start, size = 0, 0
    for number, item in enumerate(items):
        length = size_of(item)
        if number > start and (number - start >= MAXIMUM_ITEMS or size + length > MAXIMUM_BYTES):
            yield items[start:number]
            start, size = number, 0
        size += length
    if start < len(items):
        yield items[start:]


def record_size(record: Record) -> int:
    """Return how many bytes a record brings."""
    return len(record.value or b"")


def command_size(command: Command) -> int:
    """Return about how many bytes a command brings: those of its body, as it would travel."""
    return len(msgspec.msgpack.encode(command.body))
