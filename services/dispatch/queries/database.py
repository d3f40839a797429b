"""What the API reads, and whether a read shows a write already."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.dispatch.domain.legs import LegStage
from services.dispatch.domain.searching import Meaning, meaning_of
from services.dispatch.queries.dossiers import CaseFile, StoredEvent, feedbacks, find_content, history
from services.dispatch.queries.rows import KnownCase, KnownLeg, database_now, find_case
from services.dispatch.queries.rules import RoutingEvent, RuleCount, count_by_rule, find_routing_events
from services.dispatch.queries.tasks import TaskPage, TaskPlace, find_legs, read_tasks
from services.dispatch.queries.worklist import CaseFilter, CasePage, CasePlace, Order, read_page
from shared.contracts.common import Position
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Document, Kind
from shared.contracts.registry import DISPATCH_CASES, DISPATCH_REFERENCE, INTAKE_REPORTS
from shared.ledger.positions import Reached, reached, written
from shared.ledger.reading import reading
from shared.ledger.references import References

EVENTS: Final = "dispatch.events"
REFERENCE: Final = "dispatch.reference"
CONSUMERS: Final = {INTAKE_REPORTS: EVENTS, DISPATCH_REFERENCE: REFERENCE}
"""The consumer group that takes each topic whose positions a read may wait for."""


class Database:
    """What the API reads; each call is a snapshot of its own."""

    def __init__(self, engine: AsyncEngine, references: References, city: str) -> None:
        self._engine = engine
        self._references = references
        self.city = city

    async def cases(
        self, wanted: CaseFilter, *, order: Order, limit: int, after: CasePlace | None, counted: bool
    ) -> CasePage:
        """Return a page of the work list (see `read_page`)."""
        async with self._snapshot() as connection:
            return await read_page(connection, wanted, order=order, limit=limit, after=after, counted=counted)

    async def tasks(self, unit: str, *, limit: int, after: TaskPlace | None, counted: bool) -> TaskPage:
        """Return a page of the unit's open legs (see `read_tasks`)."""
        async with self._snapshot() as connection:
            return await read_tasks(connection, unit, limit=limit, after=after, counted=counted)

    async def legs(
        self, *, unit: str | None, state: LegStage | None, limit: int, before: UUID | None
    ) -> tuple[datetime, Sequence[KnownLeg], UUID | None]:
        """Return the instant of the snapshot and a page of legs (see `find_legs`)."""
        async with self._snapshot() as connection:
            found, following = await find_legs(connection, unit=unit, state=state, limit=limit, before=before)
            return await database_now(connection), found, following

    async def file(self, case_id: UUID, *, events: int) -> CaseFile | None:
        """Return everything about a case and the first so many events of its history, or None."""
        async with self._snapshot() as connection:
            known = await find_case(connection, case_id)
            if known is None:
                return None
            return CaseFile(
                as_of=await database_now(connection),
                known=known,
                history=await history(connection, case_id, limit=events),
                feedbacks=await feedbacks(connection, case_id),
                content=await find_content(connection, case_id),
            )

    async def exists(self, case_id: UUID) -> bool:
        """Tell whether there is such a case."""
        async with reading(self._engine) as connection:
            return await find_case(connection, case_id) is not None

    async def history(self, case_id: UUID, *, after: int, limit: int) -> tuple[str, Sequence[StoredEvent]] | None:
        """Return who reported the case and a page of its history, or None."""
        async with self._snapshot() as connection:
            known = await find_case(connection, case_id)
            if known is None:
                return None
            return known.case.opened.source, await history(connection, case_id, after=after, limit=limit)

    async def routing(self, case_id: UUID) -> tuple[KnownCase, Sequence[RoutingEvent]] | None:
        """Return a case and the events that say why its units have it, or None."""
        async with self._snapshot() as connection:
            known = await find_case(connection, case_id)
            return None if known is None else (known, await find_routing_events(connection, case_id))

    async def rule_counts(
        self, *, system: str | None, category: str | None, since: datetime | None
    ) -> Sequence[RuleCount]:
        """Return how the rules of routing fare (see `count_by_rule`)."""
        async with reading(self._engine) as connection:
            return await count_by_rule(connection, system=system, category=category, since=since)

    async def library(self) -> ReferenceLibrary:
        """Return the reference documents that have arrived."""
        async with reading(self._engine) as connection:
            return await self._references.refresh(connection)

    async def meaning(self, text: str) -> Meaning:
        """Return what somebody may mean by a text, by the documents in force."""
        return meaning_of(text, await self.library(), self.city)

    async def reference(self, kind: Kind, name: str, version: int | None) -> tuple[int, Document] | None:
        """Return that version of a document, or the one in force, with its number."""
        library = await self.library()
        if version is None:
            return library.current(kind, name)
        document = library.get(kind, name, version)
        return None if document is None else (version, document)

    async def reached(self, position: Position) -> Reached:
        """Tell whether reads show what happened up to this position; of a topic that is not read here they never do."""
        consumer = CONSUMERS.get(position.topic)
        async with reading(self._engine) as connection:
            if position.topic == DISPATCH_CASES:
                return await written(connection, position.stream, position.sequence)
            if consumer is None:
                return "behind"
            return await reached(connection, consumer, position.topic, position.stream, position.sequence)

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[AsyncConnection]:
        async with reading(self._engine) as plain:
            yield await plain.execution_options(isolation_level="REPEATABLE READ")
