"""Consume topics of ours: positions, gaps, dead letters; what is done with an event is a handler's business.

I-6: event n of a stream is taken once, after n-1. I-7: a message that cannot be read or that crashes its handler
holds its own stream and nobody else's. I-5: positions, held messages and effects commit together.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.records import Record
from shared.ledger.arrivals import NEXT, alone, arrival_of, encode_record, with_sequence
from shared.ledger.commands import Delivery, WaitForReference
from shared.ledger.draft import Draft, HeldRow
from shared.ledger.held import announcement, tell_dead
from shared.ledger.isolation import Crashed, isolated
from shared.ledger.load import database_now, load_held, lock_positions
from shared.ledger.patience import repeat
from shared.ledger.portions import portions, record_size
from shared.ledger.take import Arrival, Taken, take
from shared.ledger.transaction import BatchFailedError, in_transaction, once_committed
from shared.ledger.vault import Vault
from shared.ledger.write import update_held, write_held, write_outbox, write_positions
from shared.observability import metrics
from shared.observability.crash import reach

log = structlog.get_logger()


class Handler(Protocol):
    """What a consumer does with the events of one batch; made anew for every transaction."""

    async def prepare(self, connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
        """Lock and load what the deliveries may need."""
        ...

    def handle(self, delivery: Delivery) -> WaitForReference | None:
        """Handle one event, or say what it must wait for. An exception makes it a dead letter."""
        ...

    async def write(self, connection: AsyncConnection) -> None:
        """Write what was decided."""
        ...


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A stream and what has just arrived of it."""

    topic: str
    stream: UUID
    new: tuple[Arrival, ...] = ()


@dataclass(slots=True)
class Progress:
    """What a transaction of a consumption has decided about positions and held messages."""

    taken: int = 0
    draft: Draft = field(default_factory=Draft)


