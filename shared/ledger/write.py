"""Write a draft, a statement a table in the order of keys: new rows by COPY, changes by `unnest`, never an upsert."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.kernel.decider import Wake
from shared.ledger.aggregate import Aggregate
from shared.ledger.draft import Draft, EventRow, HeldRow, OutboxRow, RequestRow, StreamState
from shared.ledger.lots import lots_of, pack
from shared.ledger.rows import add_rows
from shared.ledger.vault import Vault

_MOVE_POSITIONS: Final = (
    "UPDATE positions p SET sequence = u.sequence "
    "FROM unnest($2::text[], $3::uuid[], $4::bigint[]) AS u(topic, stream, sequence) "
    "WHERE p.consumer = $1 AND p.topic = u.topic AND p.stream = u.stream"
)
_DIALECT: Final[sa.Dialect] = postgresql.asyncpg.dialect()  # type: ignore[no-untyped-call]
_LEDGER_COLUMNS: Final = ("stream", "sequence", "head", "changed_at", "state")

_Convert = Callable[[sa.types.TypeEngine[Any], object], object]


async def write_draft(
    connection: AsyncConnection, draft: Draft, loaded: Mapping[UUID, StreamState], now: datetime, vault: Vault
) -> None:
    """Write everything of the draft but positions; the caller commits."""
    await _write_events(connection, draft)
    await _write_states(connection, draft, loaded)
    await _write_wakes(connection, draft, loaded)
    await write_outbox(connection, draft.outbox, now)
    await _write_requests(connection, list(draft.requests.values()), now)
    await _write_private(connection, draft)
    await write_held(connection, draft.held, now, vault)


async def write_positions(
    connection: AsyncConnection,
    consumer: str,
    moved: Mapping[tuple[str, UUID], int],
    loaded: Mapping[tuple[str, UUID], int],
) -> None:
    """Move the consumer's positions; streams that it never took from get a new row."""
    places = sorted(moved)
    old = [place for place in places if place in loaded]
    new = [place for place in places if place not in loaded]
    if old:
        topics = [topic for topic, _ in old]
        streams = [stream for _, stream in old]
        sequences = [moved[place] for place in old]
        await connection.exec_driver_sql(_MOVE_POSITIONS, (consumer, topics, streams, sequences))
    if new:
        rows = [(consumer, topic, stream, moved[topic, stream]) for topic, stream in new]
        await add_rows(connection, "positions", ("consumer", "topic", "stream", "sequence"), rows)


async def write_outbox(connection: AsyncConnection, rows: Sequence[OutboxRow], now: datetime) -> None:
    """Queue messages for the relay, in this order."""
    if rows:
        await add_rows(
            connection,
            "outbox",
            ("topic", "messages", "packed", "written_at"),
            [(lot[0].topic, len(lot), pack(lot), now) for lot in lots_of(rows)],
        )


async def write_held(connection: AsyncConnection, rows: Sequence[HeldRow], now: datetime, vault: Vault) -> None:
    """Hold messages; their bytes are sealed (I-14). One that is held already (its record came again) stays as it is."""
    if rows:
        ordered = sorted(rows, key=lambda row: (row.consumer, row.topic, row.stream, row.sequence))
        await connection.exec_driver_sql(
            "INSERT INTO held (consumer, topic, stream, sequence, record, reason, detail, waits_for, held_at) "
            "SELECT *, $9 FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::bytea[], $6::text[], "
            "$7::text[], $8::text[]) ON CONFLICT ON CONSTRAINT held_place DO NOTHING",
            (
                [row.consumer for row in ordered],
                [row.topic for row in ordered],
                [row.stream for row in ordered],
                [row.sequence for row in ordered],
                [vault.seal(row.record) for row in ordered],
                [row.reason for row in ordered],
                [_storable(row.detail) for row in ordered],
                [row.waits_for for row in ordered],
                now,
            ),
        )


async def update_held(
    connection: AsyncConnection, released: Sequence[int], kept: Sequence[tuple[int, HeldRow]]
) -> None:
    """Remove held rows that were handled, and write what is now known about those that stay."""
    if released:
        await connection.exec_driver_sql("DELETE FROM held WHERE id = ANY($1::bigint[])", (sorted(released),))
    if kept:
        await connection.exec_driver_sql(
            "UPDATE held h SET reason = u.reason, detail = u.detail, waits_for = u.waits_for "
            "FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS u(id, reason, detail, waits_for) "
            "WHERE h.id = u.id",
            (
                [number for number, _ in kept],
                [row.reason for _, row in kept],
                [_storable(row.detail) for _, row in kept],
                [row.waits_for for _, row in kept],
            ),
        )


def _storable(text: str | None) -> str | None:
    """Return the text without what PostgreSQL cannot hold: a detail may quote a stranger's bytes."""
    return None if text is None else text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


async def _write_events(connection: AsyncConnection, draft: Draft) -> None:
    if draft.events:
        rows = sorted(draft.events, key=_event_key)
        await add_rows(connection, "events", EventRow.__struct_fields__, map(msgspec.structs.astuple, rows))


def _event_key(row: EventRow) -> tuple[UUID, int]:
    return row.stream, row.sequence


async def _write_states(connection: AsyncConnection, draft: Draft, loaded: Mapping[UUID, StreamState]) -> None:
    by_table: dict[str, list[StreamState]] = defaultdict(list)
    for state in draft.states.values():
        if state.sequence > loaded[state.stream].sequence:
            by_table[state.aggregate.table.name].append(state)
    for name in sorted(by_table):
        states = sorted(by_table[name], key=lambda state: state.stream)
        table = states[0].aggregate.table
        new = [state for state in states if loaded[state.stream].sequence == 0]
        old = [state for state in states if loaded[state.stream].sequence > 0]
        if new:
            names = [column.name for column in _columns_of(table)]
            await add_rows(connection, name, names, zip(*_state_arrays(table, new, _new), strict=True))
        if old:
            await connection.exec_driver_sql(*state_update(table, old))


