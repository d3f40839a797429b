"""派遣 by hand, 改派 while nobody has signed, 增派 of support legs, and 退回补充."""

from shared.contracts.adjustments import CaseRedispatched, LegsAdded, LegSentBack
from shared.contracts.dispatch import CaseDispatched, Leg
from tests.support.adjusting import DUE, EIGHT_HOURS, OPENED, TimedCase, add_legs, all_signed, send_back, told, utc
from tests.support.cases import (
    DISPATCHER,
    DUTY_LEADER,
    FIRE,
    LEADER,
    MARKET,
    POLICE,
    STREET_UNIT,
    URBAN,
    Case,
    department,
    dispatch_by_hand,
    feed_back,
    handled,
    leg_states,
    opened,
    refusal,
    rule,
    sign,
    waive,
)


def test_an_unsigned_case_is_redispatched_with_new_clocks_and_the_rule_that_was_overridden() -> None:
    case = TimedCase(OPENED)
    [event] = case.done("2026-11-23 01:30", dispatch_by_hand(FIRE, (URBAN, POLICE)), DISPATCHER)
    assert isinstance(event, CaseRedispatched)
    assert [(leg.leg, leg.unit, leg.role) for leg in event.legs] == [
        (1, FIRE, "lead"),
        (2, URBAN, "support"),
        (3, POLICE, "support"),
    ]
    assert event.withdrawn == (Leg(leg=2, unit=MARKET, role="support", limit=EIGHT_HOURS),)
    explanation = event.explanation
    assert (explanation.overrides, explanation.decided_by, explanation.reason) == ("joint", "dispatcher", "nearest")
    assert (event.sign_clock.due_at, event.handle_clock.due_at) == (utc("2026-11-23 02:30"), utc("2026-11-24 01:30"))
    assert case.handle_clock(1).due_at == utc("2026-11-24 01:30")
    assert [leg.unit for leg in case.known.legs] == [FIRE, URBAN, POLICE]
    assert told(case.fired()) == [("sign", 50, 1), ("sign", 50, 2), ("sign", 50, 3)]


def test_a_redispatched_leg_has_a_later_revision_than_the_leg_it_takes_the_number_of() -> None:
    case = TimedCase(OPENED)
    revision = case.known.revision
    case.done("2026-11-23 01:30", dispatch_by_hand(FIRE, (POLICE,)), DISPATCHER)
    assert [leg.revision for leg in case.known.legs] == [2, 2]
    assert case.known.revision == revision + 1
    assert refusal(case.at("2026-11-23 01:31", sign(2, revision=1), department(POLICE))) == "stale_revision"


def test_a_case_is_not_redispatched_once_somebody_has_signed() -> None:
    case = TimedCase(OPENED)
    case.done("2026-11-23 01:10", sign(2), department(MARKET))
    decision = case.at("2026-11-23 01:30", dispatch_by_hand(FIRE), DISPATCHER)
    assert refusal(decision) == "wrong_state_case_handling"


def test_a_redispatch_to_the_same_units_is_none() -> None:
    case = TimedCase(OPENED)
    decision = case.at("2026-11-23 01:30", dispatch_by_hand(URBAN, (MARKET, FIRE)), DISPATCHER)
    assert refusal(decision) == "nothing_changes"


def test_only_a_dispatcher_dispatches_and_adds_legs() -> None:
    case = TimedCase(OPENED)
    assert refusal(case.at("2026-11-23 01:30", dispatch_by_hand(FIRE), DUTY_LEADER)) == "not_entitled_post"
    assert refusal(case.at("2026-11-23 01:30", add_legs(POLICE), LEADER)) == "not_entitled_post"


