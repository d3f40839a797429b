"""Publishing reference documents, and everything that a document may get wrong."""

import msgspec
import pytest
from msgspec.structs import replace

from services.dispatch.domain.reference import PublishReference, ReferenceState, columns, decide, evolve
from shared.contracts.common import Actor
from shared.contracts.decisions import Context
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Area, Limit, PowerRule, ReferencePublished, reference_stream
from shared.kernel.errors import Refusal
from tests.support.reference import (
    A_CATALOGUE,
    A_CATEGORY,
    A_CONDITION,
    A_RULE,
    CITY,
    NOON,
    SOME_PLACES,
    SOME_UNITS,
    errors_of,
    publish,
)

VERSION_2 = ReferenceState(kind="catalogue", name=CITY, version=2)


def one_event(outcome: list[ReferencePublished] | Refusal) -> ReferencePublished:
    assert not isinstance(outcome, Refusal), outcome
    (event,) = outcome
    return event


def refused(outcome: list[ReferencePublished] | Refusal) -> Refusal:
    assert isinstance(outcome, Refusal), outcome
    return outcome


def test_the_first_publication_is_version_1_and_carries_the_document() -> None:
    event = one_event(publish(A_CATALOGUE))
    assert event.version == 1
    assert msgspec.json.decode(event.document, type=type(A_CATALOGUE)) == A_CATALOGUE


def test_the_next_publication_has_the_next_version_and_the_state_follows_it() -> None:
    event = one_event(publish(A_CATALOGUE, state=VERSION_2, expected_version=2))
    state = evolve(VERSION_2, event)
    assert columns(state) == {"kind": "catalogue", "name": CITY, "version": 3}


def test_units_and_places_are_published_too() -> None:
    assert one_event(publish(SOME_UNITS, kind="units")).kind == "units"
    assert one_event(publish(SOME_PLACES, kind="places")).kind == "places"


def test_only_an_administrator_publishes() -> None:
    assert refused(publish(A_CATALOGUE, post="leader")).code == "not_entitled"


def test_a_stale_expected_version_is_refused_with_the_version_in_force() -> None:
    refusal = refused(publish(A_CATALOGUE, state=VERSION_2, expected_version=1))
    assert (refusal.code, refusal.revision) == ("stale_revision", 2)


def test_a_document_that_must_be_the_first_is_refused_where_there_is_one() -> None:
    assert refused(publish(A_CATALOGUE, state=VERSION_2, expected_version=0)).code == "stale_revision"


def test_a_document_of_another_shape_is_refused_with_every_field() -> None:
    refusal = refused(publish(b'{"system": 7, "categories": []}'))
    assert refusal.code == "invalid"
    assert {error.field for error in refusal.errors} >= {"system", "title_zh", "title_en", "power_list"}


def test_a_document_that_is_no_json_is_refused() -> None:
    assert refused(publish(b"\xff{")).code == "not_json"


def test_a_command_on_the_stream_of_another_document_is_a_bug() -> None:
    context = Context(
        stream=reference_stream("catalogue", "other"),
        now=NOON,
        at=NOON,
        actor=Actor(client="console", unit="joint-administration", post="administrator"),
        library=ReferenceLibrary(),
    )
    command = PublishReference(kind="catalogue", name=CITY, document=msgspec.json.encode(A_CATALOGUE))
    with pytest.raises(ValueError, match="stream of its own"):
        decide(CITY, None, command, context)


def test_every_error_of_a_catalogue_is_named_at_once() -> None:
    two_conditions = replace(A_CATEGORY, conditions=(A_CONDITION, A_CONDITION))
    no_condition = replace(A_CATEGORY, code="E2", conditions=())
    wrong_rule = PowerRule(rule="R1", category="E9", lead="@river", support=("navy", "centre"), legal_basis="")
    catalogue = replace(
        A_CATALOGUE,
        system="shelbyville",
        categories=(two_conditions, A_CATEGORY, no_condition),
        power_list=(wrong_rule,),
    )
    assert set(errors_of(catalogue)) == {
        ("system", "other_name"),
        ("categories.1.code", "duplicate"),
        ("categories.0", "category_without_rule"),
        ("categories.1", "category_without_rule"),
        ("categories.2", "category_without_rule"),
        ("categories.0.conditions.1.code", "duplicate"),
        ("categories.2.conditions", "no_condition"),
        ("power_list.0.category", "unknown_category"),
        ("power_list.0.lead", "unknown_unit"),
        ("power_list.0.support.0", "unknown_unit"),
        ("power_list.0.support.1", "unknown_unit"),
    }


