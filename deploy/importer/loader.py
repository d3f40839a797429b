"""Loads a foreign table through the public door: POST /v1/reports, a few rows at a time, row id = Idempotency-Key.

A second run changes nothing: the door answers each row as it did the first time.
"""

import asyncio
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.campaign.door import Door, Reply
from deploy.importer.mapping import MappingProblem, Row, TableMapping, missing_columns, row_id, submission_of
from shared.kernel.errors import FieldError

_HANDS: Final = 16
_QUEUE: Final = 64
_ADDED: Final = ("line", "reasons")
"""The columns before the table's own in the file of refused rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row that was not taken, and everything that is wrong with it. `line` is its last line in the file."""

    line: int
    row: Row
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What became of the rows."""

    accepted: int
    refused: tuple[RefusedRow, ...]


def open_table(path: Path, mapping: TableMapping) -> tuple[tuple[str, ...], int]:
    """Return the table's columns and how many rows it has.

    Raises:
        MappingProblem: when it is no table in UTF-8, or lacks columns that the mapping names.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            header = tuple(reader.fieldnames or ())
            count = sum(1 for _ in reader)
    except OSError as error:
        raise MappingProblem(f"{path}: cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise MappingProblem(f"{path}: not a CSV file in UTF-8: {error}.") from error
    missing = missing_columns(mapping, header)
    if missing:
        raise MappingProblem(f"{path}: no column {', '.join(missing)}, which the mapping names; it has: {header}.")
    return header, count


async def load(path: Path, mapping: TableMapping, door: Door, advance: Callable[[], None]) -> Loaded:
    """Send every row; `advance` is called when one is answered.

    Raises:
        Unreachable: when intake does not answer for long; what was answered stays, and the next run goes on.
    """
    waiting: asyncio.Queue[tuple[int, Row] | None] = asyncio.Queue(_QUEUE)
    refused: list[RefusedRow] = []
    accepted = 0

    async def hand() -> None:
        nonlocal accepted
        while (entry := await waiting.get()) is not None:
            line, row = entry
            reasons = await _send(row, mapping, door)
            if reasons:
                refused.append(RefusedRow(line=line, row=row, reasons=reasons))
            else:
                accepted += 1
            advance()

    async def feed() -> None:
        for entry in _rows(path):
            await waiting.put(entry)
        for _ in range(_HANDS):
            await waiting.put(None)

    workers = [asyncio.ensure_future(work()) for work in (feed, *[hand] * _HANDS)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
    return Loaded(accepted=accepted, refused=tuple(sorted(refused, key=lambda row: row.line)))


def write_refused(path: Path, header: Sequence[str], refused: Sequence[RefusedRow]) -> None:
    """Write the refused rows as they were, each with its line and every reason."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*_ADDED, *header])
        for row in refused:
            writer.writerow([row.line, "; ".join(row.reasons), *(row.row.get(name) or "" for name in header)])


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            yield reader.line_num, row


async def _send(row: Row, mapping: TableMapping, door: Door) -> tuple[str, ...]:
    """Return why the row was refused; nothing when it was taken."""
    key = row_id(row, mapping)
    report = submission_of(row, mapping)
    if isinstance(report, list):
        return tuple(map(_words, report))
    if not key:
        return (_words(FieldError(field=mapping.columns.id, code="required", message="The row has no id.")),)
    reply = await door.post("intake", "/v1/reports", report, key=key)
    return () if reply.accepted else _refusal(reply)


def _refusal(reply: Reply) -> tuple[str, ...]:
    errors = [FieldError(**error) for error in reply.document.get("errors") or ()]
    return tuple(map(_words, errors)) or (str(reply),)


def _words(error: FieldError) -> str:
    return f"{error.field}: {error.message} ({error.code})"
