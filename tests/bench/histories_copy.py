"""Multiply a history: the same case with other ids, at another time, with a hash chain of its own, as rows for COPY.

The rows of a story are encoded once, in PostgreSQL's binary COPY format. Whatever differs from case to case (ids,
instants, hashes) is found in those bytes and replaced, so that a million cases cost a few joins of bytes each.
"""

import random
import re
import struct
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from services.dispatch.queries import EVENTS
from services.dispatch.tables import cases, ledger
from shared.contracts.envelope import instant_text
from shared.contracts.registry import INTAKE_REPORTS
from shared.ledger.draft import EventRow, RequestRow, StreamState
from shared.ledger.hashchain import GENESIS, chained
from tests.bench.histories import SERIAL, Story

HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER: Final = b"\xff\xff"
TABLES: Final[Mapping[str, Sequence[str]]] = {
    "cases": [column.name for column in cases.columns],
    "events": list(EventRow.__struct_fields__),
    "positions": [column.name for column in ledger.positions.columns],
    "requests": [column.name for column in ledger.requests.columns],
}
"""Tables that a history fills, with their columns in the order of the rows."""
COPIES: Final = ("cases", "events", "events", "events", "positions", "requests")
"""The table of each COPY that makes cases, in their order. Large events come before small ones: a
city writes a few rows at a time, and small ones fill what large ones leave of a page. Of the pages that the worker
writes 2.5 % have room for a small event in the end; of those that are copied case by case it is 20 %, which new events
then fill one by one, each writing an old page to PostgreSQL's log."""

_EVENT_SIZES: Final = (range(600, sys.maxsize), range(460, 600), range(460))
"""Bytes of an event's row in each COPY of events."""
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NOISE: Final = 10
"""Random bytes of an identifier."""
_ID: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_INSTANT: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?(?=Z)")
_VERSION: Final = [bytes([0x70 | number & 0x0F]) for number in range(256)]
_VARIANT: Final = [bytes([0x80 | number & 0x3F]) for number in range(256)]


class Pattern:
    """Bytes with gaps: what fills each gap is named by its place in a list of values."""

    def __init__(self, example: bytes, marks: Mapping[bytes, int]) -> None:
        self._parts: list[bytes] = []
        wanted, end = [], 0
        for found in re.compile(b"|".join(map(re.escape, sorted(marks, key=len, reverse=True)))).finditer(example):
            self._parts += [example[end : found.start()], b""]
            wanted.append(marks[found.group()])
            end = found.end()
        self._parts.append(example[end:])
        # With one place alone an itemgetter gives no tuple.
        self._wanted = itemgetter(*wanted) if len(wanted) > 1 else itemgetter(slice(wanted[0], wanted[0] + 1))

    def filled(self, values: Sequence[bytes]) -> bytes:
        """Return the bytes with these values."""
        self._parts[1::2] = self._wanted(values)
        return b"".join(self._parts)


@dataclass(frozen=True, kw_only=True)
class Multiplied:
    """One case made of a story: its id and its rows for each of `COPIES`."""

    case: UUID
    copies: Sequence[bytes]


class Multiplier:
    """Makes cases of one story."""

    def __init__(self, story: Story) -> None:
        self.story = story
        copies = _copies(story)
        chains = [_chained_bytes(row) for row in story.events]
        everything = b"".join([*copies, *chains])
        identities = [story.problem.id, *(row.event for row in story.events)]
        texts = sorted(set(_ID.findall(everything)) - {str(story.problem.id).encode()})
        # The case's own id comes first: it is the only one that is told both as bytes and as text.
        self._binary = [identity.int >> 80 for identity in identities]
        self._texts = [UUID(text.decode()).int >> 80 for text in texts]
        self._number = story.state.state.opened.number.encode()
        self._instants = sorted(_instants(story, everything))
        self._digests = sorted({row.digest for row, _ in story.requests})
        marks = [
            *(identity.bytes for identity in identities),
            str(story.problem.id).encode(),
            *texts,
            self._number,
            *(_wire(at) for at in self._instants),
            *(_short(at) for at in self._instants),
            *self._digests,
            *(row.hash for row in story.events),
        ]
        places = {mark: number for number, mark in enumerate(marks)}
        assert len(places) == len(marks), "two things of a story that differ look alike"
        self._chains = [Pattern(chain, places) for chain in chains]
        self._copies = [Pattern(example, places) for example in copies]

    def case(self, began: datetime, chance: random.Random) -> Multiplied:
        """Return the case as it would be, had it begun then (to the second)."""
        values = self._values(round((began - self.story.began).total_seconds()), chance)
        head = GENESIS
        for chain in self._chains:
            head = sha256(head + chain.filled(values)).digest()
            values.append(head)
        return Multiplied(case=UUID(bytes=values[0]), copies=[pattern.filled(values) for pattern in self._copies])

    def _values(self, seconds: int, chance: random.Random) -> list[bytes]:
        """Return what fills the gaps, in the order of the marks, but the hashes, which need it."""
        binary, known = len(self._binary), self._binary + self._texts
        shift, milliseconds = timedelta(seconds=seconds), seconds * 1000
        noise = chance.randbytes(_NOISE * len(known))
        ids = [
            _identity(at + milliseconds, noise[_NOISE * number : _NOISE * (number + 1)])
            for number, at in enumerate(known)
        ]
        instants = [at + shift for at in self._instants]
        return [
            *ids[:binary],
            _text(ids[0]),
            *map(_text, ids[binary:]),
            _numbered(self._number, ids[0]),
            *map(_wire, instants),
            *map(_short, instants),
            # Nobody repeats these requests: their digests need to look like digests.
            *(chance.randbytes(len(digest)) for digest in self._digests),
        ]


