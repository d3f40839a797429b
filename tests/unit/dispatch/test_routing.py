"""Who gets a case: precedence, place, target, time, validity, the city's own rules, and what the explanation names."""

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from services.dispatch.domain.routing import (
    Routed,
    RoutingDocuments,
    Unroutable,
    documents_for,
    filing_condition,
    route,
)
from services.dispatch.domain.rule_fit import Matter
from shared.contracts.common import CategoryCode, TargetType
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import (
    PRECEDENCE,
    Calendar,
    LocalOverride,
    PartOfYear,
    PowerRule,
    Routing,
    When,
)
from tests.support.cases import (
    CALENDAR,
    CATEGORY,
    CITY,
    FIRE,
    LIMIT_POLICY,
    MARKET,
    OTHER_STREET,
    POLICE,
    STREET,
    STREET_UNIT,
    UNITS,
    URBAN,
    catalogue,
    rule,
)
from tests.support.routing import own_rule

MONDAY_TEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Ten in the morning in Jiaohe."""
HERE_COMMUNITY = f"{STREET}001"
GENERAL = rule("general", URBAN)
SHOPS = rule("shops", MARKET, target_types=("enterprise", "individual_business"))
HERE = rule("here", FIRE, streets=(STREET,))
SHOPS_HERE = rule("shops-here", POLICE, target_types=("enterprise",), streets=(STREET,))
NIGHT = replace(rule("night", POLICE), when=When(working_time=False))
COMMUNITY = replace(rule("community", MARKET), communities=(HERE_COMMUNITY,))


def matter(street: str | None = STREET, target_type: TargetType = "public_space", at: datetime = MONDAY_TEN) -> Matter:
    community = f"{street}001" if street else None
    return Matter(category=CATEGORY, street=street, community=community, target_type=target_type, at=at)


def documents(
    *rules: PowerRule,
    own: tuple[LocalOverride, ...] | None = None,
    calendar: Calendar | None = CALENDAR,
) -> RoutingDocuments:
    return RoutingDocuments(
        catalogue=(1, catalogue(*rules)),
        units=(4, UNITS),
        routing=None if own is None else (7, Routing(city=CITY, overrides=own)),
        calendar=None if calendar is None else (2, calendar),
        policy=(3, LIMIT_POLICY),
    )


def routed(*rules: PowerRule, asked: Matter | None = None, own: tuple[LocalOverride, ...] | None = None) -> Routed:
    result = route(documents(*rules, own=own), asked or matter())
    assert isinstance(result, Routed)
    return result


def verdicts(result: Routed | Unroutable) -> list[tuple[str, str, str | None]]:
    return [(one.rule, one.verdict, one.outdone_in) for one in result.explanation.considered]


# -------------------------------------------------------------------------------------------------- precedence


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
        result = routed(*rules, asked=matter(street, target_type))
        assert (result.explanation.rule, result.legs[0].unit) == (winner, lead)


def test_the_precedence_is_own_rule_then_community_then_street_then_target_then_time_then_general() -> None:
    assert PRECEDENCE == ("local_override", "community", "street", "target_type", "time")
    target = rule("target", URBAN, target_types=("public_space",))
    time = replace(rule("time", URBAN), when=When(weekdays=(1,)))
    own = own_rule("own", POLICE)
    result = routed(GENERAL, time, target, HERE, COMMUNITY, own=(own,))
    assert verdicts(result) == [
        ("own", "won", None),
        ("community", "overridden", "local_override"),
        ("here", "overridden", "local_override"),
        ("target", "overridden", "local_override"),
        ("time", "overridden", "local_override"),
        ("general", "overridden", "local_override"),
    ]
    without = routed(GENERAL, time, target, HERE, COMMUNITY)
    assert verdicts(without) == [
        ("community", "won", None),
        ("here", "less_specific", "community"),
        ("target", "less_specific", "community"),
        ("time", "less_specific", "community"),
        ("general", "less_specific", "community"),
    ]
    assert verdicts(routed(GENERAL, time, target))[1:] == [
        ("time", "less_specific", "target_type"),
        ("general", "less_specific", "target_type"),
    ]
    assert verdicts(routed(GENERAL, time)) == [("time", "won", None), ("general", "less_specific", "time")]


def test_of_two_with_the_same_first_criterion_the_next_one_decides() -> None:
    result = routed(HERE, SHOPS_HERE, asked=matter(STREET, "enterprise"))
    assert verdicts(result) == [("shops-here", "won", None), ("here", "less_specific", "target_type")]


def test_of_equally_specific_rules_the_first_in_the_document_wins() -> None:
    result = routed(rule("first", FIRE), rule("second", MARKET))
    assert verdicts(result) == [("first", "won", None), ("second", "less_specific", None)]
    assert result.legs[0].unit == FIRE


# ---------------------------------------------------------------------------------------- why a rule does not fit


def test_the_explanation_names_every_rule_of_the_category_in_the_order_it_was_considered() -> None:
    other_category = rule("other", category="E9999")
    result = routed(GENERAL, SHOPS, HERE, SHOPS_HERE, other_category, asked=matter(OTHER_STREET))
    assert verdicts(result) == [
        ("shops-here", "other_place", None),
        ("here", "other_place", None),
        ("shops", "other_target", None),
        ("general", "won", None),
    ]
    explanation = result.explanation
    assert (explanation.catalogue_version, explanation.units_version) == (1, 4)
    assert (explanation.legal_basis, explanation.decided_by) == ("law of general", "power_list")
    assert explanation.routing_version is None


@pytest.mark.parametrize(
    "when,at,fits",
    [
        (When(weekdays=(1, 2)), MONDAY_TEN, True),
        (When(weekdays=(6, 7)), MONDAY_TEN, False),
        # Sunday, 23:30 in UTC: Monday, half past seven, in Jiaohe.
        (When(weekdays=(1,)), datetime(2026, 11, 22, 23, 30, tzinfo=UTC), True),
        (When(season=PartOfYear(first="11-01", last="03-31")), MONDAY_TEN, True),
        (When(season=PartOfYear(first="11-01", last="03-31")), datetime(2027, 3, 31, 15, 59, tzinfo=UTC), True),
        (When(season=PartOfYear(first="11-01", last="03-31")), datetime(2027, 3, 31, 16, 0, tzinfo=UTC), False),
        (When(season=PartOfYear(first="06-01", last="08-31")), MONDAY_TEN, False),
        (When(working_time=True), MONDAY_TEN, True),
        (When(working_time=False), MONDAY_TEN, False),
        # 12:00 is the end of the morning's slot, 13:59 is noon break, 14:00 the afternoon's start.
        (When(working_time=True), datetime(2026, 11, 23, 4, 0, tzinfo=UTC), False),
        (When(working_time=False), datetime(2026, 11, 23, 5, 59, tzinfo=UTC), True),
        (When(working_time=True), datetime(2026, 11, 23, 6, 0, tzinfo=UTC), True),
        # Saturday, and a Saturday on which people work.
        (When(working_time=False), datetime(2026, 11, 28, 2, 0, tzinfo=UTC), True),
        (When(working_time=True), datetime(2026, 10, 10, 2, 0, tzinfo=UTC), True),
        (When(weekdays=(1,), working_time=False), MONDAY_TEN, False),
        (When(season=PartOfYear(first="11-23", last="11-23"), weekdays=(1,), working_time=True), MONDAY_TEN, True),
    ],
)
def test_a_rule_of_time_fits_at_its_time_alone(when: When, at: datetime, fits: bool) -> None:
    result = routed(GENERAL, replace(rule("timed", POLICE), when=when), asked=matter(at=at))
    expected = [("timed", "won", None), ("general", "less_specific", "time")]
    assert verdicts(result) == (expected if fits else [("timed", "other_time", None), ("general", "won", None)])


def test_without_a_calendar_a_rule_of_working_time_does_not_fit_and_says_why() -> None:
    result = route(documents(GENERAL, NIGHT, calendar=None), matter())
    assert verdicts(result) == [("night", "time_unknown", None), ("general", "won", None)]


def test_where_the_calendar_does_not_reach_working_time_is_unknown() -> None:
    result = routed(GENERAL, NIGHT, asked=matter(at=datetime(1999, 1, 1, 12, 0, tzinfo=UTC)))
    assert verdicts(result) == [("night", "time_unknown", None), ("general", "won", None)]


def test_calendar_and_limit_policy_are_named_where_a_rule_asked_for_working_time() -> None:
    asked, not_asked = routed(GENERAL, NIGHT).explanation, routed(GENERAL).explanation
    assert (asked.calendar_version, asked.policy_version) == (2, 3)
    assert (not_asked.calendar_version, not_asked.policy_version) == (None, None)


@pytest.mark.parametrize(
    "valid_from,valid_until,in_force",
    [
        (date(2026, 11, 23), date(2026, 11, 23), True),
        (date(2026, 11, 24), None, False),
        (None, date(2026, 11, 22), False),
        (None, date(2026, 11, 23), True),
    ],
)
def test_a_rule_is_in_force_from_and_until_its_days(
    valid_from: date | None, valid_until: date | None, in_force: bool
) -> None:
    trial = replace(HERE, valid_from=valid_from, valid_until=valid_until)
    result = routed(GENERAL, trial)
    assert verdicts(result)[0] == ("here", "won" if in_force else "not_in_force", None)


def test_the_day_of_a_rule_is_that_of_the_city() -> None:
    from_tuesday = replace(HERE, valid_from=date(2026, 11, 24))
    at_midnight = matter(at=datetime(2026, 11, 23, 16, 0, tzinfo=UTC))
    assert routed(GENERAL, from_tuesday, asked=at_midnight).explanation.rule == "here"


# ------------------------------------------------------------------------------------------- the city's own rules


def test_an_own_rule_wins_over_the_power_list_and_says_why_the_city_has_it() -> None:
    result = routed(GENERAL, COMMUNITY, own=(own_rule("own", POLICE, (FIRE,), reason="agreed in May"),))
    explanation = result.explanation
    assert (explanation.rule, explanation.decided_by, explanation.routing_version) == ("own", "local_override", 7)
    own, listed, _ = explanation.considered
    assert (own.origin, own.reason, own.verdict) == ("local_override", "agreed in May", "won")
    assert (listed.origin, listed.reason, listed.verdict) == ("power_list", None, "overridden")
    assert [leg.unit for leg in result.legs] == [POLICE, FIRE]


def test_an_own_rule_that_does_not_fit_leaves_the_power_list_to_decide() -> None:
    result = routed(GENERAL, own=(replace(own_rule("own", POLICE), streets=(OTHER_STREET,)),))
    assert verdicts(result) == [("own", "other_place", None), ("general", "won", None)]
    assert (result.explanation.decided_by, result.explanation.routing_version) == ("power_list", 7)


def test_of_two_own_rules_the_narrower_wins() -> None:
    wide, narrow = own_rule("wide", POLICE), replace(own_rule("narrow", FIRE), streets=(STREET,))
    assert verdicts(routed(GENERAL, own=(wide, narrow))) == [
        ("narrow", "won", None),
        ("wide", "less_specific", "street"),
        ("general", "overridden", "local_override"),
    ]


def test_an_own_rule_is_for_its_code_system_alone() -> None:
    other = replace(own_rule("own", POLICE), system="boston311")
    assert verdicts(routed(GENERAL, own=(other,))) == [("general", "won", None)]


def test_the_level_is_that_of_the_winner() -> None:
    assert routed(replace(GENERAL, level="community")).level == "community"
    assert routed(GENERAL).level == "city"


# ------------------------------------------------------------------------------------------------------- its units


def test_at_street_is_the_unit_of_the_street_where_the_place_is() -> None:
    result = routed(rule("street", "@street", (URBAN,)))
    assert [(leg.leg, leg.unit, leg.role) for leg in result.legs] == [(1, STREET_UNIT, "lead"), (2, URBAN, "support")]


@pytest.mark.parametrize("lead", ["no-such-unit", "supervision-centre", "@street"])
def test_a_lead_that_does_not_exist_or_handles_no_cases_is_left_to_a_dispatcher(lead: str) -> None:
    result = route(documents(rule("ghost", lead)), matter(OTHER_STREET))
    assert isinstance(result, Unroutable)
    assert result.reason == "unknown_unit"
    assert lead in result.detail
    assert result.explanation.rule == "ghost"


def test_a_category_without_a_fitting_rule_is_left_to_a_dispatcher() -> None:
    result = route(documents(HERE), matter(OTHER_STREET))
    assert isinstance(result, Unroutable)
    assert (result.reason, result.explanation.rule) == ("no_rule", None)
    assert verdicts(result) == [("here", "other_place", None)]


def test_a_support_unit_that_does_not_exist_is_left_out_and_named() -> None:
    result = routed(rule("joint", URBAN, (MARKET, "no-such-unit", "@street")), asked=matter(OTHER_STREET))
    assert [leg.unit for leg in result.legs] == [URBAN, MARKET]
    assert result.explanation.reason is not None
    assert "no-such-unit, @street" in result.explanation.reason


def test_a_unit_has_one_leg_even_where_a_rule_names_it_twice() -> None:
    result = routed(rule("twice", "@street", (STREET_UNIT, URBAN, URBAN)))
    assert [leg.unit for leg in result.legs] == [STREET_UNIT, URBAN]


# --------------------------------------------------------------------------------------------------- its documents


def test_the_documents_are_those_in_force_and_the_catalogue_that_the_case_names() -> None:
    known = (
        ReferenceLibrary()
        .with_document("catalogue", CITY, 1, catalogue(GENERAL))
        .with_document("catalogue", CITY, 2, catalogue(SHOPS))
        .with_document("units", CITY, 5, UNITS)
        .with_document("routing", CITY, 8, Routing(city=CITY, overrides=()))
    )
    found = documents_for(known, CITY, CATEGORY)
    assert found.catalogue == (1, catalogue(GENERAL))
    assert (found.units[0], found.routing and found.routing[0], found.calendar, found.policy) == (5, 8, None, None)


def test_rules_are_put_in_order_once_for_each_version_of_their_document() -> None:
    listed, own = catalogue(GENERAL, HERE), Routing(city=CITY, overrides=(own_rule("own"),))
    assert listed.rules is listed.rules
    assert own.rules is own.rules
    assert listed.rules == {"E0406": (HERE, GENERAL)}


def test_without_the_units_nothing_is_routed() -> None:
    known = ReferenceLibrary().with_document("catalogue", CITY, 1, catalogue(GENERAL))
    with pytest.raises(LookupError):
        documents_for(known, CITY, CATEGORY)


def test_a_condition_that_the_catalogue_does_not_have_is_an_error_of_ours() -> None:
    with pytest.raises(LookupError):
        filing_condition(catalogue(), CategoryCode(system=CITY, version=1, code="E0406", condition="unheard-of"))
