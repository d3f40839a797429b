"""回退 and 裁定: the two honest reasons, at most two returns of a leg, then the leader rules."""

import pytest

from shared.contracts.adjustments import CaseCheckAssigned, LegRuled
from shared.contracts.common import Actor
from shared.contracts.dispatch import LegReturnRefused, LegWaived
from shared.contracts.reference import Limit
from tests.support.adjusting import (
    DUE,
    OPENED,
    TimedCase,
    all_signed,
    ask_extension,
    no_handling_needed,
    rule_leg,
    uphold_not_needed,
    utc,
)
from tests.support.cases import (
    DISPATCHER,
    DUTY_LEADER,
    FIRE,
    LEADER,
    MARKET,
    POLICE,
    STREET_UNIT,
    URBAN,
    department,
    dispatch_by_hand,
    feed_back,
    leg_states,
    refusal,
    refuse_return,
    request_return,
    sign,
    uphold,
)


def returned_twice() -> TimedCase:
    """Leg 2 was refused once and went to the police the second time."""
    case = TimedCase(OPENED)
    case.done("2026-11-23 01:10", request_return(2), department(MARKET))
    case.done("2026-11-23 01:15", refuse_return(2), DUTY_LEADER)
    case.done("2026-11-23 01:20", request_return(2), department(MARKET))
    case.done("2026-11-23 01:25", uphold(2), DUTY_LEADER)
    return case


def test_a_leg_is_returned_twice_at_most_refused_or_upheld() -> None:
    case = returned_twice()
    assert case.leg(2).returns == 2
    assert refusal(case.at("2026-11-23 01:30", request_return(2), department(POLICE))) == "returns_exhausted"
    assert refusal(all_signed().at("2026-11-23 02:00", rule_leg(2, POLICE), LEADER)) == "returns_not_exhausted"


def test_after_two_returns_the_leader_rules_and_new_clocks_start() -> None:
    case = returned_twice()
    [event] = case.done("2026-11-23 02:00", rule_leg(2, STREET_UNIT), LEADER)
    assert isinstance(event, LegRuled)
    assert (event.unit, event.to_unit, event.explanation.decided_by) == (POLICE, STREET_UNIT, "ruling")
    assert event.explanation.reason == "the meeting has decided"
    assert (event.sign_clock.due_at, event.handle_clock.due_at) == (utc("2026-11-23 03:00"), utc("2026-11-24 02:00"))
    leg = case.leg(2)
    assert (leg.unit, leg.state, leg.returns, leg.ruled) == (STREET_UNIT, "assigned", 2, True)
    assert case.handle_clock(2).due_at == utc("2026-11-24 02:00")
    assert case.handle_clock(1).due_at == DUE


def test_a_ruling_may_leave_the_leg_where_it_is_but_gives_it_to_no_unit_that_has_another() -> None:
    case = returned_twice()
    assert refusal(case.at("2026-11-23 02:00", rule_leg(2, FIRE), LEADER)) == "unit_has_leg"
    assert refusal(case.at("2026-11-23 02:00", rule_leg(2, "supervision-centre"), LEADER)) == "unknown_unit"
    case.done("2026-11-23 02:00", rule_leg(2, POLICE), LEADER)
    assert (case.leg(2).unit, case.leg(2).state) == (POLICE, "assigned")


def test_what_was_ruled_is_neither_returned_nor_ruled_nor_redispatched() -> None:
    case = returned_twice()
    case.done("2026-11-23 02:00", rule_leg(2, STREET_UNIT), LEADER)
    assert refusal(case.at("2026-11-23 02:05", request_return(2), department(STREET_UNIT))) == "already_ruled"
    assert refusal(case.at("2026-11-23 02:05", rule_leg(2, POLICE), LEADER)) == "already_ruled"
    assert case.stage == "dispatched"
    assert refusal(case.at("2026-11-23 02:05", dispatch_by_hand(POLICE), DISPATCHER)) == "already_ruled"


@pytest.mark.parametrize("actor", [DUTY_LEADER, DISPATCHER], ids=lambda actor: actor.post)
def test_only_the_leader_rules(actor: Actor) -> None:
    assert refusal(returned_twice().at("2026-11-23 02:00", rule_leg(2, POLICE), actor)) == "not_entitled_post"


