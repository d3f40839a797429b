"""What moves clocks: rework, documents, other units. Here 8 working hours from a Monday at nine (01:00 UTC)."""

import msgspec

from services.dispatch.domain.clocks import wakes
from shared.contracts.clocks import ClocksRecomputed
from shared.contracts.dispatch import LegFedBack, LegReturnUpheld
from shared.contracts.reference import CalendarDay, Limit
from tests.support.adjusting import (
    DUE,
    OPENED,
    RECOMPUTE,
    TimedCase,
    all_signed,
    ask_extension,
    ask_suspension,
    decide_extension,
    decide_suspension,
    endorse,
    send_back,
    told,
    utc,
)
from tests.support.cases import (
    CALENDAR,
    CITY,
    COLLECTOR,
    DISPATCHER,
    DUTY_LEADER,
    FIRE,
    LEADER,
    MARKET,
    URBAN,
    check_failed,
    closed,
    department,
    feed_back,
    request_return,
    sign,
    uphold,
    waive,
)


def test_an_upheld_return_gives_new_clocks_and_the_old_ones_are_gone() -> None:
    case = TimedCase(OPENED)
    case.done("2026-11-23 01:10", request_return(2), department(MARKET))
    case.fired_until("2026-11-23 07:00")
    [event] = case.done("2026-11-23 07:30", uphold(2), DUTY_LEADER)
    assert isinstance(event, LegReturnUpheld)
    assert event.sign_clock is not None
    assert event.handle_clock is not None
    assert event.sign_clock.due_at == utc("2026-11-23 08:30")
    # 15:30 to 18:00 are two and a half hours; five and a half are left: 08:00 to 12:00 and 14:00 to 15:30.
    assert event.handle_clock.due_at == utc("2026-11-24 07:30")
    assert told(case.fired()) == [("sign", 50, 2)]
    assert case.handle_clock(1).due_at == DUE


def test_rework_goes_on_with_the_same_clock_without_the_time_of_the_check() -> None:
    case = all_signed()
    for leg, unit in ((2, MARKET), (3, FIRE), (1, URBAN)):
        case.done("2026-11-23 07:00", feed_back(leg), department(unit))
    [checked] = case.done("2026-11-23 09:00", check_failed(2, 1), COLLECTOR)
    assert isinstance(checked, msgspec.Struct)
    # At 15:00 half was used; at 17:00 four hours are left: one on Monday, three on Tuesday.
    assert [case.handle_clock(leg).due_at for leg in (1, 2, 3)] == [
        utc("2026-11-24 03:00"),
        utc("2026-11-24 03:00"),
        DUE,
    ]
    clock = case.handle_clock(2)
    assert (clock.original_due_at, clock.limit) == (DUE, Limit(amount=8, unit="working_hour"))
    assert [(pause.started_at, pause.ended_at) for pause in clock.pauses] == [
        (utc("2026-11-23 07:00"), utc("2026-11-23 09:00"))
    ]
    assert told(case.fired()) == [("handle", 80, 1), ("handle", 80, 2)]


def test_what_a_dispatcher_sends_back_goes_on_without_the_time_since_its_feedback() -> None:
    case = all_signed()
    case.done("2026-11-23 07:00", feed_back(2), department(MARKET))
    case.done("2026-11-23 09:00", send_back(2), DISPATCHER)
    assert case.handle_clock(2).due_at == utc("2026-11-24 03:00")
    assert case.handle_clock(1).due_at == DUE


def day_off(case: TimedCase, day: str) -> None:
    off = CalendarDay(day=utc(f"{day} 00:00").date(), workday=False, name_zh="停工", name_en="storm", source="a test")
    calendar = msgspec.structs.replace(CALENDAR, days=(*CALENDAR.days, off))
    case.library = case.library.with_document("calendar", CITY, 2, calendar)


def day_off_taken_back(case: TimedCase) -> None:
    case.library = case.library.with_document("calendar", CITY, 3, CALENDAR)


