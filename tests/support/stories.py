"""A problem's story as the events that intake and dispatch publish of it, in the order of each stream."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Self
from uuid import UUID

import msgspec

from shared.contracts import dispatch, intake
from shared.contracts.common import Actor, CategoryCode, Event, Level, Place
from shared.contracts.envelope import CloudEvent, binary_headers
from shared.contracts.records import Record
from shared.contracts.reference import Limit
from shared.contracts.registry import (
    DISPATCH_CASES,
    INTAKE_REPORTS,
    PARTITIONS,
    partition_for,
    party_uri,
    topic_named,
    type_name,
)
from shared.deadlines.clocks import start_clock
from shared.deadlines.working_time import working_time_of
from shared.kernel.identifiers import named_id, new_id
from tests.support.working_hours import CALENDAR, HOURS

NUMBER = "220281-JE-20261123-000123"
START = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
"""A Monday, nine o'clock in Jiaohe."""
LIMIT = Limit(amount=1, unit="working_day")
SYSTEM = Actor(client="system", unit="joint-administration", post="system")
EXPLANATION = dispatch.Explanation(
    rule="r-1",
    catalogue_version=1,
    units_version=1,
    legal_basis="basis",
    considered=(),
    decided_by="power_list",
)


class Story:
    """What happened to one problem, a minute after the other: every method tells one more event of it."""

    def __init__(
        self,
        *,
        start: datetime = START,
        source: str = "urban-management",
        category: str = "E0108",
        street: str | None = "220281001",
        community: str | None = "220281001001",
        campaign: str | None = "autumn",
        missing: tuple[str, ...] = (),
    ) -> None:
        self.id = new_id()
        self.reports: list[Event] = []
        self.cases: list[Event] = []
        self._now = start
        self._source = source
        self._campaign = campaign
        self._category = CategoryCode(system="jiaohe", version=1, code=category, condition="default")
        self._place = Place(longitude=127.3, latitude=43.7, street=street, community=community)
        self._reported_at = start
        self._units: dict[int, str] = {}
        self._report(
            intake.Reported(
                at=self._tick(),
                by=SYSTEM,
                source=source,
                channel="topic",
                category=None if missing else self._category,
                named_category=intake.SubmittedCategory(system="jiaohe", code=category),
                place=self._place,
                observed_at=start,
                target_type="public_space",
                campaign=campaign,
                content_digest="0" * 64,
                missing=missing,
                places_version=1,
            )
        )

    def completed(self, *, street: str, community: str) -> Self:
        self._place = Place(longitude=127.3, latitude=43.7, street=street, community=community)
        return self._report(intake.Completed(at=self._tick(), by=SYSTEM, category=self._category, place=self._place))

    def verification_assigned(self, unit: str = "supervision-centre") -> Self:
        at = self._tick()
        limit = Limit(amount=1, unit="urgent_hour")
        clock = start_clock("verify", limit, at, working_time_of(CALENDAR, HOURS), 1, 1)
        return self._report(intake.VerificationAssigned(at=at, by=SYSTEM, unit=unit, clock=clock))

    def verified(self, result: intake.VerificationResult, unit: str = "supervision-centre") -> Self:
        return self._report(
            intake.Verified(at=self._tick(), by=SYSTEM, unit=unit, result=result, finding="as photographed")
        )

    def accepted(self) -> Self:
        return self._report(intake.Accepted(at=self._tick(), by=SYSTEM))

    def rejected(self) -> Self:
        return self._report(
            intake.Rejected(at=self._tick(), by=SYSTEM, stage="acceptance", reason_code="not_ours", reason="elsewhere")
        )

    def of_merge(self, event: type[Event], **facts: object) -> Self:
        """What a report says of a merge before it is filed."""
        return self._report(event(at=self._tick(), by=SYSTEM, **facts))

    def filed(self) -> Self:
        return self.accepted()._report(
            intake.Filed(
                at=self._tick(),
                by=SYSTEM,
                source=self._source,
                category=self._category,
                place=self._place,
                observed_at=self._reported_at,
                reported_at=self._reported_at,
                target_type="public_space",
                campaign=self._campaign,
            )
        )

    def opened(self) -> Self:
        return self._case(
            dispatch.CaseOpened(
                at=self._tick(),
                by=SYSTEM,
                source=self._source,
                category=self._category,
                place=self._place,
                observed_at=self._reported_at,
                reported_at=self._reported_at,
                filed_at=self._now,
                target_type="public_space",
                campaign=self._campaign,
                limit=LIMIT,
                closing_condition_zh="已清理",
                closing_condition_en="cleared",
                number=NUMBER,
            )
        )

    def unroutable(self) -> Self:
        return self._case(
            dispatch.CaseRoutingFailed(
                at=self._tick(), by=SYSTEM, explanation=EXPLANATION, reason="no_rule", detail="no rule"
            )
        )

    def dispatched(self, lead: str = "urban-management", *support: str, level: Level = "city") -> Self:
        self._units = dict(enumerate((lead, *support), start=1))
        legs = tuple(
            dispatch.Leg(leg=leg, unit=unit, role="lead" if leg == 1 else "support", limit=LIMIT)
            for leg, unit in self._units.items()
        )
        return self._case(
            dispatch.CaseDispatched(at=self._tick(), by=SYSTEM, legs=legs, explanation=EXPLANATION, level=level)
        )

    def signed(self, leg: int = 1) -> Self:
        return self._case(dispatch.LegSigned(at=self._tick(), by=SYSTEM, leg=leg, unit=self._units[leg]))

    def fed_back(self, leg: int = 1) -> Self:
        return self._case(
            dispatch.LegFedBack(
                at=self._tick(), by=SYSTEM, leg=leg, unit=self._units[leg], closing_condition="cleared", evidence=()
            )
        )

    def return_requested(self, leg: int = 1) -> Self:
        return self._case(
            dispatch.LegReturnRequested(
                at=self._tick(),
                by=SYSTEM,
                leg=leg,
                unit=self._units[leg],
                reason="not_our_duty",
                ground="another unit's",
            )
        )

    def return_refused(self, leg: int = 1) -> Self:
        return self._case(
            dispatch.LegReturnRefused(at=self._tick(), by=SYSTEM, leg=leg, unit=self._units[leg], reason="it is yours")
        )

    def return_upheld(self, to_unit: str, leg: int = 1) -> Self:
        unit, self._units[leg] = self._units[leg], to_unit
        return self._case(
            dispatch.LegReturnUpheld(
                at=self._tick(), by=SYSTEM, leg=leg, unit=unit, to_unit=to_unit, explanation=EXPLANATION
            )
        )

    def waived(self, leg: int) -> Self:
        return self._case(
            dispatch.LegWaived(at=self._tick(), by=SYSTEM, leg=leg, unit=self._units[leg], reason="not needed")
        )

    def check_failed(self, *rework: int, reason: str | None = "still there") -> Self:
        return self._case(dispatch.CaseChecked(at=self._tick(), by=SYSTEM, passed=False, rework=rework, reason=reason))

    def check_passed(self) -> Self:
        return self._case(dispatch.CaseChecked(at=self._tick(), by=SYSTEM, passed=True, rework=(), reason=None))

    def closed(self, level: Level = "city") -> Self:
        return self._case(dispatch.CaseClosed(at=self._tick(), by=SYSTEM, level=level))

    def handled(self, lead: str = "urban-management", *support: str) -> Self:
        """Tell everything from filing to a passed check."""
        self.filed().opened().dispatched(lead, *support)
        for leg in sorted(self._units, reverse=True):
            self.signed(leg).fed_back(leg)
        return self.check_passed()

    def records(self) -> list[Record]:
        """Return the story as records of both topics, first intake's, then dispatch's."""
        return [*stream_records(INTAKE_REPORTS, self.id, self.reports), *self.case_records()]

    def case_records(self) -> list[Record]:
        """Return what dispatch published of it."""
        return stream_records(DISPATCH_CASES, self.id, self.cases)

    def _report(self, event: Event) -> Self:
        self.reports.append(event)
        return self

    def _case(self, event: Event) -> Self:
        self.cases.append(event)
        return self

    def _tick(self) -> datetime:
        self._now += timedelta(minutes=1)
        return self._now


