"""Lock and load what a batch needs: each statement one table, rows in the order of their keys (deadlock-free).

A locked row is never joined to: what is joined is read from before the wait (PostgreSQL, READ COMMITTED).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.common import Answer
from shared.ledger.aggregate import Aggregate
from shared.ledger.arrivals import arrival_of, decode_record, with_sequence
from shared.ledger.draft import RequestRow, StreamState
from shared.ledger.hashchain import GENESIS
from shared.ledger.take import Arrival
from shared.ledger.vault import Vault


async def lock_positions(
    connection: AsyncConnection, consumer: str, streams: Mapping[str, Iterable[UUID]]
) -> dict[tuple[str, UUID], int]:
    """Return the consumer's position in each stream (by topic) that has one, locked."""
    found: dict[tuple[str, UUID], int] = {}
    for topic in sorted(streams):
        rows = await connection.exec_driver_sql(
            "SELECT stream, sequence FROM positions WHERE consumer = $1 AND topic = $2 AND stream = ANY($3::uuid[]) "
            "ORDER BY stream FOR UPDATE",
            (consumer, topic, sorted(streams[topic])),
        )
        found.update({(topic, row.stream): row.sequence for row in rows})
    return found


async def load_held(
    connection: AsyncConnection, consumer: str, streams: Mapping[str, Iterable[UUID]], vault: Vault
) -> dict[tuple[str, UUID], list[Arrival]]:
    """Return what is held of these streams, in order; the caller holds their positions' locks."""
    found: dict[tuple[str, UUID], list[Arrival]] = defaultdict(list)
    for topic in sorted(streams):
        rows = await connection.exec_driver_sql(
            "SELECT id, stream, sequence, record, reason, detail FROM held "
            "WHERE consumer = $1 AND topic = $2 AND stream = ANY($3::uuid[]) ORDER BY stream, sequence",
            (consumer, topic, sorted(streams[topic])),
        )
        for row in rows:
            arrival = with_sequence(arrival_of(decode_record(vault.open(row.record))), row.sequence)
            # A record that cannot be read stays dead, even when an operator cleared the row for another try.
            found[topic, row.stream].append(
                Arrival(
                    delivery=arrival.delivery,
                    held_id=row.id,
                    reason=row.reason or arrival.reason,
                    detail=row.detail or arrival.detail,
                    released=row.reason is None,
                )
            )
    return found


async def lock_requests(
    connection: AsyncConnection, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], RequestRow]:
    """Return what was answered before to these (party, key), locked."""
    by_party: dict[str, set[str]] = defaultdict(set)
    for party, key in keys:
        by_party[party].add(key)
    found: dict[tuple[str, str], RequestRow] = {}
    for party in sorted(by_party):
        rows = await connection.exec_driver_sql(
            "SELECT key, digest, answer FROM requests WHERE party = $1 AND key = ANY($2::text[]) "
            "ORDER BY key FOR UPDATE",
            (party, sorted(by_party[party])),
        )
        for row in rows:
            answer = msgspec.json.decode(row.answer, type=Answer)
            found[party, row.key] = RequestRow(party=party, key=row.key, digest=row.digest, answer=answer)
    return found


async def lock_states(
    connection: AsyncConnection, streams: Iterable[tuple[Aggregate, UUID]]
) -> dict[UUID, StreamState]:
    """Return every one of these streams as it stands, locked where it exists; table by table in order of names."""
    by_table: dict[str, tuple[Aggregate, set[UUID]]] = {}
    for aggregate, stream in streams:
        by_table.setdefault(aggregate.table.name, (aggregate, set()))[1].add(stream)
    found: dict[UUID, StreamState] = {}
    for name in sorted(by_table):
        aggregate, wanted = by_table[name]
        rows = await connection.exec_driver_sql(
            f"SELECT stream, sequence, head, changed_at, state FROM {name} "
            "WHERE stream = ANY($1::uuid[]) ORDER BY stream FOR UPDATE",
            (sorted(wanted),),
        )
        for row in rows:
            found[row.stream] = StreamState(
                aggregate=aggregate,
                stream=row.stream,
                sequence=row.sequence,
                head=row.head,
                changed_at=row.changed_at,
                state=msgspec.json.decode(row.state, type=aggregate.state),
            )
        for stream in wanted - found.keys():
            found[stream] = _unborn(aggregate, stream)
    return found


def _unborn(aggregate: Aggregate, stream: UUID) -> StreamState:
    return StreamState(aggregate=aggregate, stream=stream, sequence=0, head=GENESIS, changed_at=None, state=None)


async def database_now(connection: AsyncConnection) -> datetime:
    """Return the database's clock, UTC: the batch's one `now`, taken after its locks (I-18)."""
    now: Any = (await connection.exec_driver_sql("SELECT clock_timestamp()")).scalar_one()
    if not isinstance(now, datetime):
        raise TypeError(f"The database's clock answered {now!r}.")
    return now


def streams_of(arrivals: Sequence[Arrival]) -> dict[str, set[UUID]]:
    """Return the streams of the arrivals by topic."""
    streams: dict[str, set[UUID]] = defaultdict(set)
    for arrival in arrivals:
        streams[arrival.delivery.topic].add(arrival.delivery.stream)
    return streams
