"""What a department is told of its leg: until when, why, and what it must expect of it."""

import msgspec

from shared.contracts.reference import CalendarDay
from tests.support.adjusting import (
    DUE,
    OPENED,
    RECOMPUTE,
    TimedCase,
    add_legs,
    all_signed,
    ask_extension,
    ask_suspension,
    decide_extension,
    decide_suspension,
    endorse,
    fire,
    resume,
    utc,
)
from tests.support.cases import (
    CALENDAR,
    CITY,
    DISPATCHER,
    DUTY_LEADER,
    FIRE,
    LEADER,
    MARKET,
    POLICE,
    SYSTEM,
    URBAN,
    department,
    opened,
    sign,
)
from tests.support.ends import (
    INSPECTOR,
    MASTER_ID,
    merged,
    supervise,
    unmerge,
)
from tests.support.heard import first, told
from tests.support.lawful import claim, order, ordered, reinspect


def test_a_task_carries_the_revision_that_the_next_act_must_expect() -> None:
    assert first(told(opened(), (sign(2), department(MARKET))), MARKET).revision == 2


def test_a_task_names_its_case_by_the_number_that_people_see() -> None:
    case = opened()
    numbered = msgspec.structs.replace(case.known.opened, number="220281-JE-20261123-000123")
    case.state = msgspec.structs.replace(case.known, opened=numbered)
    assert first(told(case, (sign(2), department(MARKET))), MARKET).case_number == "220281-JE-20261123-000123"


def test_a_task_of_a_case_without_a_number_has_none() -> None:
    assert first(told(opened(), (sign(2), department(MARKET))), MARKET).case_number is None


def test_a_task_says_until_when_it_is_to_be_signed_and_handled() -> None:
    case = TimedCase(OPENED)
    signing = told(case, (sign(2), department(MARKET)))
    assert (signing[0].due_at, signing[0].sign_by) == (DUE, None)
    added = told(case, (add_legs(POLICE), DISPATCHER))
    assert (added[0].due_at, added[0].sign_by) == (utc("2026-11-24 01:02"), utc("2026-11-23 02:02"))


def test_an_extended_leg_is_told_its_new_deadline_and_why() -> None:
    case = all_signed()
    case.done("2026-11-23 02:00", ask_extension(2), department(MARKET))
    task = first(told(case, (decide_extension(2), DUTY_LEADER)), MARKET)
    assert (task.change, task.due_at, task.reason) == ("extended", utc("2026-11-25 01:00"), "seen on site")


def test_a_suspended_leg_has_no_deadline_until_it_goes_on() -> None:
    until = utc("2027-03-01 00:00")
    case = all_signed()
    case.done("2026-11-23 02:00", ask_suspension(2, until), department(MARKET))
    case.done("2026-11-23 02:10", endorse(2), DISPATCHER)
    case.now = utc("2026-11-23 02:59")
    resting = first(told(case, (decide_suspension(2), LEADER)), MARKET)
    assert (resting.due_at, resting.until, resting.reason) == (None, until, "tear it down")
    case.now = utc("2026-11-23 05:59")
    going_on = first(told(case, (resume(2), department(MARKET))), MARKET)
    # Suspended from 11:00 to 14:00 local time: one working hour before noon moves the deadline by one.
    assert (going_on.due_at, going_on.until) == (utc("2026-11-24 02:00"), None)


def test_an_order_says_until_when_its_party_has_time_and_then_until_when_to_look_again() -> None:
    case = all_signed()
    case.now = utc("2026-11-23 01:59")
    task = first(told(case, (order(2), department(MARKET))), MARKET)
    assert (task.rectify_by, task.reinspect_by, task.reason) == (utc("2026-11-25 16:00"), None, "2026-118")
    case.now = utc("2026-11-24 01:59")
    task = first(told(case, (claim(2), department(MARKET))), MARKET)
    assert (task.rectify_by, task.reinspect_by) == (None, utc("2026-11-27 16:00"))
    assert task.reason == "the stairs are clear"
    task = first(told(case, (reinspect(2), department(MARKET))), MARKET)
    assert (task.rectify_by, task.reinspect_by, task.reason) == (None, None, "seen on site")


def test_a_limit_that_ended_is_told_with_the_re_inspection_that_it_begins() -> None:
    case = ordered()
    case.fired_until("2026-11-25 15:59")
    case.now = utc("2026-11-25 15:59")
    tasks = [task for task in told(case, (fire(utc("2026-11-25 16:00")), SYSTEM)) if task.unit == MARKET]
    assert [(task.change, task.stage, task.percent, task.reinspect_by) for task in tasks] == [
        ("breached", "rectification", 100, None),
        ("rectification_expired", None, None, utc("2026-11-30 16:00")),
    ]


def test_warnings_and_breaches_name_their_clock() -> None:
    tasks = told(all_signed(), (fire(DUE), SYSTEM))
    of_market = [(task.change, task.stage, task.percent, task.due_at) for task in tasks if task.unit == MARKET]
    assert of_market == [
        ("warned", "handle", 50, DUE),
        ("warned", "handle", 80, DUE),
        ("breached", "handle", 100, DUE),
    ]


def test_a_supervision_says_until_when_it_wants_an_answer() -> None:
    by = utc("2026-12-01 00:00")
    task = first(told(opened(), (supervise(reply_by=by), INSPECTOR)), MARKET)
    assert (task.until, task.reason) == (by, "important")


def test_a_merged_case_names_the_one_that_carries_it() -> None:
    assert first(told(merged(), (unmerge(), DUTY_LEADER)), FIRE).master == MASTER_ID


def test_a_leg_whose_deadline_follows_a_new_calendar_hears_it_once() -> None:
    case = TimedCase(OPENED)
    storm = CalendarDay(day=DUE.date(), workday=False, name_zh="停工", name_en="storm", source="a test")
    calendar = msgspec.structs.replace(CALENDAR, days=(*CALENDAR.days, storm))
    case.library = case.library.with_document("calendar", CITY, 2, calendar)
    tasks = told(case, (RECOMPUTE, SYSTEM))
    assert [(task.unit, task.change) for task in tasks] == [
        (URBAN, "recomputed"),
        (MARKET, "recomputed"),
        (FIRE, "recomputed"),
    ]
    assert first(tasks, MARKET).due_at == utc("2026-11-25 01:00")