def test_a_new_calendar_moves_the_clocks_that_run_and_says_from_where() -> None:
    case = TimedCase(OPENED)
    case.done("2026-11-23 01:10", sign(1), department(URBAN))
    case.done("2026-11-23 01:10", waive(3), LEADER)
    day_off(case, "2026-11-24")
    [event] = case.done("2026-11-23 01:20", RECOMPUTE)
    assert isinstance(event, ClocksRecomputed)
    assert (event.calendar_version, event.policy_version) == (2, 1)
    assert [(moved.leg, moved.clock.stage, moved.due_was, moved.clock.due_at) for moved in event.moved] == [
        (1, "handle", DUE, utc("2026-11-25 01:00")),
        (2, "handle", DUE, utc("2026-11-25 01:00")),
    ]
    assert {moved.clock.original_due_at for moved in event.moved} == {DUE}
    assert case.known.calendar_version == 2
    assert case.handle_clock(2).calendar_version == 2


def test_recomputing_is_answered_where_nothing_moves_so_that_nobody_asks_again() -> None:
    case = closed()
    case.library = case.library.with_document("calendar", CITY, 2, CALENDAR)
    events = case.when(RECOMPUTE)
    assert isinstance(events, list)
    [event] = events
    assert isinstance(event, ClocksRecomputed)
    assert event.moved == ()
    assert case.known.calendar_version == 2
    assert case.stage == "closed"


def test_a_deadline_that_a_new_calendar_moves_can_pass_once_more_but_the_first_time_stays() -> None:
    case = all_signed()
    case.fired_until("2026-11-24 01:00")
    day_off(case, "2026-11-24")
    case.done("2026-11-24 02:00", RECOMPUTE)
    assert told(case.fired()) == [("handle", 100, 1), ("handle", 100, 2), ("handle", 100, 3)]
    assert case.leg(1).overdue_at == DUE


def test_a_limit_passes_once_where_a_calendar_was_published_by_mistake_and_is_corrected() -> None:
    case = all_signed()
    case.fired_until("2026-11-24 01:00")
    day_off(case, "2026-11-24")
    case.done("2026-11-24 02:00", RECOMPUTE)
    assert case.handle_clock(2).passed == (DUE,)
    day_off_taken_back(case)
    case.done("2026-11-24 03:00", RECOMPUTE)
    assert [case.handle_clock(leg).due_at for leg in (1, 2, 3)] == [DUE] * 3
    assert wakes(case.known) == ()
    [late] = case.done("2026-11-24 03:10", feed_back(2), department(MARKET))
    assert isinstance(late, LegFedBack)


def test_whatever_moves_a_clock_it_remembers_the_deadline_that_it_passed() -> None:
    """The extension was asked for in time and granted late."""
    case = all_signed()
    case.done("2026-11-24 00:50", ask_extension(2), department(MARKET))
    case.fired_until("2026-11-24 01:00")
    case.done("2026-11-24 01:10", decide_extension(2), DUTY_LEADER)
    assert case.handle_clock(2).passed == (DUE,)
    assert [case.handle_clock(leg).passed for leg in (1, 3)] == [(), ()]


def test_a_clock_that_moved_warns_again_only_where_its_new_instants_lie_ahead() -> None:
    case = all_signed()
    case.fired_until("2026-11-23 09:24")
    case.done("2026-11-23 09:30", ask_extension(2), department(MARKET))
    case.done("2026-11-23 09:40", decide_extension(2), DUTY_LEADER)
    # Sixteen hours: half of them on Tuesday at nine, four fifths (12 h 48 min) on Tuesday at 15:48.
    assert told(case.fired()) == [("handle", 100, 1), ("handle", 50, 2), ("handle", 100, 3)]
    assert wakes(case.known)[0].due_at == utc("2026-11-24 07:48")


def test_a_suspended_leg_stands_still_while_the_others_run() -> None:
    case = all_signed()
    case.done("2026-11-23 01:10", ask_suspension(2, utc("2026-11-26 00:00")), department(MARKET))
    case.done("2026-11-23 01:20", endorse(2), DISPATCHER)
    case.done("2026-11-23 01:30", decide_suspension(2), LEADER)
    assert told(case.fired()) == [("handle", 50, 1), ("handle", 50, 3)]
    day_off(case, "2026-11-24")
    [event] = case.done("2026-11-23 08:00", RECOMPUTE)
    assert isinstance(event, ClocksRecomputed)
    assert [moved.leg for moved in event.moved] == [1, 3]
