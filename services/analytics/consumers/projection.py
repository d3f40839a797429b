"""Events into the read model, a batch at a time: load the facts of its streams, fold, write what changed.

The projector hands over each event of a stream once and in order (I-6) and holds the positions of the batch's streams
locked meanwhile, so that what is loaded here cannot change before it is written. A repeat never arrives: nothing
is counted twice.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics import tables
from services.analytics.domain.facts import (
    CaseEvent,
    CaseFacts,
    LegFacts,
    ReportEvent,
    evolve_case,
    evolve_report,
)
from shared.contracts.common import Event
from shared.contracts.decisions import Delivery
from shared.contracts.registry import CASE_EVENTS, DISPATCH_CASES, INTAKE_REPORTS, REPORT_EVENTS, type_name
from shared.contracts.validation import decode
from shared.kernel.errors import Unreadable

TOPICS: Final = (INTAKE_REPORTS, DISPATCH_CASES)

_TYPES: Final[Mapping[str, Mapping[str, type[Event]]]] = {
    INTAKE_REPORTS: {type_name(event): event for event in REPORT_EVENTS},
    DISPATCH_CASES: {type_name(event): event for event in CASE_EVENTS},
}
F = TypeVar("F")


async def project(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
    """Count these events in the caller's transaction.

    Raises:
        Unreadable: an event that is not of its topic or does not decode.
        ImpossibleEvent: an event that its stream cannot hold.
    """
    events = [(delivery, read(delivery)) for delivery in deliveries]
    reports = [(delivery.stream, event) for delivery, event in events if delivery.topic == INTAKE_REPORTS]
    cases = [(delivery.stream, event) for delivery, event in events if delivery.topic == DISPATCH_CASES]
    if reports:
        await _project_reports(connection, reports)
    if cases:
        await _project_cases(connection, cases)
    await _move_progress(connection, events)


def read(delivery: Delivery) -> Event:
    """Return the event that a delivery carries.

    Raises:
        Unreadable: when it is not of its topic or does not decode.
    """
    expected = _TYPES[delivery.topic].get(delivery.event.type)
    if expected is None:
        raise Unreadable("unknown_type", f"{delivery.event.type} is no event of {delivery.topic}.")
    return decode(expected, delivery.event.data)


async def _project_reports(connection: AsyncConnection, events: Sequence[tuple[UUID, Event]]) -> None:
    streams = sorted({stream for stream, _ in events})
    columns = tables.case_facts.c
    rows = await connection.execute(
        sa.select(columns.stream, *(columns[name] for name in tables.REPORT_COLUMNS)).where(_among(streams))
    )
    known = {row.stream: facts for row in rows if (facts := tables.report_of(row)) is not None}
    folded = _fold(known, events, lambda facts, event: evolve_report(facts, cast("ReportEvent", event)))
    await _write(
        connection,
        tables.case_facts,
        ("stream", *tables.REPORT_COLUMNS),
        [(stream, *tables.report_values(folded[stream])) for stream in streams],
    )


async def _project_cases(connection: AsyncConnection, events: Sequence[tuple[UUID, Event]]) -> None:
    streams = sorted({stream for stream, _ in events})
    known = await _load_cases(connection, streams)
    folded = _fold(known, events, lambda facts, event: evolve_case(facts, cast("CaseEvent", event)))
    await _write(
        connection,
        tables.case_facts,
        ("stream", *tables.CASE_COLUMNS),
        [(stream, *tables.case_values(folded[stream])) for stream in streams],
    )
    await _write(
        connection,
        tables.leg_facts,
        ("stream", *tables.LEG_COLUMNS),
        [
            (stream, *tables.leg_values(leg))
            for stream in streams
            for _, leg in sorted(folded[stream].legs.items())
            if not _was(known.get(stream), leg)
        ],
    )


async def _load_cases(connection: AsyncConnection, streams: Sequence[UUID]) -> dict[UUID, CaseFacts]:
    legs: dict[UUID, list[LegFacts]] = defaultdict(list)
    leg_table, columns = tables.leg_facts, tables.case_facts.c
    for row in await connection.execute(sa.select(leg_table).where(_among(streams, leg_table))):
        legs[row.stream].append(tables.leg_of(row))
    rows = await connection.execute(
        sa.select(columns.stream, *(columns[name] for name in tables.CASE_COLUMNS)).where(_among(streams))
    )
    return {row.stream: facts for row in rows if (facts := tables.case_of(row, legs[row.stream])) is not None}


def _fold(
    known: Mapping[UUID, F], events: Iterable[tuple[UUID, Event]], evolve: Callable[[F | None, Event], F]
) -> dict[UUID, F]:
    folded = dict(known)
    for stream, event in events:
        folded[stream] = evolve(folded.get(stream), event)
    return folded


def _was(facts: CaseFacts | None, leg: LegFacts) -> bool:
    return facts is not None and facts.legs.get(leg.leg) == leg


def _among(streams: Sequence[UUID], table: sa.Table = tables.case_facts) -> sa.ColumnElement[bool]:
    return table.c.stream == sa.any_(sa.literal(list(streams), postgresql.ARRAY(sa.Uuid)))


async def _write(
    connection: AsyncConnection, table: sa.Table, names: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Insert these rows in their order, or set these columns, and no others, of the rows that exist."""
    if rows:
        arrays = tuple(list(column) for column in zip(*rows, strict=True))
        await connection.exec_driver_sql(_upsert(table, names), arrays)


def _upsert(table: sa.Table, names: Sequence[str]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    arrays = ", ".join(
        f"${number}::{table.c[name].type.compile(dialect=dialect)}[]" for number, name in enumerate(names, start=1)
    )
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in names if name not in keys)
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM unnest({arrays}) "  # noqa: S608 - our own names
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
    )


async def _move_progress(connection: AsyncConnection, events: Iterable[tuple[Delivery, Event]]) -> None:
    counted: dict[tuple[str, int], list[tuple[int, datetime]]] = defaultdict(list)
    for delivery, event in events:
        record = delivery.record
        counted[record.topic, record.partition].append((record.offset, event.at))
    places = sorted(counted)
    values: tuple[Any, ...] = (
        [topic for topic, _ in places],
        [partition for _, partition in places],
        [max(offset for offset, _ in counted[place]) + 1 for place in places],
        [len(counted[place]) for place in places],
        [max(at for _, at in counted[place]) for place in places],
    )
    await connection.exec_driver_sql(
        "INSERT INTO topic_progress AS p (topic, partition, next_offset, events, latest_at) "
        "SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::timestamptz[]) "
        "ON CONFLICT (topic, partition) DO UPDATE SET events = p.events + EXCLUDED.events, "
        "next_offset = greatest(p.next_offset, EXCLUDED.next_offset), "
        "latest_at = greatest(p.latest_at, EXCLUDED.latest_at)",
        values,
    )