def _copies(story: Story) -> list[bytes]:
    events = [_row(ledger.events, msgspec.structs.asdict(row)) for row in story.events]
    copies = [
        _case(story.state),
        *(b"".join(row for row in events if len(row) in sizes) for sizes in _EVENT_SIZES),
        _row(
            ledger.positions,
            {"consumer": EVENTS, "topic": INTAKE_REPORTS, "stream": story.state.stream, "sequence": story.taken},
        ),
        b"".join(_request(row, at) for row, at in story.requests),
    ]
    assert all(copies), "a story has no event of some size"
    return copies


def _case(state: StreamState) -> bytes:
    columns = {
        "stream": state.stream,
        "sequence": state.sequence,
        "head": state.head,
        "changed_at": state.changed_at,
        "state": msgspec.json.encode(state.state),
        **state.aggregate.columns(state.state),
    }
    return _row(cases, columns)


def _request(row: RequestRow, at: datetime) -> bytes:
    values = {
        "party": row.party,
        "key": row.key,
        "digest": row.digest,
        "answer": msgspec.json.encode(row.answer),
        "answered_at": at,
    }
    return _row(ledger.requests, values)


def _row(table: sa.Table, values: Mapping[str, object]) -> bytes:
    names = TABLES[table.name]
    fields = [_field(table.columns[name].type, values[name]) for name in names]
    return struct.pack(">h", len(fields)) + b"".join(fields)


def _field(type_: sa.types.TypeEngine[Any], value: object) -> bytes:
    if value is None:
        return struct.pack(">i", -1)
    content = _content(type_, value)
    return struct.pack(">i", len(content)) + content


def _content(type_: sa.types.TypeEngine[Any], value: object) -> bytes:
    match value:
        case _ if isinstance(type_, sa.JSON):
            return b"\x01" + msgspec.json.encode(value)
        case UUID():
            return value.bytes
        case datetime():
            return _wire(value)
        case bool():
            return struct.pack(">?", value)
        case int():
            return struct.pack(">q", value)
        case str():
            return value.encode()
        case bytes():
            return value
        case _:
            raise TypeError(f"{type_}: {value!r}")


def _chained_bytes(row: EventRow) -> bytes:
    """Return what the event's hash covers beside its predecessor's (the contract of `shared.ledger.hashchain`)."""
    envelope = f"{row.type}\x1f{instant_text(row.occurred_at)}\x1f".encode()
    covered = row.event.bytes + row.stream.bytes + row.sequence.to_bytes(8, "big") + envelope + row.data
    alone = chained(
        GENESIS,
        event=row.event,
        stream=row.stream,
        sequence=row.sequence,
        type_=row.type,
        at=row.occurred_at,
        data=row.data,
    )
    assert alone == sha256(GENESIS + covered).digest(), "the hash chain is made in another way"
    return covered


def _instants(story: Story, everything: bytes) -> Iterable[datetime]:
    told = {datetime.fromisoformat(text.decode() + "+00:00") for text in _INSTANT.findall(everything)}
    kept = {row.occurred_at for row in story.events} | {at for _, at in story.requests}
    return told | kept


def _identity(milliseconds: int, noise: bytes) -> bytes:
    """Return a UUIDv7."""
    return milliseconds.to_bytes(6, "big") + _VERSION[noise[0]] + noise[1:2] + _VARIANT[noise[2]] + noise[3:]


def _text(identity: bytes) -> bytes:
    digits = identity.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}".encode()


def _numbered(number: bytes, identity: bytes) -> bytes:
    """Return a case number that no other case has."""
    digits = len(str(SERIAL.number))
    return number[:-digits] + f"{int.from_bytes(identity[8:], 'big') % 10**digits:0{digits}}".encode()


def _wire(at: datetime) -> bytes:
    """Return the instant as PostgreSQL sends it."""
    return ((at - _EPOCH) // _MICROSECOND).to_bytes(8, "big", signed=True)


def _short(at: datetime) -> bytes:
    """Return the instant as JSON and envelope tell it, without its zone."""
    return at.isoformat()[:-6].encode()
