"""What intake and the departments publish for dispatch, and how it is put on the topics.

Problems of every category of the city's catalogue, one after the other, in all of its communities; each becomes a case
whose legs are all signed and then all fed back by their departments. Whole batches go to the partitions, because how
quickly input is made is not what is measured.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

import msgspec

from services.dispatch.domain.routing import Routed, RoutingDocuments, route
from services.dispatch.domain.rule_fit import Matter
from services.dispatch.seed import CITY, catalogue, places, units
from shared.contracts.common import Actor, CategoryCode, Event, Place
from shared.contracts.dispatch import FeedBackLeg, LegAction, SignLeg
from shared.contracts.envelope import CloudEvent, binary_headers
from shared.contracts.intake import Accepted, Filed, Reported, SubmittedCategory
from shared.contracts.registry import ACTIONS_PREFIX, INTAKE_REPORTS, party_uri, type_name
from shared.kernel.identifiers import new_id
from shared.ledger.relaying import OutboxRow
from shared.messaging.connection import KafkaConnection
from shared.messaging.partitions import PartitionSender

REPORT_RECORDS: Final = 3
"""Records a problem on `intake.reports`; only the last one, `filed`, means something to dispatch."""

LEAD: Final = 1
"""The number of the lead leg."""

_SOURCE: Final = "grid-platform"
_INTAKE: Final = Actor(client="intake", unit="intake", post="system")
_CENTRE: Final = (127.34, 43.72)
_VERSION: Final = 1
_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem to come: its id, what it is, where it is, and the units that will have a leg, the lead first."""

    id: UUID
    category: CategoryCode
    place: Place
    units: tuple[str, ...]


def problems(count: int) -> list[Problem]:
    """Return so many new problems; their mix is the same at every call."""
    return [
        Problem(id=new_id(), category=category, place=place, units=handling)
        for category, place, handling in itertools.islice(itertools.cycle(_kinds()), count)
    ]


def reports(of: Sequence[Problem]) -> list[OutboxRow]:
    """Return what intake publishes of the problems: each is reported, accepted and filed by one submission."""
    now = datetime.now(UTC)
    return [row for problem in of for row in _published(problem.id, _report(problem, now))]


def acts(of: Sequence[Problem]) -> tuple[list[OutboxRow], list[OutboxRow]]:
    """Return what the departments publish of the cases, in two lots: the lead feeds back when all others have.

    First every leg is signed and every support leg fed back, then the leads feed back: each lets a check be assigned.
    """
    legs = [(problem, leg, unit) for problem in of for leg, unit in enumerate(problem.units, start=1)]
    signed = [_act(unit, SignLeg(case_id=problem.id, leg=leg)) for problem, leg, unit in legs]
    supports = [feedback(problem, leg, unit) for problem, leg, unit in legs if leg != LEAD]
    leads = [feedback(problem, leg, unit) for problem, leg, unit in legs if leg == LEAD]
    return signed + supports, leads


async def fill(kafka: KafkaConnection, rows: Sequence[OutboxRow]) -> None:
    """Put the rows on their topics, those of one partition in the order given; fail unless all of them are there."""
    sender = PartitionSender(kafka)
    try:
        for first in range(0, len(rows), _AT_ONCE):
            lot = [msgspec.structs.replace(row, id=number) for number, row in enumerate(rows[first : first + _AT_ONCE])]
            delivery = await sender.send(lot)
            assert len(delivery.sent) == len(lot), delivery.failed
    finally:
        await sender.discard()


def _kinds() -> Iterator[tuple[CategoryCode, Place, tuple[str, ...]]]:
    """Give the categories once, with their first filing condition, each at the next community.

    Not those whose limit has passed when they are dispatched, and not those that are closed on papers: of all others
    it is certain how many records they make.
    """
    known, offices, areas = catalogue(CITY), units(), places().areas
    communities = itertools.cycle(area for area in areas if area.parent is not None)
    for category in known.categories:
        if category.no_site_check or category.conditions[0].limit.unit == "at_once":
            continue
        area = next(communities)
        code = CategoryCode(system=CITY, version=_VERSION, code=category.code, condition=category.conditions[0].code)
        place = Place(longitude=_CENTRE[0], latitude=_CENTRE[1], street=area.parent, community=area.code)
        matter = Matter(
            category=code,
            street=place.street,
            community=place.community,
            target_type="public_space",
            at=datetime.now(UTC),
        )
        routed = route(RoutingDocuments(catalogue=(_VERSION, known), units=(_VERSION, offices)), matter)
        assert isinstance(routed, Routed), routed
        yield code, place, tuple(leg.unit for leg in routed.legs)


def _report(problem: Problem, now: datetime) -> list[Event]:
    observed = now - timedelta(minutes=5)
    return [
        Reported(
            at=now,
            by=_INTAKE,
            source=_SOURCE,
            channel="topic",
            category=problem.category,
            named_category=SubmittedCategory(system=CITY, code=problem.category.code),
            place=problem.place,
            observed_at=observed,
            target_type="public_space",
            campaign="winter",
            content_digest=_digest(problem, 0),
            missing=(),
            places_version=_VERSION,
        ),
        Accepted(at=now, by=_INTAKE),
        Filed(
            at=now,
            by=_INTAKE,
            source=_SOURCE,
            category=problem.category,
            place=problem.place,
            observed_at=observed,
            reported_at=now,
            target_type="public_space",
            campaign="winter",
        ),
    ]


def _published(stream: UUID, events: Sequence[Event]) -> Iterator[OutboxRow]:
    for sequence, event in enumerate(events, start=1):
        envelope = CloudEvent(
            id=str(new_id()),
            source=party_uri("services", "intake"),
            type=type_name(type(event)),
            subject=str(stream),
            time=event.at,
            sequence=sequence,
            partitionkey=str(stream),
            correlationid=str(stream),
            causationid=str(stream),
            previoushash=sha256(stream.bytes).hexdigest() if sequence > 1 else None,
            data=msgspec.json.encode(event),
        )
        yield _row(INTAKE_REPORTS, str(stream), envelope)


def _act(unit: str, act: LegAction) -> OutboxRow:
    envelope = CloudEvent(
        id=str(new_id()),
        source=party_uri("departments", unit),
        type=type_name(type(act)),
        time=datetime.now(UTC),
        data=msgspec.json.encode(act),
    )
    return _row(f"{ACTIONS_PREFIX}{unit}", str(act.case_id), envelope)


def feedback(problem: Problem, leg: int, unit: str) -> OutboxRow:
    """Return what the unit publishes when it reports its leg done."""
    return _act(
        unit, FeedBackLeg(case_id=problem.id, leg=leg, closing_condition="已清理", evidence=(_digest(problem, leg),))
    )


def _row(topic: str, key: str, envelope: CloudEvent) -> OutboxRow:
    return OutboxRow(topic=topic, key=key.encode(), headers=tuple(binary_headers(envelope)), value=envelope.data)


def _digest(problem: Problem, number: int) -> str:
    return sha256(problem.id.bytes + bytes([number])).hexdigest()
