"""What intake's events mean for dispatch."""

from datetime import timedelta

import msgspec
import pytest

from services.dispatch.domain.commands import OpenCase
from services.dispatch.policies import open_case
from shared.contracts.common import Event
from shared.contracts.decisions import Delivery, WaitForReference
from shared.contracts.envelope import CloudEvent
from shared.contracts.intake import Accepted, Filed
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.contracts.reference import Kind
from shared.contracts.registry import type_name
from shared.kernel.errors import Unreadable
from tests.support.cases import CASE_ID, CATEGORY, CITY, NOON, SYSTEM, URBAN, library, place

FILED = Filed(
    at=NOON + timedelta(minutes=2),
    by=SYSTEM,
    source=URBAN,
    category=CATEGORY,
    place=place(),
    observed_at=NOON,
    reported_at=NOON + timedelta(minutes=1),
    target_type="public_space",
    campaign="winter",
)


def delivery(event: Event, data: bytes | None = None) -> Delivery:
    envelope = CloudEvent(
        id="1",
        source="/joint/services/intake",
        type=type_name(type(event)),
        data=msgspec.json.encode(event) if data is None else data,
        subject=str(CASE_ID),
        sequence=3,
    )
    record = Record(
        topic="intake.reports", partition=0, offset=0, timestamp=NOON, key=None, headers=(), value=envelope.data
    )
    return Delivery(topic="intake.reports", stream=CASE_ID, sequence=3, event=envelope, record=record)


def test_a_filed_report_becomes_a_command_with_all_its_facts() -> None:
    assert open_case(CITY, delivery(FILED), library()) == OpenCase(
        case_id=CASE_ID,
        report_sequence=3,
        source=URBAN,
        category=CATEGORY,
        place=place(),
        observed_at=NOON,
        reported_at=NOON + timedelta(minutes=1),
        filed_at=NOON + timedelta(minutes=2),
        target_type="public_space",
        campaign="winter",
    )


def test_a_catalogue_version_that_is_not_here_yet_is_waited_for() -> None:
    later = msgspec.structs.replace(FILED, category=msgspec.structs.replace(CATEGORY, version=2))
    assert open_case(CITY, delivery(later), library()) == WaitForReference(kind="catalogue", name=CITY, version=2)


def test_the_units_are_waited_for_too() -> None:
    only_catalogue = ReferenceLibrary({("catalogue", CITY): library().documents["catalogue", CITY]})
    assert open_case(CITY, delivery(FILED), only_catalogue) == WaitForReference(kind="units", name=CITY, version=1)


@pytest.mark.parametrize("kind", ["calendar", "limit_policy", "routing"])
def test_no_case_is_opened_past_what_the_city_has_to_say(kind: Kind) -> None:
    known = {key: versions for key, versions in library().documents.items() if key != (kind, CITY)}
    assert open_case(CITY, delivery(FILED), ReferenceLibrary(known)) == WaitForReference(
        kind=kind, name=CITY, version=1
    )


def test_other_events_of_intake_mean_nothing_here() -> None:
    assert open_case(CITY, delivery(Accepted(at=NOON, by=SYSTEM)), ReferenceLibrary()) is None


def test_an_event_that_is_not_what_its_type_says_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        open_case(CITY, delivery(FILED, data=b'{"source": 7}'), library())
