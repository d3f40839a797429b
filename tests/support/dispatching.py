"""What meets dispatch at its topics: filed reports and acts as records, and what its outbox holds for the relay."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.common import Actor, CategoryCode, Event, Place
from shared.contracts.dispatch import LegAction
from shared.contracts.envelope import CloudEvent, binary_headers
from shared.contracts.intake import Accepted, Filed, Reported, SubmittedCategory
from shared.contracts.records import Record
from shared.contracts.registry import ACTIONS_PREFIX, INTAKE_REPORTS, party_uri, type_name
from shared.kernel.identifiers import new_id
from tests.support.outbox import drained

MORNING: Final = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
FIRE_LANE: Final = "E0496"
"""Blocked fire lane: the lead is fire-rescue; it supports public-security, the street, property service, 城管."""
FIRE_LANE_UNITS: Final = (
    "fire-rescue",
    "public-security",
    "street-220281001",
    "property-service",
    "urban-management",
)
INTAKE: Final = Actor(client="intake", unit="intake", post="system")

_offsets = itertools.count()


def filed_events(version: int = 1, code: str = FIRE_LANE) -> list[Event]:
    """What intake publishes of a complete report of a trusted source."""
    category = CategoryCode(system="jiaohe", version=version, code=code, condition="01")
    place = Place(longitude=127.34, latitude=43.72, street="220281001", community="220281001001")
    return [
        Reported(
            at=MORNING,
            by=INTAKE,
            source="fire-rescue",
            channel="topic",
            category=category,
            named_category=SubmittedCategory(system="jiaohe", code=code),
            place=place,
            observed_at=MORNING,
            target_type="public_space",
            campaign="winter",
            content_digest="0" * 64,
            missing=(),
            places_version=1,
        ),
        Accepted(at=MORNING, by=INTAKE),
        Filed(
            at=MORNING,
            by=INTAKE,
            source="fire-rescue",
            category=category,
            place=place,
            observed_at=MORNING,
            reported_at=MORNING,
            target_type="public_space",
            campaign="winter",
        ),
    ]


def envelopes(stream: UUID, events: Sequence[Event], first: int = 1) -> list[CloudEvent]:
    """Return the events as intake publishes them on the stream, numbered from `first`."""
    return [
        CloudEvent(
            id=str(new_id()),
            source=party_uri("services", "intake"),
            type=type_name(type(event)),
            subject=str(stream),
            sequence=sequence,
            time=event.at,
            data=msgspec.json.encode(event),
        )
        for sequence, event in enumerate(events, start=first)
    ]


def filed_report(stream: UUID, version: int = 1, first: int = 1) -> list[Record]:
    """Return the records of a filed report on `intake.reports`."""
    return [record(INTAKE_REPORTS, event) for event in envelopes(stream, filed_events(version), first)]


def act_event(department: str, act: LegAction, id_: str | None = None) -> CloudEvent:
    """Return the act as the department's system signs it."""
    return CloudEvent(
        id=id_ or str(new_id()),
        source=party_uri("departments", department),
        type=type_name(type(act)),
        data=msgspec.json.encode(act),
    )


def act_record(department: str, act: LegAction, id_: str | None = None) -> Record:
    """Return the act as a record of the department's topic."""
    return record(f"{ACTIONS_PREFIX}{department}", act_event(department, act, id_))


def record(topic: str, event: CloudEvent) -> Record:
    """Return the event as a record, at an offset that no other has."""
    return Record(
        topic=topic,
        partition=0,
        offset=next(_offsets),
        timestamp=MORNING,
        key=(event.subject or event.id).encode(),
        headers=tuple(binary_headers(event)),
        value=event.data,
    )


async def relayed(engine: AsyncEngine) -> list[Record]:
    """Take everything out of the outbox, as the relay does, and return it as the records that it would make."""
    async with engine.begin() as connection:
        rows = await drained(connection)
    return [
        Record(
            topic=row.topic,
            partition=0,
            offset=next(_offsets),
            timestamp=MORNING,
            key=row.key,
            headers=row.headers,
            value=row.value,
        )
        for row in rows
    ]