class Consumption:
    """One consumer group's reading of topics of ours.

    `consume` returns when everything is committed and may be acknowledged. Whatever else was about (a rebalance, a
    second owner, a repeat), each event has its effect once.
    """

    def __init__(
        self, engine: AsyncEngine, *, service: str, consumer: str, vault: Vault, handler: Callable[[], Handler]
    ) -> None:
        self._engine = engine
        self._service = service
        self._consumer = consumer
        self._vault = vault
        self._handler = handler

    async def consume(self, records: Sequence[Record]) -> None:
        """Take everything of these records that may be taken, hold the rest.

        Raises:
            Unavailable: when the database is away; nothing was skipped: give the same records again.
        """
        for part in portions(records, record_size):
            await self._halving(_queues(part))

    async def resume(self) -> int:
        """Take held messages that nothing stops any more; return how many streams went on.

        That is the case when the reference version that they waited for has arrived (I-19), or an operator released
        them (`joint held retry`).
        """
        async with self._engine.connect() as connection:
            rows = await connection.exec_driver_sql(_READY, (self._consumer,))
            ready = [Queue(topic=row.topic, stream=row.stream) for row in rows]
        if ready:
            await self._halving(ready)
        return len(ready)

    async def keep_resuming(self, every_seconds: float = 1.0) -> None:
        """Call `resume` for ever, also after the database was away; a worker's task."""
        await repeat(f"{self._consumer}.resume", self.resume, every_seconds)

    async def _halving(self, queues: Sequence[Queue]) -> None:
        try:
            await in_transaction(self._engine, lambda connection: self._run(connection, queues))
        except BatchFailedError as failure:
            if len(queues) == 1:
                await self._one_by_one(queues[0])
                return
            log.warning("ledger.batch_halved", consumer=self._consumer, streams=len(queues), reason=failure.reason)
            metrics.BATCH_HALVINGS.inc()
            middle = len(queues) // 2
            await self._halving(queues[:middle])
            await self._halving(queues[middle:])
        else:
            reach("consume_after_commit")

    async def _one_by_one(self, queue: Queue) -> None:
        """Take a stream that fails event by event, to find the one that must be held."""
        while True:
            taken = await self._one_event(queue)
            if taken == 0:
                return
            queue = Queue(topic=queue.topic, stream=queue.stream)

    async def _one_event(self, queue: Queue) -> int:
        try:
            return await in_transaction(self._engine, lambda connection: self._run(connection, [queue], limit=1))
        except BatchFailedError as error:
            failure = error
        await in_transaction(self._engine, lambda connection: self._run(connection, [queue], limit=1, failure=failure))
        return 0

    async def _run(
        self,
        connection: AsyncConnection,
        queues: Sequence[Queue],
        *,
        limit: int | None = None,
        failure: BatchFailedError | None = None,
    ) -> int:
        streams = _streams(queues)
        positions = await lock_positions(connection, self._consumer, streams)
        held = await load_held(connection, self._consumer, streams, self._vault)
        taken = [
            (queue, _limited(_take(queue, positions.get((queue.topic, queue.stream), 0), held), limit))
            for queue in queues
        ]
        handler = self._handler()
        if failure is None:
            await handler.prepare(connection, [arrival.delivery for _, verdict in taken for arrival in verdict.next])
        progress = Progress()
        for queue, verdict in taken:
            self._one_stream(queue, verdict, handler, failure, progress)
            _relapse(held[queue.topic, queue.stream], progress.draft, self._consumer)
        await handler.write(connection)
        await self._write(connection, progress.draft, positions)
        once_committed(connection, partial(_tell, progress.draft, sum(verdict.repeats for _, verdict in taken)))
        reach("consume_before_commit")
        return progress.taken

    def _one_stream(
        self, queue: Queue, verdict: Taken, handler: Handler, failure: BatchFailedError | None, progress: Progress
    ) -> None:
        draft = progress.draft
        for number, arrival in enumerate(verdict.next):
            stop = _attempt(handler, arrival, failure)
            if stop is not None:
                self._hold(draft, arrival, stop)
                for behind in verdict.next[number + 1 :]:
                    self._hold(draft, behind, _Stop())
                break
            draft.positions[queue.topic, queue.stream] = arrival.delivery.sequence
            progress.taken += 1
            if arrival.held_id is not None:
                draft.released.append(arrival.held_id)
        for arrival in verdict.waiting:
            self._hold(draft, arrival, _Stop())
        draft.released += [arrival.held_id for arrival in verdict.displaced if arrival.held_id is not None]
        for arrival in [*verdict.dead, *map(alone, verdict.displaced)]:
            self._hold(draft, arrival, _Stop(reason=arrival.reason, detail=arrival.detail))

    def _hold(self, draft: Draft, arrival: Arrival, stop: "_Stop") -> None:
        delivery = arrival.delivery
        row = HeldRow(
            consumer=self._consumer,
            topic=delivery.topic,
            stream=delivery.stream,
            sequence=delivery.sequence,
            record=encode_record(delivery.record),
            reason=stop.reason,
            detail=stop.detail,
            waits_for=stop.waits_for,
        )
        if stop.reason is not None:
            draft.outbox.append(announcement(self._service, row, delivery.record.place))
        if arrival.held_id is None:
            draft.held.append(row)
        else:
            draft.unreleased.append((arrival.held_id, row))

    async def _write(self, connection: AsyncConnection, draft: Draft, positions: dict[tuple[str, UUID], int]) -> None:
        # A stream without a position has no row to lock: who only holds of it makes one, and two of them meet there.
        places = [(row.topic, row.stream) for row in draft.held]
        first = {place: 0 for place in places if place not in positions}
        await write_positions(connection, self._consumer, first | draft.positions, positions)
        await update_held(connection, draft.released, draft.unreleased)
        if draft.held or draft.outbox:
            now = await database_now(connection)
            await write_held(connection, draft.held, now, self._vault)
            await write_outbox(connection, draft.outbox, now)


