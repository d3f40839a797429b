"""Every SELECT of the API. A figure, its groups and the positions it counts up to are read in one snapshot."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.analytics import tables
from services.analytics.domain.facts import CaseFacts, LegFacts, ReportFacts

Counted = Literal["reported", "closed", "open", "rejected"]
Group = Literal["street", "community", "department", "category", "source", "campaign", "day"]
LegCounted = Literal["assigned", "fed_back", "waived", "open"]

_ZONE: Final = "Asia/Shanghai"
_CASES: Final = tables.case_facts.c
_LEGS: Final = tables.leg_facts.c
_KEYS: Final[dict[Group, sa.ColumnElement[Any]]] = {
    "street": _CASES.street,
    "community": _CASES.community,
    "department": _CASES.lead,
    "category": _CASES.category_system + ":" + _CASES.category_code,
    "source": _CASES.source,
    "campaign": _CASES.campaign,
    "day": sa.cast(sa.func.timezone(_ZONE, _CASES.reported_at), sa.Date),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which cases a figure is about. An empty text asks for the cases that have no such value.

    `department` is the lead unit, `category` is `<code system>:<code>`, `day` the day of the report in Beijing time.
    `as_of` is the cut-off, inclusive; None counts everything that has arrived.
    """

    street: str | None = None
    community: str | None = None
    department: str | None = None
    category: str | None = None
    source: str | None = None
    campaign: str | None = None
    day: date | None = None
    as_of: datetime | None = None

    def within(self, group: Group, key: str) -> "Filters":
        """Return the filters that name what this group's row counts."""
        narrowed: Any = date.fromisoformat(key) if group == "day" else key
        return replace(self, **{group: narrowed})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How many problems there are of each kind; `key` is the group's, None for the total."""

    key: str | None
    reported: int
    closed: int
    rejected: int

    @property
    def open(self) -> int:
        """How many are neither closed nor rejected."""
        return self.reported - self.closed - self.rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFigures:
    """What one unit has to do in these cases, as lead or support; the three kinds add up to `assigned`."""

    unit: str
    assigned: int
    fed_back: int
    waived: int

    @property
    def open(self) -> int:
        """How many legs the unit still owes."""
        return self.assigned - self.fed_back - self.waived


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One problem behind a figure."""

    stream: UUID
    report: ReportFacts
    case: CaseFacts | None


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a connection whose every SELECT sees the same instant."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


async def figures(connection: AsyncConnection, filters: Filters) -> Figures:
    """Count the problems that the filters name."""
    row = (await connection.execute(sa.select(*_counts(filters)).where(*_reported(filters)))).one()
    return Figures(key=None, reported=row.reported, closed=row.closed, rejected=row.rejected)


async def figures_by(connection: AsyncConnection, group: Group, filters: Filters) -> list[Figures]:
    """Count them by group, in the order of the keys; the key "" is what has no such value."""
    key = sa.func.coalesce(sa.cast(_KEYS[group], sa.Text), "").label("key")
    rows = await connection.execute(
        sa.select(key, *_counts(filters)).where(*_reported(filters)).group_by(key).order_by(key)
    )
    return [Figures(key=row.key, reported=row.reported, closed=row.closed, rejected=row.rejected) for row in rows]


async def leg_figures(connection: AsyncConnection, filters: Filters) -> list[LegFigures]:
    """Count the legs of the cases that the filters name, by unit; each leg as it stands now."""
    rows = await connection.execute(
        sa.select(
            _LEGS.unit,
            sa.func.count().label("assigned"),
            sa.func.count().filter(_leg_is("fed_back", filters)).label("fed_back"),
            sa.func.count().filter(_leg_is("waived", filters)).label("waived"),
        )
        .select_from(tables.leg_facts.join(tables.case_facts, _LEGS.stream == _CASES.stream))
        .where(*_reported(filters), _leg_is("assigned", filters))
        .group_by(_LEGS.unit)
        .order_by(_LEGS.unit)
    )
    return [LegFigures(unit=row.unit, assigned=row.assigned, fed_back=row.fed_back, waived=row.waived) for row in rows]


async def cases(
    connection: AsyncConnection, counted: Counted, filters: Filters, *, after: UUID | None, limit: int
) -> list[CaseRow]:
    """Return at most `limit` problems behind a figure in the order of their ids, which is that of their creation.

    `after` is the last id of the page before: a page never moves, whatever is reported meanwhile.
    """
    conditions = [*_reported(filters), _is(counted, filters)]
    if after is not None:
        conditions.append(_CASES.stream > after)
    rows = (
        await connection.execute(sa.select(tables.case_facts).where(*conditions).order_by(_CASES.stream).limit(limit))
    ).all()
    legs = await _legs_of(connection, [row.stream for row in rows])
    return [
        CaseRow(stream=row.stream, report=report, case=tables.case_of(row, legs[row.stream]))
        for row in rows
        if (report := tables.report_of(row)) is not None
    ]


async def legs(
    connection: AsyncConnection,
    unit: str,
    counted: LegCounted,
    filters: Filters,
    *,
    after: tuple[UUID, int] | None,
    limit: int,
) -> list[tuple[UUID, LegFacts]]:
    """Return the legs behind a unit's figure with the ids of their cases, in the order of (id, leg)."""
    conditions = [*_reported(filters), _leg_is("assigned", filters), _leg_is(counted, filters), _LEGS.unit == unit]
    if after is not None:
        conditions.append(sa.tuple_(_LEGS.stream, _LEGS.leg) > sa.tuple_(*after))
    rows = await connection.execute(
        sa.select(tables.leg_facts)
        .select_from(tables.leg_facts.join(tables.case_facts, _LEGS.stream == _CASES.stream))
        .where(*conditions)
        .order_by(_LEGS.stream, _LEGS.leg)
        .limit(limit)
    )
    return [(row.stream, tables.leg_of(row)) for row in rows]


