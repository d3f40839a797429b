"""Events into the read model, a batch at a time: load the facts of its streams, fold, write what changed.

The projector hands over each event of a stream once and in order (I-6) and holds the positions of the batch's streams
locked meanwhile, so that what is loaded here cannot change before it is written. A repeat never arrives: nothing
is counted twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics.consumers.writing import CaseChanges, write_reports
from services.analytics.domain.case_fold import CaseEvent, evolve_case
from services.analytics.domain.facts import ReportFacts
from services.analytics.domain.report_fold import ReportEvent, evolve_report
from services.analytics.queries.loading import load_cases, load_reports
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
_Streams = Mapping[UUID, Sequence[tuple[Delivery, Event]]]
"""The next events of each stream, in order."""


async def project(connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
    """Count these events in the caller's transaction.

    Raises:
        Unreadable: an event that is not of its topic or does not decode.
        ImpossibleEvent: an event that its stream cannot hold.
    """
    events = [(delivery, read(delivery)) for delivery in deliveries]
    streams: dict[str, dict[UUID, list[tuple[Delivery, Event]]]] = {topic: defaultdict(list) for topic in TOPICS}
    for delivery, event in events:
        streams[delivery.topic][delivery.stream].append((delivery, event))
    if streams[INTAKE_REPORTS]:
        await _project_reports(connection, streams[INTAKE_REPORTS])
    if streams[DISPATCH_CASES]:
        await _project_cases(connection, streams[DISPATCH_CASES])
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


async def _project_reports(connection: AsyncConnection, streams: _Streams) -> None:
    known = await load_reports(connection, _begun(streams))
    changed: dict[UUID, ReportFacts] = {}
    for stream, events in streams.items():
        before = facts = known.get(stream)
        for _, event in events:
            facts = evolve_report(facts, cast("ReportEvent", event))
        if facts is not None and facts is not before:
            changed[stream] = facts
    await write_reports(connection, changed)


async def _project_cases(connection: AsyncConnection, streams: _Streams) -> None:
    known = await load_cases(connection, _begun(streams))
    changes = CaseChanges()
    for stream in sorted(streams):
        before = facts = known.get(stream)
        for _, event in streams[stream]:
            facts = evolve_case(facts, cast("CaseEvent", event))
        if facts is not None and facts is not before:
            changes.note(stream, before, facts)
    await changes.write(connection)


def _begun(streams: _Streams) -> list[UUID]:
    """Return the streams of which something was counted before."""
    return sorted(stream for stream, events in streams.items() if events[0][0].sequence > 1)


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
