"""What publishing rules refuses: names of nothing, times that never come, two between which nobody could choose."""

from datetime import date

import msgspec
import pytest
from msgspec.structs import replace

from services.dispatch.domain.reference_checks import check_document
from shared.contracts.common import TargetType
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import LocalOverride, PartOfYear, PowerRule, Routing, When
from shared.kernel.errors import Refusal
from tests.support.reference import A_CATALOGUE, A_LIBRARY, A_RULE, CITY, errors_of, publish

STREET, COMMUNITY = "100000001", "100000001001"
OWN = LocalOverride(
    rule="own-1", system=CITY, category="E1", lead="police", support=(), legal_basis="", reason="agreed"
)
KNOWN = A_LIBRARY.with_document("catalogue", CITY, 1, A_CATALOGUE)
WINTER = PartOfYear(first="11-01", last="03-31")


def errors_in(*rules: LocalOverride, library: ReferenceLibrary = KNOWN, city: str = CITY) -> list[tuple[str, str]]:
    """Return field and code of everything that is wrong with the city's own rules."""
    found = check_document(Routing(city=city, overrides=rules), name=CITY, city=CITY, library=library)
    return [(error.field, error.code) for error in found]


def power_list_errors(*rules: PowerRule) -> list[tuple[str, str]]:
    return errors_of(replace(A_CATALOGUE, power_list=(A_RULE, *rules)))


def test_the_citys_own_rules_are_published_as_a_document_of_their_own() -> None:
    outcome = publish(Routing(city=CITY, overrides=(OWN,)), kind="routing")
    assert isinstance(outcome, list)
    (event,) = outcome
    assert (event.kind, event.version) == ("routing", 1)
    assert msgspec.json.decode(event.document, type=Routing).overrides == (OWN,)


def test_a_misspelt_field_is_refused_and_not_left_out() -> None:
    document = {
        "city": CITY,
        "overides": [],
        "overrides": [msgspec.to_builtins(OWN) | {"valid_form": "2027-01-01", "when": {"weekday": [1]}}],
    }
    outcome = publish(msgspec.json.encode(document), kind="routing")
    assert isinstance(outcome, Refusal)
    unknown = [error.field for error in outcome.errors if error.code == "additionalProperties"]
    assert sorted(unknown) == ["overides", "overrides.0.valid_form", "overrides.0.when.weekday"]


def test_a_document_without_any_rule_is_fine() -> None:
    assert errors_in() == []


def test_the_rules_are_those_of_the_city_that_the_document_is_called_after() -> None:
    assert errors_in(city="shelbyville") == [("city", "other_name")]


@pytest.mark.parametrize(
    "rule,errors",
    [
        (replace(OWN, system="boston311"), [("overrides.0.system", "unknown_system")]),
        (replace(OWN, category="E9"), [("overrides.0.category", "unknown_category")]),
        (replace(OWN, rule="R1"), [("overrides.0.rule", "rule_of_the_power_list")]),
        (replace(OWN, lead="navy"), [("overrides.0.lead", "unknown_unit")]),
        (replace(OWN, lead="centre"), [("overrides.0.lead", "unknown_unit")]),
        (replace(OWN, support=("@river",)), [("overrides.0.support.0", "unknown_unit")]),
        (replace(OWN, support=("police",)), [("overrides.0.support", "lead_supports")]),
        (replace(OWN, streets=("999999999",)), [("overrides.0.streets.0", "unknown_street")]),
        (replace(OWN, streets=(COMMUNITY,)), [("overrides.0.streets.0", "unknown_street")]),
        (replace(OWN, communities=(STREET,)), [("overrides.0.communities.0", "unknown_community")]),
        (replace(OWN, streets=(STREET,), communities=(COMMUNITY,)), [("overrides.0.communities", "two_areas")]),
        (replace(OWN, when=When()), [("overrides.0.when", "no_time")]),
        (replace(OWN, when=When(weekdays=(1, 1))), [("overrides.0.when.weekdays.1", "duplicate")]),
        (
            replace(OWN, when=When(season=PartOfYear(first="02-30", last="04-31"))),
            [("overrides.0.when.season.first", "bad_day"), ("overrides.0.when.season.last", "bad_day")],
        ),
        (
            replace(OWN, valid_from=date(2026, 2, 2), valid_until=date(2026, 2, 1)),
            [("overrides.0.valid_until", "never_valid")],
        ),
    ],
)
def test_what_is_wrong_with_a_rule_of_the_city_is_named(rule: LocalOverride, errors: list[tuple[str, str]]) -> None:
    assert errors_in(rule) == errors