async def progress(connection: AsyncConnection, consumer: str) -> Progress:
    """Tell up to where `consumer` has counted."""
    rows = (
        await connection.execute(
            sa.select(tables.topic_progress).order_by(tables.topic_progress.c.topic, tables.topic_progress.c.partition)
        )
    ).all()
    held = tables.ledger.held.c
    streams = sa.select(held.topic, held.stream).where(held.consumer == consumer).distinct().subquery()
    waiting = await connection.execute(
        sa.select(
            sa.select(sa.func.count()).select_from(streams).scalar_subquery().label("held"),
            sa.select(sa.func.count())
            .select_from(tables.case_facts)
            .where(_CASES.reported_at.is_(None))
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


async def _legs_of(connection: AsyncConnection, streams: Sequence[UUID]) -> dict[UUID, list[LegFacts]]:
    found: dict[UUID, list[LegFacts]] = defaultdict(list)
    among = _LEGS.stream == sa.any_(sa.literal(list(streams), postgresql.ARRAY(sa.Uuid)))
    for row in await connection.execute(sa.select(tables.leg_facts).where(among)):
        found[row.stream].append(tables.leg_of(row))
    return found


def _counts(filters: Filters) -> tuple[sa.ColumnElement[int], ...]:
    return (
        sa.func.count().label("reported"),
        sa.func.count().filter(_is("closed", filters)).label("closed"),
        sa.func.count().filter(_is("rejected", filters)).label("rejected"),
    )


def _reported(filters: Filters) -> list[sa.ColumnElement[bool]]:
    conditions = [_by(_CASES.reported_at, filters)]
    for group, key in _KEYS.items():
        wanted = getattr(filters, group)
        if wanted is not None:
            conditions.append(key.is_(None) if wanted == "" else key == wanted)
    return conditions


def _is(counted: Counted, filters: Filters) -> sa.ColumnElement[bool]:
    closed = _by(_CASES.closed_at, filters)
    rejected = _by(_CASES.rejected_at, filters) & ~closed
    match counted:
        case "reported":
            return sa.true()
        case "closed":
            return closed
        case "rejected":
            return rejected
        case "open":
            return ~closed & ~rejected


def _leg_is(counted: LegCounted, filters: Filters) -> sa.ColumnElement[bool]:
    match counted:
        case "assigned":
            return _by(_LEGS.assigned_at, filters)
        case "fed_back":
            return (_LEGS.state == "fed_back") & _by(_LEGS.fed_back_at, filters)
        case "waived":
            return (_LEGS.state == "waived") & _by(_LEGS.waived_at, filters)
        case "open":
            return ~_leg_is("fed_back", filters) & ~_leg_is("waived", filters)


def _by(instant: sa.ColumnElement[Any], filters: Filters) -> sa.ColumnElement[bool]:
    """Say whether it happened up to and including the cut-off; never unknown, so that it can be negated."""
    happened = instant.is_not(None)
    return happened if filters.as_of is None else happened & (instant <= filters.as_of)
