"""Up to where the read model was counted (I-15), and one snapshot for everything that an answer says."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.analytics import tables
from shared.contracts.common import Position
from shared.contracts.registry import DISPATCH_REFERENCE
from shared.ledger.positions import Reached
from shared.ledger.positions import reached as ledger_reached
from shared.ledger.reading import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionProgress:
    """Up to where one partition was counted: the offset after the last event, and how many events, each once."""

    topic: str
    partition: int
    next_offset: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Up to where everything was counted (I-15).

    `held_streams` wait for a missing or a dead message; `cases_without_report` were opened by dispatch, while their
    report has not arrived here yet, and count nowhere; `latest_at` is the latest event that was counted.
    """

    partitions: tuple[PartitionProgress, ...]
    held_streams: int
    cases_without_report: int
    latest_at: datetime | None


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a connection whose every SELECT sees the same instant.

    Raises:
        Unavailable: when the database does not answer.
    """
    async with reading(engine) as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


async def progress(connection: AsyncConnection) -> Progress:
    """Tell up to where everything was counted."""
    rows = (
        await connection.execute(
            sa.select(tables.topic_progress).order_by(tables.topic_progress.c.topic, tables.topic_progress.c.partition)
        )
    ).all()
    held = tables.ledger.held.c
    streams = sa.select(held.topic, held.stream).where(held.consumer == tables.EVENTS).distinct().subquery()
    waiting = await connection.execute(
        sa.select(
            sa.select(sa.func.count()).select_from(streams).scalar_subquery().label("held"),
            sa.select(sa.func.count())
            .select_from(tables.case_facts)
            .where(tables.case_facts.c.reported_at.is_(None))
            .scalar_subquery()
            .label("without_report"),
        )
    )
    counts = waiting.one()
    return Progress(
        partitions=tuple(
            PartitionProgress(topic=row.topic, partition=row.partition, next_offset=row.next_offset, events=row.events)
            for row in rows
        ),
        held_streams=counts.held,
        cases_without_report=counts.without_report,
        latest_at=max((row.latest_at for row in rows), default=None),
    )


class ReadModel:
    """The read model as the API sees it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    def snapshot(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a connection whose every SELECT sees the same instant."""
        return snapshot(self._engine)

    async def reached(self, position: Position) -> Reached:
        """Tell whether the event at that position is counted (or, of a reference document, copied)."""
        consumer = tables.REFERENCE if position.topic == DISPATCH_REFERENCE else tables.EVENTS
        async with reading(self._engine) as connection:
            return await ledger_reached(connection, consumer, position.topic, position.stream, position.sequence)