def state_update(table: sa.Table, states: Sequence[StreamState]) -> tuple[str, tuple[list[Any], ...]]:
    """Return the statement that writes these states over their rows, and its parameters."""
    return _update_of(table), tuple(_state_arrays(table, states, _changed))


def _state_arrays(table: sa.Table, states: Sequence[StreamState], convert: _Convert) -> list[list[Any]]:
    """Return the states' values, one list a column of `_columns_of`."""
    columns = [state.aggregate.columns(state.state) for state in states]
    return [
        [state.stream for state in states],
        [state.sequence for state in states],
        [state.head for state in states],
        [state.changed_at for state in states],
        [msgspec.json.encode(state.state) for state in states],
        *(
            [convert(column.type, values[column.name]) for values in columns]
            for column in _columns_of(table)[len(_LEDGER_COLUMNS) :]
        ),
    ]


@cache
def _columns_of(table: sa.Table) -> tuple[sa.Column[Any], ...]:
    own = [column for column in table.columns if column.name not in _LEDGER_COLUMNS]
    return (*(table.columns[name] for name in _LEDGER_COLUMNS), *own)


def _new(type_: sa.types.TypeEngine[Any], value: object) -> object:
    """Return a column's value as COPY takes it."""
    if isinstance(type_, sa.JSON) and value is not None:
        return msgspec.json.encode(value).decode()
    return value


def _changed(type_: sa.types.TypeEngine[Any], value: object) -> object:
    """Return a column's value as `unnest` takes it, which flattens arrays of arrays: those travel as JSON too."""
    if isinstance(type_, sa.ARRAY) and value is not None:
        return msgspec.json.encode(value).decode()
    return _new(type_, value)


@cache
def _update_of(table: sa.Table) -> str:
    columns = _columns_of(table)
    arrays = ", ".join(f"${number}::{_array_type(column.type)}[]" for number, column in enumerate(columns, start=1))
    changes = ", ".join(
        f"{column.name} = {_restored(column.type, f'u.{column.name}')}" for column in columns if column.name != "stream"
    )
    names = ", ".join(column.name for column in columns)
    return f"UPDATE {table.name} t SET {changes} FROM unnest({arrays}) AS u({names}) WHERE t.stream = u.stream"


def _array_type(type_: sa.types.TypeEngine[Any]) -> str:
    if isinstance(type_, sa.ARRAY | sa.JSON):
        return "text"
    return _sql_type(type_)


def _sql_type(type_: sa.types.TypeEngine[Any]) -> str:
    return str(type_.compile(dialect=_DIALECT))


def _restored(type_: sa.types.TypeEngine[Any], expression: str) -> str:
    match type_:
        case sa.JSON():
            return f"{expression}::jsonb"
        case sa.ARRAY():
            element = _sql_type(type_.item_type)
            return f"ARRAY(SELECT e::{element} FROM jsonb_array_elements_text({expression}::jsonb) AS e)"
        case _:
            return expression


async def _write_wakes(connection: AsyncConnection, draft: Draft, loaded: Mapping[UUID, StreamState]) -> None:
    gone: list[tuple[UUID, str]] = []
    come: list[tuple[UUID, Wake, Aggregate]] = []
    for state in draft.states.values():
        before = _wakes_of(loaded[state.stream])
        after = _wakes_of(state)
        gone += [(state.stream, kind) for kind in before if before[kind] != after.get(kind)]
        come += [(state.stream, after[kind], state.aggregate) for kind in after if before.get(kind) != after[kind]]
    if gone:
        await connection.exec_driver_sql(
            "DELETE FROM wakes w USING unnest($1::uuid[], $2::text[]) AS u(stream, kind) "
            "WHERE w.stream = u.stream AND w.kind = u.kind",
            ([stream for stream, _ in gone], [kind for _, kind in gone]),
        )
    if come:
        come.sort(key=lambda row: (row[0], row[1].kind))
        rows = [(stream, wake.kind, aggregate.name, wake.due_at) for stream, wake, aggregate in come]
        await add_rows(connection, "wakes", ("stream", "kind", "aggregate", "due_at"), rows)


def _wakes_of(state: StreamState) -> dict[str, Wake]:
    if state.state is None:
        return {}
    return {wake.kind: wake for wake in state.aggregate.wakes(state.state)}


async def _write_requests(connection: AsyncConnection, rows: Sequence[RequestRow], now: datetime) -> None:
    if rows:
        await add_rows(
            connection,
            "requests",
            ("party", "key", "digest", "answer", "answered_at"),
            [
                (row.party, row.key, row.digest, msgspec.json.encode(row.answer), now)
                for row in sorted(rows, key=lambda row: (row.party, row.key))
            ],
        )


async def _write_private(connection: AsyncConnection, draft: Draft) -> None:
    last = {row.stream: row for row in draft.private}
    if last:
        rows = [last[stream] for stream in sorted(last)]
        # The stream's state row is locked, and what is kept has one revision a stream: no two writers meet here.
        await connection.exec_driver_sql(
            "MERGE INTO private p USING unnest($1::uuid[], $2::bytea[], $3::bigint[]) AS u(stream, sealed, revision) "
            "ON p.stream = u.stream WHEN MATCHED THEN UPDATE SET sealed = u.sealed, revision = u.revision "
            "WHEN NOT MATCHED THEN INSERT VALUES (u.stream, u.sealed, u.revision)",
            (
                [row.stream for row in rows],
                [row.sealed for row in rows],
                [row.revision for row in rows],
            ),
        )
