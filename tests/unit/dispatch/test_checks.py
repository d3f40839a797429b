"""After the last leg somebody else checks: who, until when, with what result."""

from datetime import timedelta

from shared.contracts.adjustments import CaseCheckAssigned
from shared.contracts.clocks import ClockBreached
from shared.contracts.dispatch import CaseChecked, LegFedBack, LegWaived
from shared.kernel.errors import Refusal
from tests.support.cases import (
    COLLECTOR,
    DISPATCHER,
    LEADER,
    OTHER_STREET,
    STREET_UNIT,
    SYSTEM,
    URBAN,
    Case,
    actor,
    check_failed,
    check_passed,
    department,
    facts,
    fed_back,
    feed_back,
    handled,
    leg_states,
    open_case,
    opened,
    refusal,
    rule,
    sign,
    signed,
    units_with_posts,
    waive,
)
from tests.support.ends import CHECKING_STREETS, all_done, assign_check, on_papers, started


def kinds(events: object) -> list[type]:
    assert isinstance(events, list), events
    return [type(event) for event in events]


def test_the_last_feedback_assigns_the_check_in_the_same_decision() -> None:
    case = started(units=CHECKING_STREETS).given(*signed(1, 2, 3), *fed_back(2, 3))
    events = case.when(feed_back(1), department(URBAN))
    assert isinstance(events, list)
    assert [type(event) for event in events] == [LegFedBack, CaseCheckAssigned]
    assigned = facts(events[1])
    assert (assigned["unit"], assigned["rule"]) == (STREET_UNIT, "nearest")
    assert assigned["candidates"] == [STREET_UNIT]
    assert (events[1].by.unit, events[1].by.post) == ("dispatch", "system")
    assert case.stage == "checking"


def test_the_check_has_the_city_s_limit_from_the_last_feedback_on() -> None:
    case = handled()
    assert case.known.check is not None
    clock = case.known.check.clock
    assert clock is not None
    assert (clock.stage, clock.started_at, clock.due_at) == ("check", case.now, case.now + timedelta(hours=4))


def test_waiving_the_last_open_leg_assigns_the_check_too() -> None:
    case = handled().given((check_failed(2), COLLECTOR))
    assert case.stage == "handling"
    assert kinds(case.when(waive(2), LEADER)) == [LegWaived, CaseCheckAssigned]


def test_nobody_is_asked_to_check_while_a_leg_is_open() -> None:
    case = opened().given(*signed(1, 2, 3), *fed_back(2))
    assert case.known.check is None
    assert case.stage == "handling"


def test_a_category_that_leaves_nothing_on_site_waits_for_its_papers() -> None:
    case = on_papers()
    assert case.stage == "feedback"
    assert case.known.check is None


def test_where_only_handling_units_could_check_a_dispatcher_decides() -> None:
    only_urban = units_with_posts("supervision-centre", "acceptor", "duty_leader")
    case = all_done(started(units=only_urban))
    assert case.stage == "feedback"
    assert refusal(case.when(assign_check("supervision-centre"), DISPATCHER)) == "no_checker"


def test_only_collectors_of_the_assigned_unit_check() -> None:
    case = all_done(started(units=CHECKING_STREETS))
    assert refusal(case.when(check_passed(), COLLECTOR)) == "not_entitled_other_unit"
    other = actor(f"street-{OTHER_STREET}", "collector")
    assert refusal(case.when(check_passed(), other)) == "not_entitled_other_unit"
    case.given((check_passed(), actor(STREET_UNIT, "collector")))
    assert case.stage == "checked"


def test_a_dispatcher_sends_somebody_else_with_a_reason() -> None:
    case = all_done(started(units=CHECKING_STREETS))
    events = case.when(assign_check("supervision-centre"), DISPATCHER)
    assert isinstance(events, list)
    assigned = facts(events[0])
    assert (assigned["unit"], assigned["rule"], assigned["reason"]) == (
        "supervision-centre",
        "by_hand",
        "it knows the place",
    )
    assert assigned["candidates"] == [STREET_UNIT, f"street-{OTHER_STREET}", "supervision-centre"]
    case.given((check_passed(), COLLECTOR))


def test_a_check_is_not_given_to_who_handles_or_has_it_already() -> None:
    case = all_done(started(units=units_with_posts(URBAN, "department", "collector")))
    assert refusal(case.when(assign_check(URBAN), DISPATCHER)) == "no_checker"
    assert refusal(case.when(assign_check("no-such-unit"), DISPATCHER)) == "no_checker"
    assert refusal(case.when(assign_check("supervision-centre"), DISPATCHER)) == "already_assigned"


def test_a_failed_check_sends_back_counts_and_is_followed_by_another() -> None:
    case = handled().given((check_failed(1), COLLECTOR))
    assert leg_states(case) == {1: "handling", 2: "fed_back", 3: "fed_back"}
    assert [leg.rework for leg in case.known.legs] == [1, 0, 0]
    assert (case.known.check, case.known.failed_checks) == (None, 1)
    assert kinds(case.when(feed_back(1), department(URBAN))) == [LegFedBack, CaseCheckAssigned]
    assert refusal(handled().when(check_failed(reason=None), COLLECTOR)) == "required"


def test_the_time_of_the_check_is_not_the_unit_s() -> None:
    """The clock of a reworked leg goes on where its feedback stopped it (domain 1.7, rule 4)."""
    case = handled()
    fed_back_at = case.now
    before = case.known.handle_clock_of(case.known.legs[0])
    case.now += timedelta(hours=3)
    case.given((check_failed(1), COLLECTOR))
    after = case.known.handle_clock_of(case.known.legs[0])
    assert before is not None
    assert after is not None
    assert after.due_at == before.due_at + (case.now - fed_back_at)
    assert after.original_due_at == before.original_due_at


def test_a_late_check_comes_after_its_breach() -> None:
    case = handled()
    case.now += timedelta(hours=5)
    events = case.when(check_passed(), COLLECTOR)
    assert isinstance(events, list)
    assert [type(event) for event in events] == [ClockBreached, CaseChecked]
    assert facts(events[0])["stage"] == "check"
    assert events[0].by.post == "system"


def test_a_case_of_one_leg_is_checked_like_any_other() -> None:
    case = opened(rule("alone")).given(*signed(1))
    assert kinds(case.when(feed_back(1), department(URBAN))) == [LegFedBack, CaseCheckAssigned]


def test_a_check_that_nobody_was_assigned_to_is_refused() -> None:
    decision = on_papers().when(check_passed(), COLLECTOR)
    assert isinstance(decision, Refusal)
    assert decision.code == "wrong_state_case_feedback"


def test_the_street_that_handles_does_not_check() -> None:
    case = Case(rule("street leads", "@street"), units=CHECKING_STREETS).given((open_case(), SYSTEM))
    events = case.given((sign(1), department(STREET_UNIT))).when(feed_back(1), department(STREET_UNIT))
    assert isinstance(events, list)
    assigned = facts(events[1])
    assert assigned["rule"] == "rotating"
    assert assigned["candidates"] == [f"street-{OTHER_STREET}", "supervision-centre"]
