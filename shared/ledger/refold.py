"""Write states and their columns anew from their events, as today's code folds them: a migration's last step."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from shared.contracts.registry import type_name
from shared.ledger.aggregate import Aggregate
from shared.ledger.draft import StreamState
from shared.ledger.hashchain import GENESIS
from shared.ledger.write import state_update

_PAGE: Final = 2000
_EVENTS: Final = (
    "SELECT stream, sequence, type, occurred_at, data, hash FROM events "
    "WHERE aggregate = $1 AND (stream, sequence) > ($2::uuid, $3::bigint) ORDER BY stream, sequence LIMIT $4"
)


def refold(connection: sa.Connection, aggregate: Aggregate, *, page: int = _PAGE) -> int:
    """Fold every stream of the aggregate and write its state over its row; return how many there are.

    So many events are read at a time. Nobody else may write meanwhile. Columns that the database does not have yet are
    left to the migration that adds them. What an event says never changes: the state that was stored is what the code
    of its time made of it.
    """
    table = _as_stored(connection, aggregate.table)
    states = 0
    for folded in _folded(connection, aggregate, page):
        connection.exec_driver_sql(*state_update(table, folded))
        states += len(folded)
    return states


def _folded(connection: sa.Connection, aggregate: Aggregate, page: int) -> Iterator[Sequence[StreamState]]:
    """Give the states of whole streams, in the order of their ids."""
    decoders = {type_name(event): msgspec.json.Decoder(event) for event in aggregate.events}
    last: tuple[UUID, int] = (UUID(int=0), 0)
    unfinished: StreamState | None = None
    while rows := connection.exec_driver_sql(_EVENTS, (aggregate.name, *last, page)).all():
        done: list[StreamState] = []
        for row in rows:
            if unfinished is not None and unfinished.stream != row.stream:
                done.append(unfinished)
                unfinished = None
            unfinished = _after(unfinished or _unborn(aggregate, row.stream), row, decoders)
        last = (rows[-1].stream, rows[-1].sequence)
        if done:
            yield done
    if unfinished is not None:
        yield [unfinished]


def _unborn(aggregate: Aggregate, stream: UUID) -> StreamState:
    return StreamState(aggregate=aggregate, stream=stream, sequence=0, head=GENESIS, changed_at=None, state=None)


def _after(before: StreamState, row: sa.Row[Any], decoders: dict[str, msgspec.json.Decoder[Any]]) -> StreamState:
    return StreamState(
        aggregate=before.aggregate,
        stream=before.stream,
        sequence=row.sequence,
        head=row.hash,
        changed_at=row.occurred_at,
        state=before.aggregate.evolve(before.state, decoders[row.type].decode(row.data)),
    )


def _as_stored(connection: sa.Connection, table: sa.Table) -> sa.Table:
    """Return the table without the columns that a later migration adds."""
    stored = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    columns = [sa.Column(column.name, column.type) for column in table.columns if column.name in stored]
    return sa.Table(table.name, sa.MetaData(), *columns)
