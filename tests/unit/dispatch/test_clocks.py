"""What time does to a case. Here 8 working hours from a Monday at nine (01:00 UTC): due on Tuesday at nine."""

import pytest

from services.dispatch.domain.clocks import wakes, woken
from services.dispatch.domain.columns import breached_stages
from services.dispatch.domain.decide import decide
from shared.contracts.clocks import ClockBreached, LegCountedAsSigned
from shared.contracts.decisions import Context
from shared.contracts.dispatch import CaseDispatched, CaseRoutingFailed, LegFedBack, LegSigned
from shared.contracts.reference import Limit
from shared.deadlines.telling import BREACHED
from shared.kernel.decider import Wake
from tests.support.adjusting import (
    DUE,
    OPENED,
    RECOMPUTE,
    TimedCase,
    all_signed,
    fire,
    told,
    utc,
)
from tests.support.cases import (
    CASE_ID,
    CITY,
    COLLECTOR,
    DISPATCHER,
    FIRE,
    LEADER,
    MARKET,
    SYSTEM,
    URBAN,
    Case,
    check_failed,
    closed,
    department,
    dispatch_by_hand,
    feed_back,
    leg_states,
    open_case,
    refusal,
    request_return,
    rule,
    sign,
    waive,
)


def test_all_legs_of_a_dispatch_share_their_clocks_in_event_and_state() -> None:
    case = TimedCase(OPENED)
    dispatched = case.events[-1]
    assert isinstance(dispatched, CaseDispatched)
    assert dispatched.sign_clock is not None
    assert dispatched.handle_clock is not None
    assert (dispatched.sign_clock.due_at, dispatched.handle_clock.due_at) == (utc("2026-11-23 02:00"), DUE)
    assert dispatched.handle_clock.warn_at == (utc("2026-11-23 07:00"), utc("2026-11-23 09:24"))
    assert [(leg.sign_clock, leg.handle_clock) for leg in case.known.legs] == [(None, None)] * 3
    assert {case.handle_clock(leg) for leg in (1, 2, 3)} == {dispatched.handle_clock}
    assert (case.known.calendar_version, case.known.policy_version) == (1, 1)


def test_a_case_has_one_wake_at_its_next_instant_and_it_becomes_a_command() -> None:
    case = TimedCase(OPENED)
    assert wakes(case.known) == (Wake(kind="clock", due_at=utc("2026-11-23 01:30")),)
    assert woken(CASE_ID, wakes(case.known)[0]) == fire(utc("2026-11-23 01:30"))


def test_clocks_warn_twice_and_breach_each_once_and_then_nothing_is_left_to_wake_for() -> None:
    case = TimedCase(OPENED)
    seen = []
    while wakes(case.known):
        [wake] = wakes(case.known)
        seen.append((wake.due_at, told(case.fired())))
    assert seen == [
        (utc("2026-11-23 01:30"), [("sign", 50, 1), ("sign", 50, 2), ("sign", 50, 3)]),
        (utc("2026-11-23 01:48"), [("sign", 80, 1), ("sign", 80, 2), ("sign", 80, 3)]),
        (utc("2026-11-23 02:00"), [("sign", 100, 1), ("sign", 100, 2), ("sign", 100, 3)]),
        (utc("2026-11-23 07:00"), [("handle", 50, 1), ("handle", 50, 2), ("handle", 50, 3)]),
        (utc("2026-11-23 09:24"), [("handle", 80, 1), ("handle", 80, 2), ("handle", 80, 3)]),
        (DUE, [("handle", 100, 1), ("handle", 100, 2), ("handle", 100, 3)]),
    ]
    assert [leg.overdue_at for leg in case.known.legs] == [DUE] * 3


def test_an_unsigned_leg_counts_as_signed_at_its_limit() -> None:
    case = TimedCase(OPENED)
    case.done("2026-11-23 01:10", sign(1), department(URBAN))
    events = case.fired_until("2026-11-23 02:00")
    counted = [event for event in events if isinstance(event, LegCountedAsSigned)]
    assert [(event.leg, event.unit) for event in counted] == [(2, MARKET), (3, FIRE)]
    assert leg_states(case) == {1: "handling", 2: "handling", 3: "handling"}
    assert case.leg(2).signed_at is None
    assert case.stage == "handling"


def test_a_signature_after_the_leg_counted_as_signed_is_recorded_and_moves_no_clock() -> None:
    case = TimedCase(OPENED)
    case.fired_until("2026-11-23 02:00")
    before = case.known
    [signed] = case.done("2026-11-23 03:00", sign(2), department(MARKET, "officer-7"))
    assert isinstance(signed, LegSigned)
    assert (signed.leg, signed.unit, signed.at, signed.by.person) == (2, MARKET, utc("2026-11-23 03:00"), "officer-7")
    assert case.leg(2).signed_at == utc("2026-11-23 03:00")
    assert case.leg(2).counted_as_signed
    assert leg_states(case)[2] == "handling"
    assert wakes(case.known) == wakes(before)
    assert (case.leg(2).sign_told, case.leg(2).handle_told) == (BREACHED, 0)
    assert breached_stages(case.known) == ["sign"]
    assert refusal(case.at("2026-11-23 03:10", sign(2), department(MARKET))) == "wrong_state_leg_handling"
    assert refusal(case.at("2026-11-23 03:10", sign(3), department(MARKET))) == "not_entitled_other_leg"


def test_a_return_that_is_pending_stays_pending_when_the_leg_counts_as_signed() -> None:
    case = TimedCase(OPENED)
    case.done("2026-11-23 01:10", request_return(2), department(MARKET))
    case.fired_until("2026-11-23 02:00")
    assert leg_states(case)[2] == "return_pending"
    assert case.leg(2).counted_as_signed
    assert told(case.fired_until("2026-11-23 07:00")) == [("handle", 50, 1), ("handle", 50, 2), ("handle", 50, 3)]