def stream_records(topic: str, stream: UUID, events: Sequence[Event]) -> list[Record]:
    """Return the records by which a service publishes a stream; `offset_all` gives them their offsets."""
    service = topic_named(topic).writer
    return [
        event_record(topic, stream, sequence, event, party_uri("services", service))
        for sequence, event in enumerate(events, start=1)
    ]


def event_record(topic: str, stream: UUID, sequence: int, event: Event, source: str) -> Record:
    """Return one event as a record in binary mode, at offset 0 of its partition."""
    key = str(stream).encode()
    envelope = CloudEvent(
        id=str(named_id(topic, str(stream), str(sequence))),
        source=source,
        type=type_name(type(event)),
        subject=str(stream),
        time=event.at,
        sequence=sequence,
        data=msgspec.json.encode(event),
    )
    return Record(
        topic=topic,
        partition=partition_for(key, PARTITIONS),
        offset=0,
        timestamp=event.at,
        key=key,
        headers=tuple(binary_headers(envelope)),
        value=envelope.data,
    )


def offset_all(records: Iterable[Record]) -> list[Record]:
    """Return the records with the offsets that a broker would give them in this order."""
    offsets: dict[tuple[str, int], count[int]] = {}
    return [
        msgspec.structs.replace(record, offset=next(offsets.setdefault((record.topic, record.partition), count())))
        for record in records
    ]
