"""延期: it moves a deadline and never rewrites it. Here 8 working hours from a Monday at nine (01:00 UTC)."""

import msgspec
import pytest

from services.dispatch.domain.clocks import wakes
from shared.contracts.adjustments import LegExtended, LegExtensionRefused, LegExtensionRequested
from shared.contracts.common import Actor
from tests.support.adjusting import (
    DUE,
    TimedCase,
    all_signed,
    ask_extension,
    ask_suspension,
    decide_extension,
    send_back,
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
    uphold,
)

ASKED = "2026-11-23 02:00"
DECIDED = "2026-11-23 03:00"


def asked(*, engineering: bool = False) -> TimedCase:
    case = all_signed()
    case.done(ASKED, ask_extension(2, engineering=engineering), department(MARKET))
    return case


def extended() -> TimedCase:
    case = asked()
    case.done(DECIDED, decide_extension(2), DUTY_LEADER)
    return case


def test_a_request_waits_and_the_clock_runs_on() -> None:
    case = all_signed()
    [event] = case.done(ASKED, ask_extension(2), department(MARKET))
    assert isinstance(event, LegExtensionRequested)
    assert facts(event) == {"leg": 2, "unit": MARKET, "reason": "parts are missing", "engineering": False}
    assert leg_states(case)[2] == "handling"
    assert case.handle_clock(2).due_at == DUE


def test_an_approval_adds_the_original_limit_to_the_deadline_and_the_original_stays() -> None:
    case = asked()
    [event] = case.done(DECIDED, decide_extension(2), DUTY_LEADER)
    assert isinstance(event, LegExtended)
    assert (event.due_was, event.reason) == (DUE, "seen on site")
    # Eight hours from Tuesday at nine: seven on Tuesday, one on Wednesday.
    assert event.clock.due_at == utc("2026-11-25 01:00")
    assert event.clock.warn_at == (DUE, utc("2026-11-24 07:48"))
    assert (event.clock.original_due_at, event.clock.extensions) == (DUE, 1)
    assert case.handle_clock(2) == event.clock
    assert case.handle_clock(1).due_at == DUE


def test_two_extensions_are_all_and_the_leader_decides_the_second() -> None:
    case = extended()
    case.done("2026-11-24 05:00", ask_extension(2), department(MARKET))
    assert refusal(case.at("2026-11-24 06:00", decide_extension(2), DUTY_LEADER)) == "not_entitled_post"
    case.done("2026-11-24 06:00", decide_extension(2), LEADER)
    assert case.handle_clock(2).due_at == utc("2026-11-26 01:00")
    assert case.handle_clock(2).original_due_at == DUE
    assert refusal(case.at("2026-11-24 07:00", ask_extension(2), department(MARKET))) == "extensions_exhausted"


def test_the_leader_decides_at_once_where_it_is_engineering_work() -> None:
    case = asked(engineering=True)
    assert refusal(case.at(DECIDED, decide_extension(2), DUTY_LEADER)) == "not_entitled_post"
    case.done(DECIDED, decide_extension(2), LEADER)
    assert case.handle_clock(2).extensions == 1


@pytest.mark.parametrize("actor", [LEADER, DISPATCHER, department(FIRE)], ids=lambda actor: actor.post)
def test_the_first_standard_extension_is_for_the_duty_leader_alone(actor: Actor) -> None:
    assert refusal(asked().at(DECIDED, decide_extension(2), actor)) == "not_entitled_post"


def test_a_refusal_does_not_count_and_leaves_the_deadline() -> None:
    case = asked()
    [event] = case.done(DECIDED, decide_extension(2, approved=False), DUTY_LEADER)
    assert isinstance(event, LegExtensionRefused)
    assert facts(event) == {"leg": 2, "unit": MARKET, "reason": "seen on site"}
    assert case.handle_clock(2).due_at == DUE
    case.done("2026-11-23 04:00", ask_extension(2), department(MARKET))
    case.done("2026-11-23 05:00", decide_extension(2), DUTY_LEADER)
    assert case.handle_clock(2).extensions == 1


def test_nobody_asks_when_the_leg_is_overdue_but_what_was_asked_in_time_is_still_decided() -> None:
    case = all_signed()
    assert refusal(case.at("2026-11-24 01:01", ask_extension(2), department(MARKET))) == "overdue"
    case.done("2026-11-24 01:00", ask_extension(2), department(MARKET))
    case.fired_until("2026-11-24 01:00")
    case.done("2026-11-24 02:00", decide_extension(2), DUTY_LEADER)
    assert case.handle_clock(2).due_at == utc("2026-11-25 01:00")
    assert case.leg(2).overdue_at == DUE


def test_there_is_one_request_at_a_time_and_none_to_decide_where_nobody_asked() -> None:
    case = asked()
    assert refusal(case.at(DECIDED, ask_extension(2), department(MARKET))) == "extension_pending"
    until = utc("2026-12-01 00:00")
    assert refusal(case.at(DECIDED, ask_suspension(2, until), department(MARKET))) == "extension_pending"
    assert refusal(all_signed().at(DECIDED, decide_extension(2), DUTY_LEADER)) == "no_extension_pending"


def test_a_department_asks_for_its_own_leg_alone() -> None:
    case = all_signed()
    assert refusal(case.at(ASKED, ask_extension(2), department(FIRE))) == "not_entitled_other_leg"


def test_feedback_ends_the_request_and_a_return_takes_it_along() -> None:
    case = asked()
    case.done(DECIDED, feed_back(2), department(MARKET))
    assert case.leg(2).extension is None
    case = asked()
    case.done(DECIDED, request_return(2), department(MARKET))
    assert refusal(case.at(DECIDED, decide_extension(2), DUTY_LEADER)) == "wrong_state_leg_return_pending"
    case.done(DECIDED, uphold(2), DUTY_LEADER)
    assert case.leg(2).extension is None


def test_a_leg_of_before_there_were_clocks_has_nothing_to_extend() -> None:
    case = all_signed()
    case.state = msgspec.structs.replace(case.known, sign_clock=None, handle_clock=None)
    assert refusal(case.at(ASKED, ask_extension(2), department(MARKET))) == "no_clock"
    assert refusal(case.at(ASKED, ask_suspension(2, utc("2026-12-01 00:00")), department(MARKET))) == "no_clock"
    case.done(ASKED, feed_back(2), department(MARKET))
    case.done(DECIDED, send_back(2), DISPATCHER)
    assert wakes(case.known) == ()
