"""Whatever the rules are: the winner is never less specific than a rule that fits, and every rule is accounted for."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.dispatch.domain.reference_checks import check_document
from services.dispatch.domain.routing import Routed, RoutingDocuments, Unroutable, route
from services.dispatch.domain.rule_fit import Matter
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Document, LocalOverride, PartOfYear, PowerRule, Routing, When
from tests.support.cases import CALENDAR, CATEGORY, CITY, LIMIT_POLICY, OTHER_STREET, STREET, UNITS, URBAN, catalogue

R = TypeVar("R", bound=PowerRule)
STREETS = (STREET, OTHER_STREET)
COMMUNITIES = (f"{STREET}001", f"{STREET}002", f"{OTHER_STREET}001")
TARGETS = ("enterprise", "resident", "public_space")
DAYS = ("01-15", "03-31", "04-01", "10-10", "11-01", "12-31")


def subset(values: Sequence[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), unique=True, max_size=2).map(tuple)


whens = st.none() | st.builds(
    When,
    season=st.none() | st.builds(PartOfYear, first=st.sampled_from(DAYS), last=st.sampled_from(DAYS)),
    weekdays=st.lists(st.integers(1, 7), unique=True, max_size=3).map(tuple),
    working_time=st.none() | st.booleans(),
)
days = st.none() | st.dates(date(2026, 9, 1), date(2026, 12, 31))
narrowings = st.fixed_dictionaries(
    {
        "target_types": subset(TARGETS),
        "streets": subset(STREETS),
        "communities": subset(COMMUNITIES),
        "when": whens,
        "valid_from": days,
        "valid_until": days,
    }
)
LISTED = PowerRule(rule="", category=CATEGORY.code, lead=URBAN, support=(), legal_basis="")
OWN = LocalOverride(
    rule="", system=CITY, category=CATEGORY.code, lead=URBAN, support=(), legal_basis="", reason="agreed"
)


def rules_like(rule: R, name: str, most: int) -> st.SearchStrategy[tuple[R, ...]]:
    """Return lists of such rules, each narrowed in its own way."""
    return st.lists(narrowings, max_size=most).map(
        lambda found: tuple(replace(rule, rule=f"{name}-{number}", **one) for number, one in enumerate(found))
    )


matters = st.builds(
    lambda community, target, hours: Matter(
        category=CATEGORY,
        street=community[:9],
        community=community,
        target_type=target,
        at=datetime(2026, 9, 1, tzinfo=UTC) + timedelta(hours=hours),
    ),
    st.sampled_from(COMMUNITIES),
    st.sampled_from(TARGETS),
    st.integers(0, 120 * 24),
)


def routed(power_list: Sequence[PowerRule], own: Sequence[LocalOverride], matter: Matter) -> Routed | Unroutable:
    documents = RoutingDocuments(
        catalogue=(1, catalogue(*power_list)),
        units=(1, UNITS),
        routing=(1, Routing(city=CITY, overrides=tuple(own))),
        calendar=(1, CALENDAR),
        policy=(1, LIMIT_POLICY),
    )
    return route(documents, matter)


# The same rules once more, in words of their own: what fits, and what is how specific.


def misfits(rule: PowerRule, matter: Matter) -> set[str]:
    local = matter.at + timedelta(hours=8)
    found = set()
    if (rule.valid_from and local.date() < rule.valid_from) or (rule.valid_until and local.date() > rule.valid_until):
        found.add("not_in_force")
    if (rule.streets or rule.communities) and not {matter.street, matter.community} & {
        *rule.streets,
        *rule.communities,
    }:
        found.add("other_place")
    if rule.target_types and matter.target_type not in rule.target_types:
        found.add("other_target")
    if rule.when and mistimed(rule.when, local):
        found.add("other_time")
    return found


def mistimed(when: When, local: datetime) -> bool:
    in_season = when.season is None or local.strftime("%m-%d") in span(when.season.first, when.season.last)
    on_weekday = not when.weekdays or local.weekday() + 1 in when.weekdays
    works = (local.weekday() < 5 or local.strftime("%m-%d") == "10-10") and local.strftime("%m-%d") != "10-01"
    working = works and (8 <= local.hour < 12 or 14 <= local.hour < 18)
    return not (in_season and on_weekday and when.working_time in {None, working})


def span(first: str, last: str) -> set[str]:
    year = [(datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)).strftime("%m-%d") for day in range(366)]
    begin, end = year.index(first), year.index(last)
    return set(year[begin : end + 1]) if begin <= end else {*year[begin:], *year[: end + 1]}


def specificity(rule: PowerRule) -> int:
    return (
        16 * isinstance(rule, LocalOverride)
        + 8 * bool(rule.communities)
        + 4 * bool(rule.streets)
        + 2 * bool(rule.target_types)
        + (rule.when is not None)
    )


@given(rules_like(LISTED, "listed", 6), rules_like(OWN, "own", 4), matters)
@settings(max_examples=100, deadline=None)
def test_the_winner_fits_and_no_rule_that_fits_is_more_specific(
    power_list: tuple[PowerRule, ...], own: tuple[LocalOverride, ...], matter: Matter
) -> None:
    result = routed(power_list, own, matter)
    rules = {rule.rule: rule for rule in (*power_list, *own)}
    fitting = [specificity(rule) for rule in rules.values() if not misfits(rule, matter)]
    if isinstance(result, Unroutable):
        assert (result.reason, fitting) == ("no_rule", [])
    else:
        winner = rules[result.explanation.rule or ""]
        assert misfits(winner, matter) == set()
        assert specificity(winner) == max(fitting)


@given(rules_like(LISTED, "listed", 6), rules_like(OWN, "own", 4), matters)
@settings(max_examples=100, deadline=None)
def test_every_rule_is_considered_once_and_told_why_it_did_not_win(
    power_list: tuple[PowerRule, ...], own: tuple[LocalOverride, ...], matter: Matter
) -> None:
    considered = routed(power_list, own, matter).explanation.considered
    rules = {rule.rule: rule for rule in (*power_list, *own)}
    assert sorted(one.rule for one in considered) == sorted(rules)
    assert [specificity(rules[one.rule]) for one in considered] == sorted(
        (specificity(rule) for rule in rules.values()), reverse=True
    )
    winner = next((rules[one.rule] for one in considered if one.verdict == "won"), None)
    for one in considered:
        rule = rules[one.rule]
        assert (one.origin == "local_override") == isinstance(rule, LocalOverride)
        if one.verdict in {"won", "less_specific", "overridden"}:
            assert misfits(rule, matter) == set()
        else:
            assert one.verdict in misfits(rule, matter)
        if one.verdict == "overridden":
            assert (isinstance(winner, LocalOverride), isinstance(rule, LocalOverride)) == (True, False)


@given(rules_like(LISTED, "listed", 3), rules_like(OWN, "own", 2), st.lists(matters, min_size=5, max_size=5))
@settings(max_examples=100, deadline=None)
def test_what_may_be_published_never_leaves_a_choice(
    power_list: tuple[PowerRule, ...], own: tuple[LocalOverride, ...], asked: list[Matter]
) -> None:
    documents: list[Document] = [catalogue(*power_list), Routing(city=CITY, overrides=own)]
    errors = {
        error.code
        for document in documents
        for error in check_document(document, name=CITY, city=CITY, library=ReferenceLibrary())
    }
    assume({"equal_rules", "two_areas", "no_time"}.isdisjoint(errors))
    for matter in asked:
        fitting = [specificity(rule) for rule in (*power_list, *own) if not misfits(rule, matter)]
        assert len(fitting) == len(set(fitting))