def test_after_a_stop_everything_that_was_due_happens_in_order_and_a_second_time_nothing() -> None:
    case = all_signed()
    case.done("2026-11-23 02:00", waive(3), LEADER)
    late = case.done("2026-11-30 00:00", fire(utc("2026-11-30 00:00")))
    assert told(late) == [
        ("handle", 50, 1),
        ("handle", 50, 2),
        ("handle", 80, 1),
        ("handle", 80, 2),
        ("handle", 100, 1),
        ("handle", 100, 2),
    ]
    before = case.known
    assert case.done("2026-11-30 00:01", fire(utc("2026-11-30 00:00"))) == []
    assert case.known == before


def test_a_wake_tells_nothing_that_is_due_after_it() -> None:
    case = all_signed()
    assert told(case.done("2026-11-30 00:00", fire(utc("2026-11-23 07:00")))) == [
        ("handle", 50, 1),
        ("handle", 50, 2),
        ("handle", 50, 3),
    ]


def test_time_makes_no_revision_stale() -> None:
    case = all_signed()
    revisions = [leg.revision for leg in case.known.legs]
    own = case.known.revision
    case.fired_until("2026-11-24 01:00")
    assert [leg.revision for leg in case.known.legs] == revisions
    assert case.known.revision == own


def test_feedback_stops_the_clock_of_its_leg_alone() -> None:
    case = all_signed()
    case.done("2026-11-23 06:00", feed_back(2), department(MARKET))
    assert told(case.fired()) == [("handle", 50, 1), ("handle", 50, 3)]


def test_feedback_at_the_last_moment_is_on_time_and_later_it_comes_after_its_breach() -> None:
    case = all_signed()
    [on_time] = case.done("2026-11-24 01:00", feed_back(2), department(MARKET))
    assert isinstance(on_time, LegFedBack)
    assert case.leg(2).overdue_at is None
    breached, late = case.done("2026-11-24 01:01", feed_back(3), department(FIRE))
    assert isinstance(breached, ClockBreached)
    assert isinstance(late, LegFedBack)
    assert (breached.stage, breached.leg, breached.unit, breached.due_at) == ("handle", 3, FIRE, DUE)
    assert case.leg(3).overdue_at == DUE


def test_a_breach_that_was_told_is_not_told_again_with_the_late_feedback() -> None:
    case = all_signed()
    case.fired_until("2026-11-24 01:00")
    [late] = case.done("2026-11-24 01:01", feed_back(3), department(FIRE))
    assert isinstance(late, LegFedBack)


def test_a_late_signature_comes_after_its_breach() -> None:
    case = TimedCase(OPENED)
    breached, signed = case.done("2026-11-23 02:01", sign(2), department(MARKET))
    assert isinstance(breached, ClockBreached)
    assert isinstance(signed, LegSigned)
    assert (breached.stage, breached.due_at) == ("sign", utc("2026-11-23 02:00"))


def test_a_case_that_waits_for_a_dispatcher_has_a_clock_too() -> None:
    case = Case(rule("ghost", "no-such-unit"))
    case.now = utc("2026-11-23 00:59")
    case.given((open_case(), SYSTEM))
    failed = case.events[-1]
    assert isinstance(failed, CaseRoutingFailed)
    assert failed.clock is not None
    assert (failed.clock.stage, failed.clock.due_at) == ("dispatch", utc("2026-11-23 02:00"))
    warned = case.when(fire(utc("2026-11-23 01:30")))
    assert isinstance(warned, list)
    assert told(warned) == [("dispatch", 50, None)]
    case.now = utc("2026-11-23 02:00")
    events = case.when(dispatch_by_hand(), DISPATCHER)
    assert isinstance(events, list)
    assert told(events) == [("dispatch", 100, None)]
    assert isinstance(events[-1], CaseDispatched)
    assert wakes(case.known)[0].due_at == utc("2026-11-23 02:31")


def test_what_is_to_be_done_at_once_does_not_warn_before() -> None:
    case = TimedCase(OPENED, Limit(amount=0, unit="at_once"))
    assert told(case.fired()) == [("handle", 100, 1), ("handle", 100, 2), ("handle", 100, 3)]


def test_the_check_has_a_clock_that_ends_with_the_check() -> None:
    case = all_signed()
    for leg, unit in ((2, MARKET), (3, FIRE), (1, URBAN)):
        case.done("2026-11-23 06:00", feed_back(leg), department(unit))
    assert told(case.fired()) == [("check", 50, None)]
    assert wakes(case.known)[0].due_at == utc("2026-11-23 09:12")
    case.done("2026-11-23 09:00", check_failed(2), COLLECTOR)
    assert told(case.fired_until("2026-11-24 00:00")) == [("handle", 50, 2)]


def test_nothing_wakes_a_closed_case() -> None:
    assert wakes(closed().known) == ()


def test_a_case_without_calendar_cannot_be_opened() -> None:
    case = Case()
    known = {key: versions for key, versions in case.library.documents.items() if key[0] != "calendar"}
    context = Context(stream=CASE_ID, now=utc(OPENED), at=utc(OPENED), actor=SYSTEM, library=type(case.library)(known))
    with pytest.raises(LookupError, match="calendar"):
        decide(CITY, None, open_case(), context)


def test_time_that_comes_for_a_case_that_is_not_there_changes_nothing() -> None:
    case = Case()
    assert case.when(fire(utc(OPENED))) == []
    assert case.when(RECOMPUTE) == []
