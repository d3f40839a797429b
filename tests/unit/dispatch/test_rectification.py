"""责令改正 and 复查: what the authority of a leg does by law, within what, and what waits for it (domain 9.2)."""

import pytest

from services.dispatch.domain.commands import ActorCommand
from services.dispatch.domain.gate import obstacles
from services.dispatch.domain.merging import CompleteMerge
from services.dispatch.domain.rectifying import RECTIFICATION_STAGES, Rectification, evolve_rectification
from shared.contracts.clocks import Clock, ClockBreached, ClocksRecomputed
from shared.contracts.common import Actor
from shared.contracts.merges import CaseMergeAbandoned
from shared.contracts.rectification import (
    LegEnforcementRecorded,
    LegRectificationClaimed,
    LegRectificationExpired,
    LegReinspected,
)
from shared.contracts.reference import Calendar
from shared.kernel.errors import Refusal
from tests.support.adjusting import (
    RECOMPUTE,
    TimedCase,
    all_signed,
    ask_suspension,
    decide_suspension,
    endorse,
    resume,
    rule_leg,
    told,
    utc,
)
from tests.support.cases import (
    CALENDAR,
    CASE_ID,
    CITY,
    DISPATCHER,
    DUTY_LEADER,
    FIRE,
    LEADER,
    MARKET,
    POLICE,
    SYSTEM,
    department,
    facts,
    feed_back,
    refusal,
    request_return,
    waive,
)
from tests.support.ends import MASTER_ID, merge
from tests.support.lawful import LIMIT_ENDS, OF_MARKET, TRACKS, claim, claimed, enforce, order, ordered, reinspect
from tests.support.tables import cells
from tests.support.working_hours import day_off

COMMANDS: dict[str, tuple[ActorCommand, Actor]] = {
    "order": (order(2), OF_MARKET),
    "claim": (claim(2), OF_MARKET),
    "reinspect": (reinspect(2), OF_MARKET),
    "enforce": (enforce(2), OF_MARKET),
    "feed_back": (feed_back(2), OF_MARKET),
    "request_return": (request_return(2), OF_MARKET),
    "rule": (rule_leg(2, POLICE), LEADER),
    "waive": (waive(2), LEADER),
}
# `order` stands for wrong_state_rectification_<where the order of the leg stands>.
BY_ORDER = """
               none                    ordered                 claimed        not_cleared             enforced       cleared
order          LegRectificationOrdered order                   order          LegRectificationOrdered order          LegRectificationOrdered
claim          order                   LegRectificationClaimed order          order                   order          order
reinspect      order                   limit_not_over          LegReinspected order                   LegReinspected order
enforce        order                   order                   order          LegEnforcementRecorded  order          order
feed_back      LegFedBack              order                   order          order                   order          LegFedBack
request_return LegReturnRequested      order                   order          order                   order          overdue
rule           returns_not_exhausted   order                   order          order                   order          returns_not_exhausted
waive          LegWaived               order                   order          order                   order          LegWaived
"""  # noqa: E501 - a table is read in lines


def track_of(case: TimedCase) -> Rectification:
    track = case.leg(2).rectification
    assert track is not None
    return track


def due(clock: Clock | None) -> str:
    assert clock is not None
    return clock.due_at.strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize("command,stage,cell", cells(BY_ORDER))
def test_every_act_has_one_outcome_wherever_the_order_of_a_leg_stands(command: str, stage: str, cell: str) -> None:
    case = TRACKS[stage]()
    assert case.known.legs[1].rectification_stage == stage
    decision = case.when(*COMMANDS[command])
    if isinstance(decision, Refusal):
        assert decision.code == (f"wrong_state_rectification_{stage}" if cell == "order" else cell)
    else:
        assert [type(event).__name__ for event in decision if not isinstance(event, ClockBreached)] == [cell]


def test_the_table_has_every_stage() -> None:
    assert {stage for _command, stage, _cell in cells(BY_ORDER)} == set(TRACKS) == set(RECTIFICATION_STAGES)


# ------------------------------------------------------------------------------------------------ until when, and why


def test_the_day_of_an_order_does_not_count() -> None:
    # Monday, ten o'clock: Tuesday and Wednesday count.
    assert due(track_of(ordered()).rectification_clock) == LIMIT_ENDS
    assert track_of(ordered()).reinspection_clock is None


def test_natural_days_of_an_order_run_from_the_minute() -> None:
    assert due(track_of(ordered(3, "natural_day")).rectification_clock) == "2026-11-26 02:00"


def test_what_is_ordered_at_once_is_looked_at_within_three_working_days_of_the_order() -> None:
    case = ordered(None)
    assert track_of(case).rectification_clock is None
    assert due(track_of(case).reinspection_clock) == "2026-11-26 16:00"
    [event] = case.done("2026-11-23 03:00", reinspect(2), OF_MARKET)
    assert isinstance(event, LegReinspected)