def test_support_legs_are_added_with_clocks_of_their_own() -> None:
    case = all_signed()
    [event] = case.done("2026-11-23 07:00", add_legs(POLICE, STREET_UNIT), DISPATCHER)
    assert isinstance(event, LegsAdded)
    assert [(leg.leg, leg.unit, leg.role) for leg in event.legs] == [
        (4, POLICE, "support"),
        (5, STREET_UNIT, "support"),
    ]
    assert event.explanation.reason == "escalated"
    # Monday at 15:00 and 8 hours: three on Monday, five on Tuesday.
    assert (event.sign_clock.due_at, event.handle_clock.due_at) == (utc("2026-11-23 08:00"), utc("2026-11-24 07:00"))
    assert leg_states(case) == {1: "handling", 2: "handling", 3: "handling", 4: "assigned", 5: "assigned"}
    assert (case.handle_clock(1).due_at, case.handle_clock(5).due_at) == (DUE, utc("2026-11-24 07:00"))
    assert case.leg(4).ruling == event.explanation


def test_the_lead_waits_for_an_added_leg() -> None:
    case = all_signed()
    case.done("2026-11-23 02:00", feed_back(2), department(MARKET))
    case.done("2026-11-23 02:00", feed_back(3), department(FIRE))
    case.done("2026-11-23 02:10", add_legs(POLICE), DISPATCHER)
    assert refusal(case.at("2026-11-23 02:20", feed_back(1), department(URBAN))) == "wrong_state_support_open"
    case.done("2026-11-23 02:20", waive(4), LEADER)
    case.done("2026-11-23 02:20", feed_back(1), department(URBAN))


def test_a_leg_is_added_for_a_unit_that_exists_and_has_none_and_while_the_case_is_handled() -> None:
    case = all_signed()
    assert refusal(case.at("2026-11-23 02:00", add_legs(), DISPATCHER)) == "required"
    assert refusal(case.at("2026-11-23 02:00", add_legs("supervision-centre"), DISPATCHER)) == "unknown_unit"
    assert refusal(case.at("2026-11-23 02:00", add_legs(FIRE), DISPATCHER)) == "unit_has_leg"
    assert refusal(case.at("2026-11-23 02:00", add_legs(POLICE, POLICE), DISPATCHER)) == "unit_has_leg"
    assert refusal(case.at("2026-11-23 02:00", add_legs(POLICE, revision=1), DISPATCHER)) == "stale_revision"
    assert refusal(handled().when(add_legs(POLICE), DISPATCHER)) == "wrong_state_case_checking"
    assert refusal(opened(rule("ghost", "no-such-unit")).when(add_legs(POLICE), DISPATCHER)) == "wrong_state_case_filed"


def test_what_was_fed_back_is_sent_back_and_counts_as_rework() -> None:
    case = all_signed()
    case.done("2026-11-23 02:00", feed_back(2), department(MARKET))
    [event] = case.done("2026-11-23 02:30", send_back(2), DISPATCHER)
    assert isinstance(event, LegSentBack)
    assert (event.leg, event.unit, event.reason) == (2, MARKET, "the photo shows another place")
    leg = case.leg(2)
    assert (leg.state, leg.rework, leg.fed_back_at) == ("handling", 1, None)
    assert leg.reason == "the photo shows another place"


def test_what_is_sent_back_takes_the_check_with_it() -> None:
    case = handled()
    assert case.stage == "checking"
    case.given((send_back(1), DISPATCHER))
    assert case.stage == "handling"
    assert case.known.check is None
    case.given((feed_back(1), department(URBAN)))
    assert case.stage == "checking"


def test_only_what_was_fed_back_is_sent_back_by_a_dispatcher() -> None:
    case = handled()
    assert refusal(case.when(send_back(1), DUTY_LEADER)) == "not_entitled_post"
    assert refusal(all_signed().at("2026-11-23 02:00", send_back(2), DISPATCHER)) == "wrong_state_leg_handling"


def test_a_dispatch_by_hand_of_a_case_without_legs_is_no_redispatch() -> None:
    case: Case = opened(rule("ghost", "no-such-unit"))
    events = case.when(dispatch_by_hand(FIRE), DISPATCHER)
    assert isinstance(events, list)
    assert [type(event) for event in events] == [CaseDispatched]