def test_a_leg_is_returned_until_its_deadline_and_not_after() -> None:
    case = all_signed()
    assert refusal(case.at("2026-11-24 01:01", request_return(2), department(MARKET))) == "overdue"
    case.done("2026-11-24 01:00", request_return(2), department(MARKET))
    assert leg_states(case)[2] == "return_pending"


def test_what_is_to_be_done_at_once_is_returned_within_the_limit_of_signing() -> None:
    at_once = Limit(amount=0, unit="at_once")
    case = TimedCase(OPENED, at_once)
    case.fired()
    # An hour to sign: until ten in Jiaohe.
    case.done("2026-11-23 02:00", request_return(2), department(MARKET))
    assert case.leg(2).state == "return_pending"
    late = TimedCase(OPENED, at_once)
    assert refusal(late.at("2026-11-23 02:01", request_return(2), department(MARKET))) == "overdue"


def test_what_is_to_be_done_at_once_is_never_extended() -> None:
    case = TimedCase(OPENED, Limit(amount=0, unit="at_once"))
    case.done("2026-11-23 01:01", sign(2), department(MARKET))
    assert refusal(case.at("2026-11-23 01:02", ask_extension(2), department(MARKET))) == "overdue"


def test_a_return_that_was_asked_for_in_time_may_be_decided_after_the_deadline() -> None:
    case = all_signed()
    case.done("2026-11-24 00:59", request_return(2), department(MARKET))
    case.fired_until("2026-11-24 01:00")
    assert case.leg(2).overdue_at == DUE
    [event] = case.done("2026-11-24 02:00", refuse_return(2), DUTY_LEADER)
    assert isinstance(event, LegReturnRefused)
    case.done("2026-11-24 02:00", feed_back(2), department(MARKET))


def test_what_the_unit_before_missed_is_not_held_against_the_next() -> None:
    case = all_signed()
    case.done("2026-11-24 00:59", request_return(2), department(MARKET))
    case.fired_until("2026-11-24 01:00")
    case.done("2026-11-24 02:00", uphold(2), DUTY_LEADER)
    assert case.leg(2).overdue_at is None
    assert case.handle_clock(2).due_at == utc("2026-11-25 02:00")


def test_that_a_support_leg_needs_no_handling_waives_it() -> None:
    case = all_signed()
    case.done("2026-11-23 02:00", no_handling_needed(2), department(MARKET))
    assert refusal(case.at("2026-11-23 02:05", uphold_not_needed(2, POLICE), DUTY_LEADER)) == "not_expected"
    [event] = case.done("2026-11-23 02:05", uphold_not_needed(2), DUTY_LEADER)
    assert isinstance(event, LegWaived)
    assert (event.leg, event.unit, event.reason) == (2, MARKET, "seen: it is gone")
    assert leg_states(case)[2] == "waived"


def test_that_the_lead_needs_no_handling_voids_the_case_which_somebody_has_to_propose() -> None:
    case = all_signed()
    case.done("2026-11-23 02:00", no_handling_needed(1), department(URBAN))
    assert refusal(case.at("2026-11-23 02:05", uphold_not_needed(1), DUTY_LEADER)) == "void_needed"
    [event] = case.done("2026-11-23 02:05", refuse_return(1), DUTY_LEADER)
    assert isinstance(event, LegReturnRefused)
    assert case.leg(1).return_reason is None


def test_the_lead_waits_for_a_return_and_feeds_back_when_the_leg_is_not_needed() -> None:
    case = all_signed()
    case.done("2026-11-23 02:00", no_handling_needed(2), department(MARKET))
    case.done("2026-11-23 02:10", feed_back(3), department(FIRE))
    assert refusal(case.at("2026-11-23 02:20", feed_back(1), department(URBAN))) == "wrong_state_support_open"
    case.done("2026-11-23 02:30", uphold_not_needed(2), DUTY_LEADER)
    _fed_back, check = case.done("2026-11-23 02:40", feed_back(1), department(URBAN))
    assert isinstance(check, CaseCheckAssigned)


def test_a_refused_return_is_handled_without_a_signature() -> None:
    case = TimedCase(OPENED)
    case.done("2026-11-23 01:10", request_return(2), department(MARKET))
    case.done("2026-11-23 01:20", refuse_return(2), DUTY_LEADER)
    assert refusal(case.at("2026-11-23 01:30", sign(2), department(MARKET))) == "wrong_state_leg_handling"