@pytest.mark.parametrize(
    "limit",
    [
        Limit(amount=0, unit="working_day"),
        Limit(amount=-1, unit="urgent_hour"),
        Limit(amount=1, unit="at_once"),
    ],
)
def test_a_limit_without_a_possible_amount_is_refused(limit: Limit) -> None:
    category = replace(A_CATEGORY, conditions=(replace(A_CONDITION, limit=limit),))
    assert errors_of(replace(A_CATALOGUE, categories=(category,))) == [
        ("categories.0.conditions.0.limit.amount", "bad_amount")
    ]


def test_a_lead_does_not_support_itself_and_supports_stand_once() -> None:
    rule = replace(A_RULE, support=("fire", "police", "police"))
    assert errors_of(replace(A_CATALOGUE, power_list=(rule,))) == [
        ("power_list.0.support.2", "duplicate"),
        ("power_list.0.support", "lead_supports"),
    ]


def test_a_rule_for_a_street_that_the_city_does_not_have_is_refused() -> None:
    rule = replace(A_RULE, rule="R2", streets=("999999999",))
    assert errors_of(replace(A_CATALOGUE, power_list=(A_RULE, rule))) == [("power_list.1.streets.0", "unknown_street")]


@pytest.mark.parametrize(
    "first, second",
    [
        (A_RULE, replace(A_RULE, rule="R2", lead="police")),
        (
            replace(A_RULE, target_types=("resident",)),
            replace(A_RULE, rule="R2", target_types=("property_company", "resident")),
        ),
        (replace(A_RULE, streets=("100000001",)), replace(A_RULE, rule="R2", streets=("100000001",))),
    ],
)
def test_two_equally_specific_rules_for_the_same_cases_are_refused(first: PowerRule, second: PowerRule) -> None:
    assert errors_of(replace(A_CATALOGUE, power_list=(first, second))) == [("power_list.1", "equal_rules")]


@pytest.mark.parametrize(
    "second",
    [
        replace(A_RULE, rule="R2", target_types=("resident",)),
        replace(A_RULE, rule="R2", streets=("100000001",)),
    ],
)
def test_a_narrower_rule_stands_beside_the_general_one(second: PowerRule) -> None:
    assert one_event(publish(replace(A_CATALOGUE, power_list=(A_RULE, second)))).version == 1


def test_rules_for_different_targets_stand_beside_each_other() -> None:
    rules = (replace(A_RULE, target_types=("resident",)), replace(A_RULE, rule="R2", target_types=("enterprise",)))
    assert one_event(publish(replace(A_CATALOGUE, power_list=rules))).version == 1


def test_every_error_of_units_is_named_at_once() -> None:
    fire, police, _, street = SOME_UNITS.units
    units = replace(
        SOME_UNITS,
        units=(
            fire,
            fire,
            replace(police, code="Police Station"),
            replace(police, code="patrol", street="100000001"),
            street,
            replace(street, code="street-x", street=None),
        ),
        sources=(*SOME_UNITS.sources, *SOME_UNITS.sources),
    )
    assert set(errors_of(units, "units")) == {
        ("units.1.code", "duplicate"),
        ("sources.1.code", "duplicate"),
        ("units.2.code", "bad_code"),
        ("units.3.street", "bad_street"),
        ("units.5.street", "bad_street"),
        ("units.4.street", "duplicate"),
    }


def test_every_error_of_places_is_named_at_once() -> None:
    places = replace(
        SOME_PLACES,
        city="shelbyville",
        outline=((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 100.0)),
        areas=(
            *SOME_PLACES.areas,
            Area(code="100000001", name="又", kind="street", parent="100000001"),
            Area(code="12", name="短", kind="village", parent="100000009"),
        ),
    )
    assert set(errors_of(places, "places")) == {
        ("city", "other_name"),
        ("outline.3", "bad_point"),
        ("outline", "crossing_ring"),
        ("areas.2.code", "duplicate"),
        ("areas.2.parent", "bad_parent"),
        ("areas.3.code", "bad_code"),
        ("areas.3.parent", "bad_parent"),
    }


def test_an_outline_needs_three_points() -> None:
    places = replace(SOME_PLACES, outline=((0.0, 0.0), (1.0, 0.0), (0.0, 0.0)))
    assert errors_of(places, "places") == [("outline", "no_ring")]
