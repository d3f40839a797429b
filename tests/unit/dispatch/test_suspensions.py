"""挂账: nothing is handled and no clock runs, until the end date at the latest. Here 5 working days."""

import pytest

from services.dispatch.domain.clocks import wakes
from shared.contracts.adjustments import (
    LegResumed,
    LegSuspended,
    LegSuspensionEndorsed,
    LegSuspensionRefused,
    LegSuspensionRequested,
)
from shared.contracts.clocks import Pause
from shared.contracts.common import Actor
from tests.support.adjusting import (
    FIVE_DAYS,
    TimedCase,
    all_signed,
    ask_extension,
    ask_suspension,
    decide_suspension,
    endorse,
    fire,
    resume,
    told,
    utc,
)
from tests.support.cases import (
    DISPATCHER,
    DUTY_LEADER,
    FIRE,
    LEADER,
    MARKET,
    department,
    facts,
    feed_back,
    leg_states,
    refusal,
    request_return,
    waive,
)

DUE = utc("2026-11-30 01:00")
"""Forty working hours from Monday at nine: seven, four times eight, and one on the next Monday."""
SPRING = utc("2027-04-01 00:00")
ASKED, ENDORSED, SUSPENDED = "2026-11-23 08:00", "2026-11-23 09:00", "2026-11-24 01:00"


def asked() -> TimedCase:
    case = all_signed(FIVE_DAYS)
    case.done(ASKED, ask_suspension(2, SPRING), department(MARKET))
    return case


def suspended() -> TimedCase:
    case = asked()
    case.done(ENDORSED, endorse(2), DISPATCHER)
    case.done(SUSPENDED, decide_suspension(2), LEADER)
    return case


def test_a_suspension_is_asked_for_endorsed_and_decided_and_the_clock_runs_until_then() -> None:
    case = all_signed(FIVE_DAYS)
    [requested] = case.done(ASKED, ask_suspension(2, SPRING), department(MARKET))
    assert isinstance(requested, LegSuspensionRequested)
    [endorsed] = case.done(ENDORSED, endorse(2), DISPATCHER)
    assert isinstance(endorsed, LegSuspensionEndorsed)
    assert leg_states(case)[2] == "handling"
    assert case.handle_clock(2).due_at == DUE
    [event] = case.done(SUSPENDED, decide_suspension(2), LEADER)
    assert isinstance(event, LegSuspended)
    assert facts(event) == {
        "leg": 2,
        "unit": MARKET,
        "reason": "wrong_season",
        "plan": "tear it down",
        "until": "2027-04-01T00:00:00Z",
    }
    assert leg_states(case)[2] == "suspended"
    assert case.stage == "handling"


def test_it_resumes_by_itself_at_its_end_date_with_what_was_left() -> None:
    case = suspended()
    case.done("2026-11-24 02:00", feed_back(3), department(FIRE))
    assert told(case.fired_until("2026-12-31 00:00")) == [("handle", 50, 1), ("handle", 80, 1), ("handle", 100, 1)]
    assert wakes(case.known)[0].due_at == SPRING
    [event] = case.fired()
    assert isinstance(event, LegResumed)
    assert (event.cause, event.reason, event.due_was) == ("end_date", None, DUE)
    # Eight hours were used; four days are left: Thursday, Friday, Monday and Tuesday.
    assert event.clock.due_at == utc("2027-04-06 10:00")
    assert event.clock.warn_at == (utc("2027-04-02 04:00"), utc("2027-04-05 10:00"))
    assert event.clock.original_due_at == DUE
    assert event.clock.pauses == (Pause(started_at=utc(SUSPENDED), ended_at=SPRING),)
    assert leg_states(case)[2] == "handling"
    assert told(case.fired()) == [("handle", 50, 2)]


def test_a_resume_that_fires_late_still_counts_from_the_end_date() -> None:
    case = suspended()
    [event] = [one for one in case.done("2027-04-03 00:00", fire(utc("2027-04-01 00:00"))) if not told([one])]
    assert isinstance(event, LegResumed)
    assert event.clock.due_at == utc("2027-04-06 10:00")


@pytest.mark.parametrize("actor", [department(MARKET), DISPATCHER], ids=lambda actor: actor.post)
def test_the_department_or_a_dispatcher_resumes_it_early(actor: Actor) -> None:
    case = suspended()
    [event] = case.done("2026-12-01 01:00", resume(2), actor)
    assert isinstance(event, LegResumed)
    assert (event.cause, event.reason) == ("early", "the ground is soft")
    # Thirty-two hours from Tuesday at nine: seven, three times eight, and one on Monday.
    assert event.clock.due_at == utc("2026-12-07 01:00")
    case.done("2026-12-01 02:00", feed_back(2), department(MARKET))


def test_nobody_else_resumes_it_and_only_what_is_suspended() -> None:
    case = suspended()
    assert refusal(case.at("2026-12-01 01:00", resume(2), department(FIRE))) == "not_entitled_other_leg"
    assert refusal(case.at("2026-12-01 01:00", resume(2), DUTY_LEADER)) == "not_entitled_post"
    assert refusal(case.at("2026-12-01 01:00", resume(3), department(FIRE))) == "wrong_state_leg_handling"


