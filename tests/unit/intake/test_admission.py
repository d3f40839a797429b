"""What is wrong and what is missing in a report, field by field."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.intake.domain.admission import Admission, admit
from shared.contracts.common import CategoryCode, Place
from shared.contracts.intake import SubmittedCategory
from shared.contracts.library import ReferenceLibrary
from shared.kernel.errors import Unavailable
from tests.support import reports
from tests.support.reports import COMMUNITY, LIBRARY, NOW, OTHER_COMMUNITY, STREET


def judged(
    category: SubmittedCategory | None = None,
    place: Place | None = None,
    observed_at: datetime = NOW,
    library: ReferenceLibrary = LIBRARY,
) -> Admission | list[tuple[str, str]]:
    """The admission, or field and code of each error."""
    found = admit(
        category or reports.category(),
        place or reports.public_place(),
        observed_at,
        at=NOW,
        city=reports.CITY,
        library=library,
    )
    return found if isinstance(found, Admission) else [(error.field, error.code) for error in found]


def test_a_complete_report_is_admitted_with_the_versions_that_were_looked_at() -> None:
    assert judged() == Admission(
        category=CategoryCode(system="jiaohe", version=1, code="E0702", condition="default"),
        place=reports.public_place(),
        missing=(),
        places_version=1,
    )


def test_the_newest_catalogue_is_meant_where_no_version_is_named() -> None:
    newer = LIBRARY.with_document("catalogue", "jiaohe", 2, reports.CATALOGUE)
    admission = judged(library=newer)
    assert isinstance(admission, Admission)
    assert admission.category is not None
    assert admission.category.version == 2


def test_an_older_published_version_may_be_named() -> None:
    newer = LIBRARY.with_document("catalogue", "jiaohe", 2, reports.CATALOGUE)
    admission = judged(reports.category(version=1), library=newer)
    assert isinstance(admission, Admission)
    assert admission.category is not None
    assert admission.category.version == 1


@pytest.mark.parametrize(
    "category, error",
    [
        (reports.category(system="mars"), ("category.system", "unknown_code_system")),
        (reports.category(version=2), ("category.version", "catalogue_version_not_published")),
        (reports.category("E9999"), ("category.code", "unknown_category")),
        (reports.category("E0203", condition="huge"), ("category.condition", "unknown_condition")),
    ],
)
def test_a_category_that_does_not_exist_is_an_error(category: SubmittedCategory, error: tuple[str, str]) -> None:
    assert judged(category) == [error]


def test_a_category_with_several_filing_conditions_waits_until_one_is_chosen() -> None:
    admission = judged(reports.category("E0203"))
    assert isinstance(admission, Admission)
    assert (admission.category, admission.missing) == (None, ("category.condition",))


@pytest.mark.parametrize(
    "place, error",
    [
        (reports.public_place(longitude=126.99), ("place", "outside_city")),
        (reports.public_place(latitude=44.01), ("place", "outside_city")),
        (reports.public_place(street="999999999", community=None), ("place.street", "unknown_street")),
        (reports.public_place(street=COMMUNITY, community=None), ("place.street", "unknown_street")),
        (reports.public_place(community="999999999999"), ("place.community", "unknown_community")),
        (reports.public_place(community=STREET), ("place.community", "unknown_community")),
        (reports.public_place(community=OTHER_COMMUNITY), ("place.community", "community_not_in_street")),
    ],
)
def test_a_place_that_does_not_exist_is_an_error(place: Place, error: tuple[str, str]) -> None:
    assert judged(place=place) == [error]


@pytest.mark.parametrize("longitude, latitude", [(127.0, 43.0), (127.0, 43.5), (128.0, 44.0)])
def test_the_boundary_belongs_to_the_city(longitude: float, latitude: float) -> None:
    assert isinstance(judged(place=reports.public_place(longitude=longitude, latitude=latitude)), Admission)


def test_the_street_of_a_community_need_not_be_named() -> None:
    admission = judged(place=reports.public_place(street=None))
    assert isinstance(admission, Admission)
    assert (admission.place.street, admission.missing) == (STREET, ())


def test_a_street_alone_waits_for_its_community() -> None:
    admission = judged(place=reports.public_place(community=None))
    assert isinstance(admission, Admission)
    assert admission.missing == ("place.community",)


def test_a_clock_may_run_five_minutes_ahead_and_no_more() -> None:
    assert isinstance(judged(observed_at=NOW + timedelta(minutes=5)), Admission)
    assert judged(observed_at=NOW + timedelta(minutes=5, seconds=1)) == [("observed_at", "in_the_future")]


@pytest.mark.parametrize(
    "observed_at, code",
    [
        (datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))), "in_the_future"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), "too_long_ago"),
        (datetime(1969, 12, 31, tzinfo=UTC), "too_long_ago"),
    ],
)
def test_no_time_is_too_strange_to_be_judged(observed_at: datetime, code: str) -> None:
    assert judged(observed_at=observed_at) == [("observed_at", code)]


def test_nothing_is_judged_before_the_places_document_has_arrived() -> None:
    with pytest.raises(Unavailable):
        judged(library=ReferenceLibrary())
