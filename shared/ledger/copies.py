"""Copies of another service's private contents: the newest revision wins, a tombstone forgets (I-14)."""

from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.records import Record
from shared.contracts.registry import INTAKE_CONTENTS
from shared.ledger.arrivals import arrival_of, decode_record, encode_record
from shared.ledger.draft import Draft, HeldRow
from shared.ledger.held import announcement, tell_dead
from shared.ledger.load import database_now
from shared.ledger.patience import repeat
from shared.ledger.portions import portions, record_size
from shared.ledger.take import Arrival
from shared.ledger.transaction import BatchFailedError, in_halves, once_committed
from shared.ledger.vault import Vault
from shared.ledger.write import update_held, write_held, write_outbox

# A compacted topic loses old revisions, so that its sequence has gaps: revisions are compared, not counted.
_COPY: Final = """
    MERGE INTO contents c USING unnest($1::uuid[], $2::bigint[], $3::bytea[]) AS u(stream, revision, data)
    ON c.stream = u.stream
    WHEN MATCHED AND c.revision < u.revision THEN UPDATE SET revision = u.revision, data = u.data
    WHEN NOT MATCHED THEN INSERT (stream, revision, data) VALUES (u.stream, u.revision, u.data)
"""

_FORGET_HELD: Final = """
    WITH gone AS (
        DELETE FROM held WHERE consumer = $1 AND topic = $2 AND stream = ANY($3::uuid[])
        RETURNING consumer, topic, stream, sequence
    )
    INSERT INTO interventions (at, operator, act, consumer, topic, stream, sequence, reason)
    SELECT clock_timestamp(), 'forgetting', 'skip', consumer, topic, stream, sequence, 'It was forgotten.' FROM gone
"""
_RELEASED: Final = "SELECT id, record FROM held WHERE consumer = $1 AND reason IS NULL ORDER BY id LIMIT 1000"

log = structlog.get_logger()


class ContentsCopy:
    """One consumer group's copy of a compacted topic into the table `contents`."""

    def __init__(self, engine: AsyncEngine, *, service: str, consumer: str, vault: Vault) -> None:
        self._engine = engine
        self._service = service
        self._consumer = consumer
        self._vault = vault

    async def consume(self, records: Sequence[Record]) -> None:
        """Copy these records; a record that cannot be read is held with its reason.

        Raises:
            Unavailable: when the database is away; give the same records again.
        """
        for part in portions(records, record_size):
            await in_halves(self._engine, [arrival_of(record) for record in part], self._run)

    async def resume(self) -> int:
        """Copy held records that an operator released (`joint held retry`); return how many were tried."""
        async with self._engine.connect() as connection:
            rows = (await connection.exec_driver_sql(_RELEASED, (self._consumer,))).all()
        released = [
            msgspec.structs.replace(arrival_of(decode_record(self._vault.open(row.record))), held_id=row.id)
            for row in rows
        ]
        if released:
            await in_halves(self._engine, released, self._run)
        return len(released)

    async def keep_resuming(self, every_seconds: float = 1.0) -> None:
        """Call `resume` for ever, also after the database was away; a worker's task."""
        await repeat(f"{self._consumer}.resume", self.resume, every_seconds)

    async def _run(
        self, connection: AsyncConnection, arrivals: Sequence[Arrival], failure: BatchFailedError | None
    ) -> list[None]:
        newest: dict[str, Arrival] = {}
        draft = Draft()
        for arrival in arrivals:
            reason = failure.reason if failure else arrival.reason
            if reason is not None:
                self._hold(draft, arrival, reason, failure.detail if failure else arrival.detail)
                continue
            if arrival.held_id is not None:
                draft.released.append(arrival.held_id)
            known = newest.get(str(arrival.delivery.stream))
            if known is None or known.delivery.sequence < arrival.delivery.sequence:
                newest[str(arrival.delivery.stream)] = arrival
        if newest:
            rows = [newest[stream].delivery for stream in sorted(newest)]
            await connection.exec_driver_sql(
                _COPY, ([row.stream for row in rows], [row.sequence for row in rows], [row.event.data for row in rows])
            )
            await self._forget_held(connection, [row.stream for row in rows if row.event.data is None])
        await update_held(connection, draft.released, draft.unreleased)
        once_committed(connection, partial(tell_dead, draft))
        if draft.outbox:
            now = await database_now(connection)
            await write_held(connection, draft.held, now, self._vault)
            await write_outbox(connection, draft.outbox, now)
        return []

    async def _forget_held(self, connection: AsyncConnection, streams: Sequence[UUID]) -> None:
        """Keep no earlier content among the held messages."""
        if streams:
            await connection.exec_driver_sql(_FORGET_HELD, (self._consumer, INTAKE_CONTENTS, list(streams)))

    def _hold(self, draft: Draft, arrival: Arrival, reason: str, detail: str | None) -> None:
        delivery = arrival.delivery
        row = HeldRow(
            consumer=self._consumer,
            topic=delivery.topic,
            stream=delivery.stream,
            sequence=delivery.record.offset + 1,
            record=encode_record(delivery.record),
            reason=reason,
            detail=detail,
            waits_for=None,
        )
        if arrival.held_id is None:
            draft.held.append(row)
        else:
            draft.unreleased.append((arrival.held_id, row))
        draft.outbox.append(announcement(self._service, row, delivery.record.place))