class _Stop(msgspec.Struct, frozen=True, kw_only=True):
    """Why a message is held: a reason makes it a dead letter."""

    reason: str | None = None
    detail: str | None = None
    waits_for: str | None = None


_READY: Final = """
    SELECT h.topic, h.stream FROM held h
    LEFT JOIN positions p ON p.consumer = h.consumer AND p.topic = h.topic AND p.stream = h.stream
    WHERE h.consumer = $1 AND h.reason IS NULL AND h.sequence = coalesce(p.sequence, 0) + 1
      AND (h.waits_for IS NULL OR EXISTS (
        SELECT 1 FROM reference_documents r WHERE h.waits_for = r.kind || '/' || r.name || '/' || r.version))
    ORDER BY h.id LIMIT 1000
"""


def _queues(records: Sequence[Record]) -> list[Queue]:
    arrivals: dict[tuple[str, UUID], list[Arrival]] = {}
    for record in records:
        arrival = arrival_of(record)
        arrivals.setdefault((arrival.delivery.topic, arrival.delivery.stream), []).append(arrival)
    return [Queue(topic=topic, stream=stream, new=tuple(new)) for (topic, stream), new in arrivals.items()]


def _streams(queues: Sequence[Queue]) -> dict[str, set[UUID]]:
    streams: dict[str, set[UUID]] = {}
    for queue in queues:
        streams.setdefault(queue.topic, set()).add(queue.stream)
    return streams


def _take(queue: Queue, position: int, held: dict[tuple[str, UUID], list[Arrival]]) -> Taken:
    waiting = held[queue.topic, queue.stream]
    return take(position, waiting, _placed(queue.new, position, waiting))


def _placed(new: Sequence[Arrival], position: int, held: Sequence[Arrival]) -> Iterator[Arrival]:
    """Give records that do not say their sequence the next one of their stream."""
    known = {arrival.delivery.record.place for arrival in held}
    last = max([position, *(arrival.delivery.sequence for arrival in held)])
    for arrival in new:
        if arrival.delivery.sequence != NEXT:
            last = max(last, arrival.delivery.sequence)
            yield arrival
        elif arrival.delivery.record.place not in known:
            last += 1
            yield with_sequence(arrival, last)


def _limited(verdict: Taken, limit: int | None) -> Taken:
    if limit is None or len(verdict.next) <= limit:
        return verdict
    behind = [arrival for arrival in verdict.next[limit:] if arrival.held_id is None]
    return msgspec.structs.replace(verdict, next=verdict.next[:limit], waiting=[*behind, *verdict.waiting])


def _attempt(handler: Handler, arrival: Arrival, failure: BatchFailedError | None) -> _Stop | None:
    if failure is not None:
        return _Stop(reason=failure.reason, detail=failure.detail)
    delivery = arrival.delivery
    wait = isolated(lambda: handler.handle(delivery), topic=delivery.topic, stream=str(delivery.stream))
    if isinstance(wait, Crashed):
        return _Stop(reason="crashed", detail=wait.detail)
    return None if wait is None else _Stop(waits_for=f"{wait.kind}/{wait.name}/{wait.version}")


def _relapse(held: Sequence[Arrival], draft: Draft, consumer: str) -> None:
    """Mark as dead again what an operator released though it cannot be read."""
    for arrival in held:
        if arrival.released and arrival.reason is not None and arrival.held_id is not None:
            delivery = arrival.delivery
            row = HeldRow(
                consumer=consumer,
                topic=delivery.topic,
                stream=delivery.stream,
                sequence=delivery.sequence,
                record=encode_record(delivery.record),
                reason=arrival.reason,
                detail=arrival.detail,
                waits_for=None,
            )
            draft.unreleased.append((arrival.held_id, row))


def _tell(draft: Draft, repeats: int) -> None:
    metrics.REPEATS_SKIPPED.inc(repeats)
    tell_dead(draft)