def test_a_claim_ends_the_limit_of_the_party_and_begins_that_of_the_department() -> None:
    # Claimed on Tuesday, ten o'clock: Wednesday, Thursday and Friday.
    track = track_of(claimed())
    assert due(track.reinspection_clock) == "2026-11-27 16:00"
    assert track.limit_ended_at == utc("2026-11-24 02:00")
    assert track.running == track.reinspection_clock


def test_when_nobody_claims_the_re_inspection_is_due_from_the_end_of_the_limit() -> None:
    case = ordered()
    events = case.fired_until("2026-11-25 16:00")
    [expired] = [event for event in events if isinstance(event, LegRectificationExpired)]
    # The limit ended on Wednesday at 24:00: Thursday, Friday and Monday.
    assert due(expired.clock) == "2026-11-30 16:00"
    assert [one for one in told(events) if one[0] == "rectification"] == [
        ("rectification", 50, 2),
        ("rectification", 80, 2),
        ("rectification", 100, 2),
    ]
    assert expired.by == Actor(client="dispatch", unit="dispatch", post="system")


def test_a_re_inspection_warns_and_is_late_like_every_limit() -> None:
    case = claimed()
    events = case.fired_until("2026-11-27 16:00")
    assert [one for one in told(events) if one[0] == "reinspection"] == [
        ("reinspection", 50, 2),
        ("reinspection", 80, 2),
        ("reinspection", 100, 2),
    ]
    assert track_of(case).breached == ("reinspection",)


def test_that_a_limit_passed_stays_when_something_new_is_ordered() -> None:
    case = claimed()
    case.fired_until("2026-11-27 16:00")
    case.done("2026-11-28 02:00", reinspect(2, passed=False), OF_MARKET)
    case.done("2026-11-28 03:00", order(2), OF_MARKET)
    assert track_of(case).orders == 2
    assert track_of(case).breached == ("reinspection",)
    assert track_of(case).reinspection_told == 0


# --------------------------------------------------------------------------------------------------- late, and untold


def test_a_late_claim_begins_nothing_anew() -> None:
    case = ordered()
    case.fired_until("2026-11-25 16:00")
    [event] = case.done("2026-11-26 02:00", claim(2), OF_MARKET)
    assert isinstance(event, LegRectificationClaimed)
    assert due(event.clock) == "2026-11-30 16:00"


def test_a_late_claim_that_comes_before_any_wake_has_told_says_first_what_had_passed() -> None:
    case = ordered()
    events = case.done("2026-11-26 02:00", claim(2), OF_MARKET)
    assert [type(event) for event in events] == [ClockBreached, LegRectificationExpired, LegRectificationClaimed]
    assert isinstance(events[2], LegRectificationClaimed)
    assert due(events[2].clock) == "2026-11-30 16:00"


def test_a_re_inspection_that_comes_before_any_wake_has_told_says_first_that_both_limits_had_passed() -> None:
    case = ordered()
    events = case.done("2026-12-01 02:00", reinspect(2), OF_MARKET)
    assert [type(event) for event in events] == [
        ClockBreached,
        LegRectificationExpired,
        ClockBreached,
        LegReinspected,
    ]
    assert track_of(case).breached == ("rectification", "reinspection")


def test_before_the_limit_has_ended_only_a_claim_is_looked_at() -> None:
    case = ordered()
    assert refusal(case.at("2026-11-25 16:00", reinspect(2), OF_MARKET)) == "limit_not_over"
    assert isinstance(case.done("2026-11-25 16:01", reinspect(2), OF_MARKET)[-1], LegReinspected)


def test_after_an_enforcement_the_department_looks_again_within_its_limit() -> None:
    case = claimed()
    case.done("2026-11-24 03:00", reinspect(2, passed=False), OF_MARKET)
    assert track_of(case).running is None
    [event] = case.done("2026-11-26 03:00", enforce(2, "compulsory_enforcement"), OF_MARKET)
    # Thursday does not count: Friday, Monday and Tuesday.
    assert isinstance(event, LegEnforcementRecorded)
    assert due(event.clock) == "2026-12-01 16:00"
    case.done("2026-11-27 03:00", reinspect(2), OF_MARKET)
    assert case.leg(2).rectification_stage == "cleared"
    assert not case.leg(2).rectifying


# ------------------------------------------------------------------------------- what the centre decides stops nothing


def suspended() -> TimedCase:
    case = ordered()
    case.done("2026-11-23 03:00", ask_suspension(2, utc("2027-03-01 00:00")), OF_MARKET)
    case.done("2026-11-23 03:10", endorse(2), DISPATCHER)
    case.done("2026-11-23 03:20", decide_suspension(2), LEADER)
    return case


