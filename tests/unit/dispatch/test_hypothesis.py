"""A question about a case that does not exist: by which documents it is answered, and everything wrong with it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from services.dispatch.domain.hypothesis import Hypothesis, Versions, suppose
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Routing
from shared.kernel.errors import Refusal
from tests.support.reference import A_CATALOGUE, A_LIBRARY, CITY, SOME_UNITS

STREET, COMMUNITY = "100000001", "100000001001"
AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
LIBRARY = (
    A_LIBRARY.with_document("catalogue", CITY, 1, A_CATALOGUE)
    .with_document("catalogue", CITY, 2, msgspec.structs.replace(A_CATALOGUE, title_en="second"))
    .with_document("routing", CITY, 3, Routing(city=CITY, overrides=()))
)
QUESTION = Hypothesis(
    system=CITY,
    code="E1",
    condition="01",
    street=STREET,
    community=COMMUNITY,
    target_type="resident",
    at=AT,
    versions=Versions(),
)


def test_the_documents_in_force_answer() -> None:
    found = suppose(LIBRARY, CITY, QUESTION)
    assert not isinstance(found, Refusal)
    documents, matter = found
    assert (documents.catalogue[0], documents.units[0], documents.routing and documents.routing[0]) == (2, 1, 3)
    assert (documents.calendar, documents.policy) == (None, None)
    assert (matter.category.version, matter.street, matter.community, matter.at) == (2, STREET, COMMUNITY, AT)


def test_versions_that_are_named_answer_instead() -> None:
    found = suppose(LIBRARY, CITY, replace(QUESTION, versions=Versions(catalogue=1)))
    assert not isinstance(found, Refusal)
    assert found[0].catalogue == (1, A_CATALOGUE)
    assert found[1].category.version == 1


def test_the_street_of_a_community_need_not_be_said() -> None:
    found = suppose(LIBRARY, CITY, replace(QUESTION, street=None))
    assert not isinstance(found, Refusal)
    assert found[1].street == STREET


def test_a_place_may_be_nowhere_in_particular() -> None:
    found = suppose(LIBRARY, CITY, replace(QUESTION, street=None, community=None))
    assert not isinstance(found, Refusal)
    assert (found[1].street, found[1].community) == (None, None)


@pytest.mark.parametrize(
    "changes,errors",
    [
        ({"system": "boston311"}, [("category.system", "unknown_system")]),
        ({"code": "E9"}, [("category.code", "unknown_category")]),
        ({"condition": "99"}, [("category.condition", "unknown_condition")]),
        ({"street": "999999999", "community": None}, [("place.street", "unknown_street")]),
        ({"street": COMMUNITY, "community": None}, [("place.street", "unknown_street")]),
        ({"community": STREET}, [("place.community", "unknown_community")]),
        ({"at": datetime(9999, 12, 31, 23, tzinfo=UTC)}, [("at", "out_of_range")]),
        ({"at": datetime(1, 1, 1, tzinfo=UTC)}, [("at", "out_of_range")]),
        ({"versions": Versions(units=9)}, [("versions.units", "unknown_version")]),
        ({"versions": Versions(calendar=1)}, [("versions.calendar", "unknown_version")]),
        (
            {
                "versions": Versions(catalogue=9, units=9, routing=9, calendar=9, limit_policy=9),
                "street": "999999999",
            },
            [
                ("versions.catalogue", "unknown_version"),
                ("versions.units", "unknown_version"),
                ("versions.routing", "unknown_version"),
                ("versions.calendar", "unknown_version"),
                ("versions.limit_policy", "unknown_version"),
                ("place.street", "unknown_street"),
                ("place.community", "other_street"),
            ],
        ),
        (
            {"code": "E9", "community": "1", "street": "2"},
            [
                ("category.code", "unknown_category"),
                ("place.street", "unknown_street"),
                ("place.community", "unknown_community"),
            ],
        ),
    ],
)
def test_everything_wrong_with_a_question_is_named_at_once(
    changes: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    found = suppose(LIBRARY, CITY, replace(QUESTION, **changes))
    assert isinstance(found, Refusal)
    assert (found.code, [(error.field, error.code) for error in found.errors]) == ("invalid", errors)


def test_without_units_there_is_no_answer() -> None:
    library = ReferenceLibrary().with_document("catalogue", CITY, 1, A_CATALOGUE)
    found = suppose(library, CITY, QUESTION)
    assert isinstance(found, Refusal)
    assert [(error.field, error.code) for error in found.errors] == [("versions.units", "unknown_version")]
    assert not isinstance(suppose(library.with_document("units", CITY, 1, SOME_UNITS), CITY, QUESTION), Refusal)
