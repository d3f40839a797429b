"""The power list decides, the most specific rule wins, and the explanation names everything that was considered."""

import pytest

from services.dispatch.domain.routing import Routed, Unroutable, filing_condition, route
from shared.contracts.common import CategoryCode, TargetType
from shared.contracts.reference import PowerRule
from tests.support.cases import (
    CATEGORY,
    CITY,
    FIRE,
    MARKET,
    OTHER_STREET,
    POLICE,
    STREET,
    STREET_UNIT,
    UNITS,
    URBAN,
    catalogue,
    place,
    rule,
)

GENERAL = rule("general", URBAN)
SHOPS = rule("shops", MARKET, target_types=("enterprise", "individual_business"))
HERE = rule("here", FIRE, streets=(STREET,))
SHOPS_HERE = rule("shops-here", POLICE, target_types=("enterprise",), streets=(STREET,))


def routed(
    *rules: PowerRule, street: str | None = STREET, target_type: TargetType = "public_space"
) -> Routed | Unroutable:
    return route(catalogue(*rules), 4, UNITS, CATEGORY, place(street), target_type)


@pytest.mark.parametrize(
    "street,target_type,winner,lead",
    [
        (STREET, "enterprise", "shops-here", POLICE),
        (STREET, "individual_business", "here", FIRE),
        (STREET, "public_space", "here", FIRE),
        (OTHER_STREET, "enterprise", "shops", MARKET),
        (OTHER_STREET, "public_space", "general", URBAN),
        (None, "public_space", "general", URBAN),
    ],
)
def test_the_most_specific_rule_wins(street: str | None, target_type: TargetType, winner: str, lead: str) -> None:
    for rules in ((GENERAL, SHOPS, HERE, SHOPS_HERE), (SHOPS_HERE, HERE, SHOPS, GENERAL)):
        result = routed(*rules, street=street, target_type=target_type)
        assert isinstance(result, Routed)
        assert (result.explanation.rule, result.legs[0].unit) == (winner, lead)


def test_the_explanation_names_every_rule_of_the_category_with_its_verdict() -> None:
    other_category = rule("other", category="E9999")
    result = routed(GENERAL, SHOPS, HERE, SHOPS_HERE, other_category, street=OTHER_STREET)
    assert isinstance(result, Routed)
    explanation = result.explanation
    assert [(considered.rule, considered.verdict) for considered in explanation.considered] == [
        ("general", "won"),
        ("shops", "other_target"),
        ("here", "other_place"),
        ("shops-here", "other_place"),
    ]
    assert (explanation.catalogue_version, explanation.units_version) == (1, 4)
    assert (explanation.legal_basis, explanation.decided_by) == ("law of general", "power_list")


def test_of_equally_specific_rules_the_first_in_the_document_wins() -> None:
    result = routed(rule("first", FIRE), rule("second", MARKET))
    assert isinstance(result, Routed)
    assert [considered.verdict for considered in result.explanation.considered] == ["won", "less_specific"]
    assert result.legs[0].unit == FIRE


def test_at_street_is_the_unit_of_the_street_where_the_place_is() -> None:
    result = routed(rule("street", "@street", (URBAN,)))
    assert isinstance(result, Routed)
    assert [(leg.leg, leg.unit, leg.role) for leg in result.legs] == [(1, STREET_UNIT, "lead"), (2, URBAN, "support")]


@pytest.mark.parametrize("lead", ["no-such-unit", "supervision-centre", "@street"])
def test_a_lead_that_does_not_exist_or_handles_no_cases_is_left_to_a_dispatcher(lead: str) -> None:
    result = routed(rule("ghost", lead), street=OTHER_STREET)
    assert isinstance(result, Unroutable)
    assert result.reason == "unknown_unit"
    assert lead in result.detail
    assert result.explanation.rule == "ghost"


def test_a_category_without_a_fitting_rule_is_left_to_a_dispatcher() -> None:
    result = routed(HERE, street=OTHER_STREET)
    assert isinstance(result, Unroutable)
    assert result.reason == "no_rule"
    assert result.explanation.rule is None
    assert [considered.verdict for considered in result.explanation.considered] == ["other_place"]


def test_a_support_unit_that_does_not_exist_is_left_out_and_named() -> None:
    result = routed(rule("joint", URBAN, (MARKET, "no-such-unit", "@street")), street=OTHER_STREET)
    assert isinstance(result, Routed)
    assert [leg.unit for leg in result.legs] == [URBAN, MARKET]
    assert result.explanation.reason is not None
    assert "no-such-unit, @street" in result.explanation.reason


def test_a_unit_has_one_leg_even_where_a_rule_names_it_twice() -> None:
    result = routed(rule("twice", "@street", (STREET_UNIT, URBAN, URBAN)))
    assert isinstance(result, Routed)
    assert [leg.unit for leg in result.legs] == [STREET_UNIT, URBAN]


def test_a_condition_that_the_catalogue_does_not_have_is_an_error_of_ours() -> None:
    with pytest.raises(LookupError):
        filing_condition(catalogue(), CategoryCode(system=CITY, version=1, code="E0406", condition="unheard-of"))