def test_a_suspension_stops_no_limit_that_the_law_sets() -> None:
    case = suspended()
    events = case.fired_until("2026-11-30 16:00")
    assert [stage for stage, percent, leg in told(events) if percent == 100 and leg == 2] == [
        "rectification",
        "reinspection",
    ]
    case.done("2026-12-01 02:00", resume(2), OF_MARKET)
    assert len(case.handle_clock(2).pauses) == 1
    for clock in (track_of(case).rectification_clock, track_of(case).reinspection_clock):
        assert clock is not None
        assert clock.pauses == ()


def test_what_the_law_asks_for_is_done_on_a_suspended_leg_too() -> None:
    case = suspended()
    case.done("2026-11-24 02:00", claim(2), OF_MARKET)
    case.done("2026-11-24 03:00", reinspect(2, passed=False), OF_MARKET)
    case.done("2026-11-24 04:00", enforce(2), OF_MARKET)
    case.done("2026-11-24 05:00", reinspect(2, passed=False), OF_MARKET)
    case.done("2026-11-24 06:00", order(2), OF_MARKET)
    assert case.leg(2).state == "suspended"
    assert case.leg(2).rectification_stage == "ordered"


def with_days_off(*off: str) -> Calendar:
    days = sorted((*CALENDAR.days, *map(day_off, off)), key=lambda one: one.day)
    return Calendar(city=CITY, first_year=2026, last_year=2026, days=tuple(days))


def test_a_day_off_that_is_published_moves_the_limit_that_runs_and_no_other() -> None:
    case = ordered()
    case.library = case.library.with_document("calendar", CITY, 2, with_days_off("2026-11-25"))
    [event] = case.done("2026-11-23 06:00", RECOMPUTE)
    assert isinstance(event, ClocksRecomputed)
    [moved] = [one for one in event.moved if one.clock.stage == "rectification"]
    assert (moved.leg, moved.due_was) == (2, utc(LIMIT_ENDS))
    track = track_of(case)
    assert due(track.rectification_clock) == "2026-11-26 16:00"
    assert track.rectification_clock is not None
    assert track.rectification_clock.original_due_at == utc(LIMIT_ENDS)
    case.done("2026-11-24 02:00", claim(2), OF_MARKET)
    case.library = case.library.with_document("calendar", CITY, 3, with_days_off("2026-11-25", "2026-11-26"))
    case.done("2026-11-24 06:00", RECOMPUTE)
    assert track_of(case).rectification_clock == track.rectification_clock
    # Claimed on Tuesday; Wednesday and Thursday are off by then: Friday, Monday and Tuesday.
    assert due(track_of(case).reinspection_clock) == "2026-12-01 16:00"


# ------------------------------------------------------------------------------------------------------- who, and what


def test_only_the_authority_of_the_leg_orders_and_looks_again() -> None:
    for command in (order(2), claim(2), reinspect(2), enforce(2)):
        assert refusal(all_signed().when(command, department(FIRE))) == "not_entitled_other_leg"
        assert refusal(all_signed().when(command, LEADER)) == "not_entitled_post"


def test_an_order_names_its_document_and_its_basis() -> None:
    case = all_signed()
    [event] = case.done("2026-11-23 02:00", order(2), OF_MARKET)
    said = facts(event)
    assert (said["leg"], said["unit"]) == (2, MARKET)
    assert (said["legal_basis"], said["document_number"]) == ("fire law, article 60", "2026-118")


def test_a_case_with_an_open_order_is_not_merged() -> None:
    assert refusal(ordered().when(merge(), DUTY_LEADER)) == "wrong_state_reinspection_open"


def test_an_order_that_comes_between_keeps_a_case_from_being_merged() -> None:
    case = all_signed()
    case.done("2026-11-23 01:30", merge(MASTER_ID), DUTY_LEADER)
    case.done("2026-11-23 02:00", order(2), OF_MARKET)
    [event] = case.done("2026-11-23 02:01", CompleteMerge(case_id=CASE_ID, master=MASTER_ID), SYSTEM)
    assert isinstance(event, CaseMergeAbandoned)
    assert case.stage == "handling"


def test_an_open_order_is_the_first_thing_that_stands_in_the_way_of_closing() -> None:
    assert [obstacle.code for obstacle in obstacles(ordered().known)][:2] == ["reinspection_open", "leg_open"]


def test_a_track_begins_with_an_order() -> None:
    [event] = ordered().done("2026-11-24 02:00", claim(2), OF_MARKET)
    assert isinstance(event, LegRectificationClaimed)
    with pytest.raises(ValueError, match="begins with an order"):
        evolve_rectification(None, event)