def test_nothing_is_handled_returned_or_extended_while_it_is_suspended() -> None:
    case = suspended()
    for command in (feed_back(2), request_return(2), ask_extension(2), ask_suspension(2, SPRING)):
        assert refusal(case.at("2026-12-01 01:00", command, department(MARKET))) == "wrong_state_leg_suspended"


def test_a_suspended_support_leg_can_be_waived() -> None:
    case = suspended()
    case.done("2026-12-01 01:00", waive(2), LEADER)
    assert leg_states(case)[2] == "waived"
    assert case.leg(2).suspension is None


def test_a_leg_is_suspended_once() -> None:
    case = suspended()
    case.done("2026-12-01 01:00", resume(2), DISPATCHER)
    assert refusal(case.at("2026-12-01 02:00", ask_suspension(2, SPRING), department(MARKET))) == "suspended_before"


@pytest.mark.parametrize(
    "until,code",
    [
        ("2026-11-23 08:00", "until_not_future"),
        ("2026-11-22 00:00", "until_not_future"),
        ("2027-11-23 08:01", "until_too_far"),
    ],
)
def test_the_end_date_lies_in_the_future_and_within_a_year(until: str, code: str) -> None:
    case = all_signed(FIVE_DAYS)
    assert refusal(case.at(ASKED, ask_suspension(2, utc(until)), department(MARKET))) == code


def test_a_year_is_not_too_far() -> None:
    case = all_signed(FIVE_DAYS)
    case.done(ASKED, ask_suspension(2, utc("2027-11-23 08:00")), department(MARKET))
    assert case.leg(2).suspension is not None


def test_a_dispatcher_looks_first_and_the_leader_decides() -> None:
    case = asked()
    assert refusal(case.at(ENDORSED, decide_suspension(2), LEADER)) == "not_endorsed"
    assert refusal(case.at(ENDORSED, endorse(2), LEADER)) == "not_entitled_post"
    case.done(ENDORSED, endorse(2), DISPATCHER)
    assert refusal(case.at(ENDORSED, endorse(2), DISPATCHER)) == "already_endorsed"
    assert refusal(case.at(SUSPENDED, decide_suspension(2), DUTY_LEADER)) == "not_entitled_post"


def test_what_neither_of_them_wants_goes_on_and_may_be_asked_for_again() -> None:
    case = asked()
    [event] = case.done(ENDORSED, endorse(2, endorsed=False), DISPATCHER)
    assert isinstance(event, LegSuspensionRefused)
    case.done(ENDORSED, ask_suspension(2, SPRING), department(MARKET))
    case.done(ENDORSED, endorse(2), DISPATCHER)
    [event] = case.done(SUSPENDED, decide_suspension(2, approved=False), LEADER)
    assert isinstance(event, LegSuspensionRefused)
    assert leg_states(case)[2] == "handling"
    case.done(SUSPENDED, ask_suspension(2, SPRING), department(MARKET))


def test_there_is_one_request_at_a_time_and_none_to_decide_where_nobody_asked() -> None:
    case = asked()
    assert refusal(case.at(ENDORSED, ask_suspension(2, SPRING), department(MARKET))) == "suspension_pending"
    assert refusal(case.at(ENDORSED, ask_extension(2), department(MARKET))) == "suspension_pending"
    assert refusal(case.at(ENDORSED, endorse(3), DISPATCHER)) == "no_suspension_pending"
    assert refusal(case.at(ENDORSED, decide_suspension(3), LEADER)) == "no_suspension_pending"


def test_a_suspension_that_would_have_ended_already_is_not_approved() -> None:
    case = all_signed(FIVE_DAYS)
    case.done(ASKED, ask_suspension(2, utc("2026-11-25 00:00")), department(MARKET))
    case.done(ENDORSED, endorse(2), DISPATCHER)
    assert refusal(case.at("2026-11-25 00:00", decide_suspension(2), LEADER)) == "until_passed"


def test_feedback_ends_the_request() -> None:
    case = asked()
    case.done(ENDORSED, feed_back(2), department(MARKET))
    assert case.leg(2).suspension is None


def test_a_resume_that_was_sent_before_the_decision_arrived_pauses_nothing() -> None:
    case = suspended()
    [event] = case.done("2026-11-24 00:59", resume(2), department(MARKET))
    assert isinstance(event, LegResumed)
    assert event.clock.pauses == (Pause(started_at=utc(SUSPENDED), ended_at=utc(SUSPENDED)),)
    assert event.clock.due_at == DUE


def test_a_leg_that_was_overdue_before_it_was_suspended_is_overdue_after_it_and_told_so_once() -> None:
    case = all_signed(FIVE_DAYS)
    case.fired_until("2026-11-30 01:00")
    case.done("2026-11-30 02:00", ask_suspension(2, SPRING), department(MARKET))
    case.done("2026-11-30 02:10", endorse(2), DISPATCHER)
    case.done("2026-11-30 02:20", decide_suspension(2), LEADER)
    case.done("2026-12-01 01:00", resume(2), DISPATCHER)
    assert case.handle_clock(2).due_at == DUE
    assert wakes(case.known) == ()