def test_a_rule_may_name_what_exists() -> None:
    there = replace(OWN, communities=(COMMUNITY,), support=("@street", "fire"), when=When(season=WINTER))
    leap_day = replace(OWN, rule="own-2", when=When(season=PartOfYear(first="02-29", last="02-29")))
    assert errors_in(there, leap_day) == []


def test_before_there_is_any_catalogue_a_rule_waits_for_it() -> None:
    assert errors_in(OWN, library=A_LIBRARY) == []


def test_two_rules_of_the_city_have_two_names() -> None:
    elsewhere = replace(OWN, streets=(STREET,))
    assert errors_in(OWN, elsewhere) == [("overrides.1.rule", "duplicate")]


def test_a_rule_of_the_power_list_is_not_called_like_one_of_the_city() -> None:
    library = A_LIBRARY.with_document("routing", CITY, 1, Routing(city=CITY, overrides=(OWN,)))
    catalogue = replace(A_CATALOGUE, power_list=(replace(A_RULE, rule="own-1"),))
    found = check_document(catalogue, name=CITY, city=CITY, library=library)
    assert [(error.field, error.code) for error in found] == [("power_list.0.rule", "rule_of_the_city")]


def test_the_power_list_may_say_community_time_level_and_validity_too() -> None:
    rule = replace(
        A_RULE,
        rule="R2",
        communities=(COMMUNITY,),
        when=When(weekdays=(6, 7)),
        level="community",
        valid_from=date(2026, 1, 1),
    )
    assert isinstance(publish(replace(A_CATALOGUE, power_list=(A_RULE, rule))), list)


# ------------------------------------------------------------------------------ between which nobody could choose

RESIDENT: tuple[TargetType, ...] = ("resident",)


@pytest.mark.parametrize(
    "first,second",
    [
        ({}, {}),
        ({"target_types": RESIDENT}, {"target_types": ("enterprise", "resident")}),
        ({"communities": (COMMUNITY,)}, {"communities": (COMMUNITY,)}),
        ({"when": When(weekdays=(1, 2))}, {"when": When(weekdays=(2, 3))}),
        ({"when": When(weekdays=(1,))}, {"when": When(working_time=False)}),
        ({"when": When(season=WINTER)}, {"when": When(working_time=False)}),
        ({"when": When(season=WINTER)}, {"when": When(season=PartOfYear(first="03-31", last="05-01"))}),
        ({"when": When(season=WINTER)}, {"when": When(season=PartOfYear(first="12-01", last="12-31"))}),
        ({"when": When(season=WINTER)}, {"when": When(season=PartOfYear(first="10-01", last="04-30"))}),
        ({}, {"valid_from": date(2027, 1, 1)}),
        ({"valid_until": date(2027, 1, 1)}, {"valid_from": date(2027, 1, 1)}),
    ],
)
def test_two_equally_specific_rules_that_may_fit_one_case_are_refused(
    first: dict[str, object], second: dict[str, object]
) -> None:
    rules = (replace(OWN, **first), replace(OWN, rule="own-2", **second))
    assert errors_in(*rules) == [("overrides.1", "equal_rules")]
    assert errors_in(replace(rules[1], rule="own-1"), replace(rules[0], rule="own-2")) == [
        ("overrides.1", "equal_rules")
    ]


@pytest.mark.parametrize(
    "first,second",
    [
        ({"target_types": RESIDENT}, {"target_types": ("enterprise",)}),
        ({"target_types": RESIDENT}, {"when": When(weekdays=(1,))}),
        ({"streets": (STREET,)}, {"communities": (COMMUNITY,)}),
        ({"when": When(weekdays=(1,))}, {"when": When(weekdays=(2,))}),
        ({"when": When(working_time=True)}, {"when": When(working_time=False)}),
        ({"when": When(season=WINTER)}, {"when": When(season=PartOfYear(first="04-01", last="10-31"))}),
        ({"valid_until": date(2026, 12, 31)}, {"valid_from": date(2027, 1, 1)}),
    ],
)
def test_rules_of_which_one_is_narrower_or_that_never_meet_stand_beside_each_other(
    first: dict[str, object], second: dict[str, object]
) -> None:
    assert errors_in(replace(OWN, **first), replace(OWN, rule="own-2", **second)) == []


def test_equal_rules_of_the_power_list_are_refused_by_time_too() -> None:
    night = replace(A_RULE, rule="R2", when=When(working_time=False))
    sunday = replace(A_RULE, rule="R3", when=When(weekdays=(7,)))
    assert power_list_errors(night, sunday) == [("power_list.2", "equal_rules")]


def test_rules_of_two_code_systems_never_meet() -> None:
    other = replace(A_CATALOGUE, system="boston311")
    library = KNOWN.with_document("catalogue", "boston311", 1, other)
    assert errors_in(OWN, replace(OWN, rule="own-2", system="boston311"), library=library) == []
