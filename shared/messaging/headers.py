"""Header names that are not UTF-8 must not stop a consumer.

aiokafka 0.14 decodes header names strictly while it unpacks a fetched batch. One bad name makes the whole poll fail,
for ever, and drops what the same poll had already unpacked of other partitions: one party could silence and lose the
others. Here a batch with such a name is unpacked a second time, by aiokafka's own Python code, leniently.
"""

import struct
from collections.abc import Iterator
from typing import Any, Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LENGTH_AT: Final = struct.calcsize(">q")
_OVERHEAD: Final = struct.calcsize(">qi")


def tolerate_header_names() -> None:
    """Make every consumer of this process read header names of any bytes; what is not UTF-8 is written in escapes."""
    fetcher.MemoryRecords = TolerantRecords


class TolerantRecords:
    """The batches of one fetched partition: aiokafka's `MemoryRecords`, with tolerant batches."""

    def __init__(self, fetched: bytes) -> None:
        self._records = MemoryRecords(fetched)
        self._fetched = fetched
        self._position = 0

    def size_in_bytes(self) -> int:
        """Return the size of everything that was fetched."""
        return len(self._fetched)

    def has_next(self) -> bool:
        """Say whether there is another whole batch."""
        return bool(self._records.has_next())

    def next_batch(self) -> "TolerantBatch":
        """Return the next batch."""
        start = self._position
        (length,) = struct.unpack_from(">i", self._fetched, start + _LENGTH_AT)
        self._position = start + _OVERHEAD + length
        return TolerantBatch(self._records.next_batch(), self._fetched[start : self._position])


class TolerantBatch:
    """One batch: aiokafka's own, but its records can always be read."""

    def __init__(self, batch: Any, raw: bytes) -> None:  # noqa: ANN401 - aiokafka has a class a format
        self._batch = batch
        self._raw = raw
        self._records: Iterator[Any] | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else the fetcher asks of a batch
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:  # noqa: ANN401 - aiokafka has a class a format
        if self._records is None:
            self._records = iter(self._unpack())
        return next(self._records)

    def _unpack(self) -> list[Any]:
        try:
            return list(self._batch)
        except UnicodeDecodeError:
            return list(_LenientBatch(self._raw))


class _LenientBytes(bytearray):
    """Bytes that decode whatever they are; so do their slices."""

    def __getitem__(self, item: Any) -> Any:  # noqa: ANN401 - an index or a slice, as in bytearray
        found = super().__getitem__(item)
        return _LenientBytes(found) if isinstance(item, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # final for type checkers only
    """aiokafka's Python batch, over bytes that decode leniently."""

    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _LenientBytes(self._buffer)
