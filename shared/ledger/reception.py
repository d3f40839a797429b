"""Receive records that ask for something: every one gets exactly one outcome, an effect or a held message (I-3).

Outside parties are answered with receipts. What nobody gets a receipt for is held when it cannot be read or is
refused, so that an operator hears of it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.kernel.identifiers import named_id
from shared.ledger.aggregate import Aggregate
from shared.ledger.arrivals import decode_record, encode_record
from shared.ledger.commands import Command
from shared.ledger.decide import Decider
from shared.ledger.draft import Draft, HeldRow
from shared.ledger.held import announcement, tell_dead
from shared.ledger.isolation import Crashed, isolated
from shared.ledger.load import database_now, lock_requests, lock_states
from shared.ledger.patience import repeat
from shared.ledger.portions import portions, record_size
from shared.ledger.references import References
from shared.ledger.serials import serials_for
from shared.ledger.take import UNREADABLE
from shared.ledger.transaction import BatchFailedError, in_halves, once_committed
from shared.ledger.vault import Vault
from shared.ledger.write import update_held, write_draft
from shared.observability.crash import reach

Translate = Callable[[Record, ReferenceLibrary], Command]
"""A record -> one command with request and, of an outside party, receipt; total: what cannot be read is a refusal."""

_RELEASED: Final = "SELECT id, record FROM held WHERE consumer = $1 AND reason IS NULL ORDER BY id LIMIT 1000"

log = structlog.get_logger()


class _Received(msgspec.Struct, frozen=True, kw_only=True):
    record: Record
    held_id: int | None = None


class Reception:
    """One consumer group's reading of the topics on which it is asked for something."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        service: str,
        consumer: str,
        aggregates: Mapping[str, Aggregate],
        references: References,
        vault: Vault,
        translate: Translate,
    ) -> None:
        self._engine = engine
        self._service = service
        self._consumer = consumer
        self._aggregates = aggregates
        self._references = references
        self._vault = vault
        self._translate = translate

    async def consume(self, records: Sequence[Record]) -> None:
        """Handle these records and write their receipts; when it returns, everything is committed.

        Raises:
            Unavailable: when the database is away; nothing was skipped: give the same records again.
        """
        for part in portions(records, record_size):
            await in_halves(self._engine, [_Received(record=record) for record in part], self._run)
            reach("receive_after_commit")

    async def resume(self) -> int:
        """Handle held records that an operator released (`joint held retry`); return how many."""
        async with self._engine.connect() as connection:
            rows = (await connection.exec_driver_sql(_RELEASED, (self._consumer,))).all()
        released = [_Received(record=decode_record(self._vault.open(row.record)), held_id=row.id) for row in rows]
        if released:
            await in_halves(self._engine, released, self._run)
        return len(released)

    async def keep_resuming(self, every_seconds: float = 1.0) -> None:
        """Call `resume` for ever, also after the database was away; a worker's task."""
        await repeat(f"{self._consumer}.resume", self.resume, every_seconds)

    async def _run(
        self, connection: AsyncConnection, items: Sequence[_Received], failure: BatchFailedError | None
    ) -> list[None]:
        if failure is not None:
            return await self._hold_all(connection, items, failure)
        library = await self._references.refresh(connection)
        draft = Draft()
        commands: list[tuple[_Received, Command]] = []
        for item in items:
            command = self._translated(item, library)
            if isinstance(command, Crashed):
                self._hold(draft, item, "crashed", command.detail)
            elif command.receipt is None and command.refusal is not None:
                self._hold(draft, item, UNREADABLE, command.refusal.detail)
            else:
                commands.append((item, command))
        requests = await lock_requests(
            connection, [(c.request.party, c.request.key) for _, c in commands if c.request is not None]
        )
        states = await lock_states(connection, [(self._aggregates[c.aggregate], c.stream) for _, c in commands])
        now = await database_now(connection)
        decider = Decider(
            service=self._service,
            vault=self._vault,
            library=library,
            now=now,
            states=states,
            requests=requests,
            serials=await serials_for(connection, [c for _, c in commands], states, now),
        )
        for item, command in commands:
            self._decide(decider, draft, item, command)
        decider.draft.merge(draft)
        await write_draft(connection, decider.draft, states, decider.now, self._vault)
        once_committed(connection, decider.count)
        await update_held(connection, draft.released, draft.unreleased)
        once_committed(connection, partial(tell_dead, draft))
        reach("receive_before_commit")
        return []

    async def _hold_all(
        self, connection: AsyncConnection, items: Sequence[_Received], failure: BatchFailedError
    ) -> list[None]:
        """Hold what fails alone; nothing of it is read, locked or decided again, since that may be what fails."""
        draft = Draft()
        for item in items:
            self._hold(draft, item, failure.reason, failure.detail)
        await write_draft(connection, draft, {}, await database_now(connection), self._vault)
        await update_held(connection, (), draft.unreleased)
        once_committed(connection, partial(tell_dead, draft))
        return []

    def _decide(self, decider: Decider, draft: Draft, item: _Received, command: Command) -> None:
        refusable = command.receipt is not None
        answers = isolated(lambda: decider.decide_unit([command], refusable=refusable), record=item.record.place)
        if isinstance(answers, Crashed):
            self._hold(draft, item, "crashed", answers.detail)
            return
        if item.held_id is not None:
            draft.released.append(item.held_id)

    def _translated(self, item: _Received, library: ReferenceLibrary) -> Command | Crashed:
        return isolated(lambda: self._translate(item.record, library), record=item.record.place)

    def _hold(self, draft: Draft, item: _Received, reason: str, detail: str) -> None:
        record = item.record
        row = HeldRow(
            consumer=self._consumer,
            topic=record.topic,
            stream=named_id("record", record.place),
            sequence=1,
            record=encode_record(record),
            reason=reason,
            detail=detail,
            waits_for=None,
        )
        draft.outbox.append(announcement(self._service, row, record.place))
        if item.held_id is None:
            draft.held.append(row)
        else:
            draft.unreleased.append((item.held_id, row))
