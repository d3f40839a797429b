"""Clocks: what they hold when they start, and what stays and what moves when they are computed again."""

from datetime import timedelta

from msgspec.structs import replace

from shared.contracts.clocks import Clock, Pause
from shared.deadlines.clocks import moved_clock, start_clock
from shared.deadlines.deadline import remaining
from shared.deadlines.working_time import WorkingTime
from tests.support.working_hours import CALENDAR, HOURS, calendar, day_off, days_off, limit, local, make_up_day

WORKING_TIME = WorkingTime.of(CALENDAR, HOURS)
TUESDAY = local("2026-11-24 10:00")
TWO_DAYS = limit(2, "working_day")


def started(at: str = "2026-11-24 10:00") -> Clock:
    return start_clock("handle", TWO_DAYS, local(at), WORKING_TIME, 3, 2)


def test_a_clock_holds_its_instants_its_warnings_and_the_versions_that_it_rests_on() -> None:
    assert started() == Clock(
        stage="handle",
        limit=TWO_DAYS,
        started_at=TUESDAY,
        original_due_at=local("2026-11-26 10:00"),
        due_at=local("2026-11-26 10:00"),
        warn_at=(local("2026-11-25 10:00"), local("2026-11-25 16:48")),
        calendar_version=3,
        policy_version=2,
    )


def test_a_pause_and_an_extension_move_the_deadline_and_the_warnings_but_never_the_original() -> None:
    """4 working days from Tuesday 10:00, with Wednesday 10:00 to 15:00 left out: 3 working hours."""
    pause = Pause(started_at=local("2026-11-25 10:00"), ended_at=local("2026-11-25 15:00"))
    moved = moved_clock(started(), WORKING_TIME, 3, 2, pauses=[pause], extensions=1)
    assert moved == replace(
        started(),
        due_at=local("2026-11-30 15:00"),
        warn_at=(local("2026-11-26 15:00"), local("2026-11-27 16:36")),
        pauses=(pause,),
        extensions=1,
    )


def test_a_published_year_moves_a_provisional_clock_and_settles_it() -> None:
    """40 hours from 28 December reach over the new year; its notice makes Monday the 4th a day off."""
    five_days = start_clock("handle", limit(5, "working_day"), local("2026-12-28 09:00"), WORKING_TIME, 3, 2)
    assert (five_days.due_at, five_days.provisional) == (local("2027-01-05 09:00"), True)
    published = calendar(
        *CALENDAR.days, *days_off(1, 3, "2027-01"), day_off("2027-01-04"), first_year=2020, last_year=2027
    )
    settled = moved_clock(five_days, WorkingTime.of(published, HOURS), 4, 2)
    assert (settled.due_at, settled.provisional) == (local("2027-01-06 09:00"), False)
    assert settled.original_due_at == local("2027-01-05 09:00")
    assert (settled.calendar_version, settled.policy_version) == (4, 2)


def test_a_make_up_day_that_is_published_later_brings_a_deadline_nearer() -> None:
    friday = started("2026-11-27 10:00")
    assert friday.due_at == local("2026-12-01 10:00")
    published = calendar(*CALENDAR.days, make_up_day("2026-11-28"), first_year=2020)
    assert moved_clock(friday, WorkingTime.of(published, HOURS), 4, 2).due_at == local("2026-11-30 10:00")


def test_what_must_be_done_at_once_is_due_and_warned_of_at_its_start_and_no_extension_moves_it() -> None:
    at_once = start_clock("handle", limit(0, "at_once"), TUESDAY, WORKING_TIME, 3, 2)
    assert (at_once.due_at, at_once.warn_at, at_once.provisional) == (TUESDAY, (TUESDAY, TUESDAY), False)
    assert moved_clock(at_once, WORKING_TIME, 3, 2, extensions=2).due_at == TUESDAY


def test_what_is_left_is_counted_in_the_time_of_the_unit() -> None:
    clock = started()
    assert remaining(clock, TUESDAY, WORKING_TIME) == timedelta(hours=16)
    assert remaining(clock, local("2026-11-24 22:00"), WORKING_TIME) == timedelta(hours=10)
    assert remaining(clock, clock.due_at, WORKING_TIME) == timedelta(0)


def test_what_is_overdue_has_negative_time_left() -> None:
    assert remaining(started(), local("2026-11-27 09:00"), WORKING_TIME) == -timedelta(hours=7)
    at_once = start_clock("handle", limit(0, "at_once"), TUESDAY, WORKING_TIME, 3, 2)
    assert remaining(at_once, local("2026-11-24 10:30"), WORKING_TIME) == -timedelta(minutes=30)


def test_nothing_of_a_limit_is_used_while_its_clock_stands_still() -> None:
    pause = Pause(started_at=local("2026-11-24 11:00"), ended_at=local("2026-11-25 11:00"))
    moved = moved_clock(started(), WORKING_TIME, 3, 2, pauses=[pause])
    for instant in ("2026-11-24 11:00", "2026-11-24 17:00", "2026-11-25 11:00"):
        assert remaining(moved, local(instant), WORKING_TIME) == timedelta(hours=15)
