"""Compare a service's ledger with itself, with its topics and with its seals (I-4, I-9, I-17); writes nothing."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.envelope import read_event
from shared.contracts.records import Record
from shared.kernel.errors import Unreadable
from shared.ledger.aggregate import Aggregate
from shared.ledger.arrivals import arrival_of
from shared.ledger.hashchain import GENESIS, chained
from shared.ledger.isolation import Crashed, isolated
from shared.ledger.lots import unpack
from shared.ledger.outbox import unsent_messages
from shared.ledger.seals import Seal, compute_seal, sealed_data

_PAGE: Final = 2000
_SHOWN: Final = 20

ReadTopic = Callable[[str], AsyncIterator[Sequence[Record]]]
"""Reads a topic from its first record to its end at the time of the call."""


@dataclass(slots=True, kw_only=True)
class Verification:
    """What was compared and what differs; equal when `differences` is empty (it keeps the first twenty)."""

    service: str
    streams: int = 0
    events: int = 0
    states: int = 0
    records: int = 0
    repeats: int = 0
    unpublished: int = 0
    later: int = 0
    seals: int = 0
    held_streams: int = 0
    differences: list[str] = field(default_factory=list)
    differences_found: int = 0

    def differ(self, text: str) -> None:
        """Note a difference."""
        self.differences_found += 1
        if len(self.differences) < _SHOWN:
            self.differences.append(text)

    @property
    def equal(self) -> bool:
        """Whether everything that was compared is equal."""
        return self.differences_found == 0


async def verify(
    engine: AsyncEngine, *, service: str, aggregates: Sequence[Aggregate], read_topic: ReadTopic
) -> Verification:
    """Verify a service: streams, hash chains and states in the ledger; topics against the ledger; seals against both.

    Events that are still in the outbox count as `unpublished`, those written while the verification ran as `later`;
    anything else that is missing on a topic, or more on it, differs. `held_streams` are those of other services that
    this one has not taken to their end: that is no difference of its own ledger.
    """
    result = Verification(service=service)
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="REPEATABLE READ")
        by_name = {aggregate.name: aggregate for aggregate in aggregates}
        held = await connection.exec_driver_sql("SELECT count(DISTINCT (consumer, topic, stream)) FROM held")
        result.held_streams = held.scalar_one()
        await _verify_seals(connection, service, read_topic, result)
        await _verify_ledger(connection, by_name, result)
        for topic in sorted({aggregate.topic for aggregate in aggregates}):
            await _verify_topic(connection, topic, by_name, read_topic, result)
    return result


@dataclass(slots=True, kw_only=True)
class _Fold:
    aggregate: Aggregate
    stream: UUID
    sequence: int = 0
    head: bytes = GENESIS
    state: Any = None


async def _verify_ledger(
    connection: AsyncConnection, aggregates: Mapping[str, Aggregate], result: Verification
) -> None:
    """Walk all streams: sequences 1..n, hash chain, and the fold against the stored state."""
    decoders = {
        (name, event.type): msgspec.json.Decoder(event)  # type: ignore[attr-defined]
        for name, aggregate in aggregates.items()
        for event in aggregate.events
    }
    folds: dict[UUID, _Fold] = {}
    last = (UUID(int=0), 0)
    while True:
        page = await connection.exec_driver_sql(
            "SELECT * FROM events WHERE (stream, sequence) > ($1::uuid, $2::bigint) ORDER BY stream, sequence LIMIT $3",
            (*last, _PAGE),
        )
        rows = page.all()
        for row in rows:
            fold = folds.setdefault(row.stream, _Fold(aggregate=aggregates[row.aggregate], stream=row.stream))
            _step(fold, row, decoders[row.aggregate, row.type], result)
        if not rows:
            break
        last = (rows[-1].stream, rows[-1].sequence)
        done = [folds.pop(stream) for stream in list(folds) if stream != last[0]]
        await _compare_states(connection, done, result)
    await _compare_states(connection, list(folds.values()), result)
    await _count_states(connection, aggregates, result)


def _step(fold: _Fold, row: sa.Row[Any], decoder: msgspec.json.Decoder[Any], result: Verification) -> None:
    result.events += 1
    if row.sequence != fold.sequence + 1:
        result.differ(f"stream {row.stream}: event {fold.sequence + 1} is missing, {row.sequence} follows")
    head = chained(
        fold.head,
        event=row.event,
        stream=row.stream,
        sequence=row.sequence,
        type_=row.type,
        at=row.occurred_at,
        data=row.data,
    )
    if head != row.hash:
        result.differ(f"stream {row.stream}: event {row.sequence} or one before it was changed (hash differs)")
    fold.sequence, fold.head = row.sequence, row.hash
    state = isolated(lambda: fold.aggregate.evolve(fold.state, decoder.decode(row.data)), stream=str(row.stream))
    if isinstance(state, Crashed):
        result.differ(f"stream {row.stream}: event {row.sequence} cannot be folded: {state.detail}")
    else:
        fold.state = state


async def _compare_states(connection: AsyncConnection, folds: Sequence[_Fold], result: Verification) -> None:
    tables: dict[str, list[_Fold]] = {}
    for fold in folds:
        tables.setdefault(fold.aggregate.table.name, []).append(fold)
    for name, wanted in tables.items():
        table = wanted[0].aggregate.table
        rows = await connection.execute(
            table.select().where(table.columns.stream.in_([fold.stream for fold in wanted]))
        )
        stored = {row.stream: row for row in rows}
        for fold in wanted:
            result.streams += 1
            _compare_state(fold, stored.get(fold.stream), name, result)


def _compare_state(fold: _Fold, row: sa.Row[Any] | None, table: str, result: Verification) -> None:
    if row is None:
        result.differ(f"stream {fold.stream}: {table} has no row for it")
        return
    result.states += 1
    if (row.sequence, row.head) != (fold.sequence, fold.head):
        result.differ(f"stream {fold.stream}: {table} stands at {row.sequence}, its events end at {fold.sequence}")
    if row.state != msgspec.json.encode(fold.state):
        result.differ(f"stream {fold.stream}: the state in {table} is not the fold of its events")
    if fold.state is None:
        return  # none of its events could be folded, which was said
    for name, value in fold.aggregate.columns(fold.state).items():
        if msgspec.to_builtins(getattr(row, name)) != msgspec.to_builtins(value):
            result.differ(f"stream {fold.stream}: column {name} of {table} is not what its state says")


async def _count_states(connection: AsyncConnection, aggregates: Mapping[str, Aggregate], result: Verification) -> None:
    stored = 0
    for aggregate in aggregates.values():
        count = await connection.exec_driver_sql(f"SELECT count(*) FROM {aggregate.table.name}")
        stored += count.scalar_one()
    if stored != result.states:
        result.differ(f"{stored - result.states} state rows belong to no stream of events")


async def _verify_topic(
    connection: AsyncConnection,
    topic: str,
    aggregates: Mapping[str, Aggregate],
    read_topic: ReadTopic,
    result: Verification,
) -> None:
    """Read the topic: first copies are 1..n in order and are what the ledger has; repeats are equal to it too."""
    names = [name for name, aggregate in aggregates.items() if aggregate.topic == topic]
    published: dict[UUID, int] = {}
    lengths = await _lengths(connection, names)
    async for records in read_topic(topic):
        hashes = await _stored_hashes(connection, records)
        for record in records:
            result.records += 1
            _compare_record(record, hashes, lengths, published, result)
    unpublished = await unsent_messages(connection, topic)
    missing = sum(max(0, length - published.get(stream, 0)) for stream, length in lengths.items())
    result.unpublished += missing
    if missing > unpublished:
        result.differ(f"{topic}: {missing} events are not on the topic, but only {unpublished} wait in the outbox")


async def _lengths(connection: AsyncConnection, aggregates: Sequence[str]) -> dict[UUID, int]:
    rows = await connection.exec_driver_sql(
        "SELECT stream, max(sequence) AS length FROM events WHERE aggregate = ANY($1::text[]) GROUP BY stream",
        (list(aggregates),),
    )
    return {row.stream: row.length for row in rows}


async def _stored_hashes(connection: AsyncConnection, records: Sequence[Record]) -> dict[tuple[UUID, int], bytes]:
    places = [(arrival.delivery.stream, arrival.delivery.sequence) for arrival in map(arrival_of, records)]
    rows = await connection.exec_driver_sql(
        "SELECT e.stream, e.sequence, e.hash FROM events e "
        "JOIN unnest($1::uuid[], $2::bigint[]) AS u(stream, sequence) USING (stream, sequence)",
        ([stream for stream, _ in places], [sequence for _, sequence in places]),
    )
    return {(row.stream, row.sequence): row.hash for row in rows}


def _compare_record(
    record: Record,
    hashes: Mapping[tuple[UUID, int], bytes],
    lengths: Mapping[UUID, int],
    published: dict[UUID, int],
    result: Verification,
) -> None:
    try:
        stream, sequence, computed = _hash_of(record)
    except (Unreadable, ValueError) as error:
        result.differ(f"{record.place}: not an event of ours: {error}")
        return
    last = published.get(stream, 0)
    if sequence <= last:
        result.repeats += 1
    else:
        published[stream] = sequence
        if sequence != last + 1:
            result.differ(f"{record.place}: event {sequence} of {stream} follows {last}")
    if sequence > lengths.get(stream, 0):
        result.later += 1
    elif hashes.get((stream, sequence)) != computed:
        result.differ(f"{record.place}: event {sequence} of {stream} is not what the ledger has")


def _hash_of(record: Record) -> tuple[UUID, int, bytes]:
    event = read_event(record.headers, record.value)
    stream, sequence = UUID(event.subject or ""), event.sequence or 0
    if event.time is None:
        raise ValueError("it has no time")
    computed = chained(
        bytes.fromhex(event.previoushash) if event.previoushash else GENESIS,
        event=UUID(event.id),
        stream=stream,
        sequence=sequence,
        type_=event.type,
        at=event.time,
        data=event.data or b"",
    )
    return stream, sequence, computed


async def _verify_seals(connection: AsyncConnection, service: str, read_topic: ReadTopic, result: Verification) -> None:
    """Compute every seal anew, and find it on the topic."""
    # The rows first: a seal that is made meanwhile is on the topic only, and not one that the topic lacks.
    rows = (await connection.exec_driver_sql("SELECT cut, streams, events, root FROM seals ORDER BY cut")).all()
    published = {record.value async for records in read_topic(f"{service}.seals") for record in records}
    for row in rows:
        stored = Seal(cut=row.cut, streams=row.streams, events=row.events, root=row.root)
        result.seals += 1
        if await compute_seal(connection, row.cut) != stored:
            result.differ(f"seal of {row.cut.isoformat()}: the ledger's history before it was changed")
        if sealed_data(stored) not in published | await _waiting(connection, f"{service}.seals"):
            result.differ(f"seal of {row.cut.isoformat()}: it is not on {service}.seals")


async def _waiting(connection: AsyncConnection, topic: str) -> set[bytes | None]:
    """Return the values that wait to be sent to a topic."""
    lots: Any = await connection.exec_driver_sql("SELECT id, topic, packed FROM outbox WHERE topic = $1", (topic,))
    return {row.value for number, name, packed in lots for row in unpack(number, name, packed).rows}
