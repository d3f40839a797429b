"""The table of domain section 6, every cell, and the other rules of a limit, with the seeded calendar and hours."""

import pytest

from services.dispatch import seed
from shared.contracts.clocks import Pause
from shared.contracts.reference import LimitUnit
from shared.deadlines.deadline import deadline
from shared.deadlines.working_time import BeforeCalendar, BeyondCalendar, WorkingTime, working_time_of
from tests.support.working_hours import HOURS, calendar, hours, limit, local, season

CITY = WorkingTime.of(seed.calendar(), seed.limit_policy())

SEPTEMBER = "2026-09-18 17:00"  # Friday; the Sunday after is a make-up day
BEFORE_NATIONAL_DAY = "2026-09-30 16:00"  # Wednesday
EVENING = "2026-09-30 19:30"
HOLIDAY = "2026-10-01 23:30"
BEFORE_SPRING_FESTIVAL = "2026-02-13 17:30"  # Friday; the Saturday after is a make-up day
MAY = "2026-05-08 15:00"  # Friday; the Saturday after is a make-up day
YEARS_END = "2026-12-28 09:00"  # Monday

TABLE = [
    (SEPTEMBER, 2, "urgent_hour", "2026-09-18 19:00"),
    (SEPTEMBER, 2, "working_hour", "2026-09-20 09:00"),
    (SEPTEMBER, 4, "working_hour", "2026-09-20 11:00"),
    (SEPTEMBER, 1, "working_day", "2026-09-20 17:00"),
    (SEPTEMBER, 5, "working_day", "2026-09-24 17:00"),
    (SEPTEMBER, 3, "statutory_working_day", "2026-09-22 24:00"),
    (BEFORE_NATIONAL_DAY, 2, "urgent_hour", "2026-09-30 18:00"),
    (BEFORE_NATIONAL_DAY, 2, "working_hour", "2026-09-30 18:00"),
    (BEFORE_NATIONAL_DAY, 4, "working_hour", "2026-10-08 10:00"),
    (BEFORE_NATIONAL_DAY, 1, "working_day", "2026-10-08 16:00"),
    (BEFORE_NATIONAL_DAY, 5, "working_day", "2026-10-13 16:00"),
    (BEFORE_NATIONAL_DAY, 3, "statutory_working_day", "2026-10-10 24:00"),
    (EVENING, 2, "urgent_hour", "2026-09-30 21:30"),
    (EVENING, 2, "working_hour", "2026-10-08 10:00"),
    (EVENING, 4, "working_hour", "2026-10-08 12:00"),
    (EVENING, 1, "working_day", "2026-10-08 18:00"),
    (EVENING, 5, "working_day", "2026-10-13 18:00"),
    (EVENING, 3, "statutory_working_day", "2026-10-10 24:00"),
    (HOLIDAY, 2, "urgent_hour", "2026-10-02 01:30"),
    (HOLIDAY, 2, "working_hour", "2026-10-08 10:00"),
    (HOLIDAY, 4, "working_hour", "2026-10-08 12:00"),
    (HOLIDAY, 1, "working_day", "2026-10-08 18:00"),
    (HOLIDAY, 5, "working_day", "2026-10-13 18:00"),
    (HOLIDAY, 3, "statutory_working_day", "2026-10-10 24:00"),
    (BEFORE_SPRING_FESTIVAL, 2, "urgent_hour", "2026-02-13 19:30"),
    (BEFORE_SPRING_FESTIVAL, 2, "working_hour", "2026-02-14 09:30"),
    (BEFORE_SPRING_FESTIVAL, 4, "working_hour", "2026-02-14 11:30"),
    (BEFORE_SPRING_FESTIVAL, 1, "working_day", "2026-02-14 17:30"),
    (BEFORE_SPRING_FESTIVAL, 5, "working_day", "2026-02-27 17:30"),
    (BEFORE_SPRING_FESTIVAL, 3, "statutory_working_day", "2026-02-25 24:00"),
    (MAY, 2, "urgent_hour", "2026-05-08 17:00"),
    (MAY, 2, "working_hour", "2026-05-08 17:00"),
    (MAY, 4, "working_hour", "2026-05-09 09:00"),
    (MAY, 1, "working_day", "2026-05-09 15:00"),
    (MAY, 5, "working_day", "2026-05-14 15:00"),
    (MAY, 3, "statutory_working_day", "2026-05-12 24:00"),
    (YEARS_END, 2, "urgent_hour", "2026-12-28 11:00"),
    (YEARS_END, 2, "working_hour", "2026-12-28 11:00"),
    (YEARS_END, 4, "working_hour", "2026-12-28 15:00"),
    (YEARS_END, 1, "working_day", "2026-12-29 09:00"),
    (YEARS_END, 3, "statutory_working_day", "2026-12-31 24:00"),
    # Units that the table does not have a column for.
    (SEPTEMBER, 2, "urgent_day", "2026-09-20 17:00"),
    (BEFORE_NATIONAL_DAY, 7, "natural_day", "2026-10-07 16:00"),
    (HOLIDAY, 0, "at_once", HOLIDAY),
]


@pytest.mark.parametrize("start, amount, unit, due", TABLE)
def test_a_limit_ends_when_the_table_of_the_field_says(start: str, amount: int, unit: LimitUnit, due: str) -> None:
    assert deadline(local(start), limit(amount, unit), CITY) == (local(due), False)


def test_five_working_days_across_the_unpublished_new_year_are_provisional() -> None:
    """By weekday and the fixed 1 January: 28 to 31 December make 31 hours, 4 January 8, the morning after the last."""
    found = deadline(local(YEARS_END), limit(5, "working_day"), CITY)
    assert found == (local("2027-01-05 09:00"), True)


@pytest.mark.parametrize("unit", ["urgent_hour", "urgent_day", "natural_day"])
def test_units_that_no_calendar_matters_to_are_never_provisional(unit: LimitUnit) -> None:
    assert not deadline(local("2031-01-31 23:00"), limit(9, unit), CITY).provisional


def test_a_limit_that_ends_exactly_at_the_end_of_a_slot_stays_there() -> None:
    assert deadline(local("2026-11-24 16:00"), limit(2, "working_hour"), CITY).due_at == local("2026-11-24 18:00")
    assert deadline(local("2026-11-24 08:00"), limit(4, "working_hour"), CITY).due_at == local("2026-11-24 12:00")
    assert deadline(local("2026-11-24 08:00"), limit(1, "working_day"), CITY).due_at == local("2026-11-24 18:00")


def test_one_that_ends_at_the_end_of_the_last_known_day_is_not_provisional() -> None:
    assert deadline(local("2026-12-31 10:00"), limit(6, "working_hour"), CITY) == (local("2026-12-31 18:00"), False)
    assert deadline(local("2026-12-31 10:01"), limit(6, "working_hour"), CITY).provisional


def test_nothing_is_rounded_to_seconds() -> None:
    start = local("2026-11-24 17:59:59.999999")
    assert deadline(start, limit(1, "working_hour"), CITY).due_at == local("2026-11-25 08:59:59.999999")


@pytest.mark.parametrize(
    "start, due",
    [
        ("2026-11-24 00:00", "2026-11-25 24:00"),
        ("2026-11-24 23:59", "2026-11-25 24:00"),
        ("2026-11-27 09:00", "2026-11-30 24:00"),
        ("2026-11-28 09:00", "2026-11-30 24:00"),
    ],
)
def test_the_first_day_of_a_statutory_limit_does_not_count_whatever_day_it_is(start: str, due: str) -> None:
    assert deadline(local(start), limit(1, "statutory_working_day"), CITY).due_at == local(due)


@pytest.mark.parametrize("share, due", [(50, "2026-11-24 16:00"), (80, "2026-11-25 08:24"), (100, "2026-11-25 10:00")])
def test_a_share_of_a_limit_ends_when_so_much_of_it_is_used(share: int, due: str) -> None:
    """8 hours from 10:00: 4 of them end at 16:00, 6 h 24 min at 08:24 of the next morning."""
    assert deadline(local("2026-11-24 10:00"), limit(1, "working_day"), CITY, share=share).due_at == local(due)


def test_an_extension_adds_the_same_limit_again() -> None:
    found = deadline(local("2026-11-24 10:00"), limit(1, "working_day"), CITY, extensions=2)
    assert found.due_at == local("2026-11-27 10:00")


def pause(start: str, end: str) -> Pause:
    return Pause(started_at=local(start), ended_at=local(end))


@pytest.mark.parametrize(
    "pauses, due",
    [
        ([pause("2026-11-24 11:00", "2026-11-24 15:00")], "2026-11-24 18:00"),
        ([pause("2026-11-24 12:30", "2026-11-24 13:30")], "2026-11-24 16:00"),
        ([pause("2026-11-24 11:00", "2026-11-28 10:00")], "2026-11-30 11:00"),
        ([pause("2026-11-23 09:00", "2026-11-24 11:00")], "2026-11-24 17:00"),
        ([pause("2026-11-24 16:00", "2026-11-25 18:00")], "2026-11-24 16:00"),
        (
            [pause("2026-11-24 10:30", "2026-11-24 11:00"), pause("2026-11-24 11:30", "2026-11-24 12:00")],
            "2026-11-24 17:00",
        ),
        (
            [pause("2026-11-24 10:30", "2026-11-24 11:30"), pause("2026-11-24 11:00", "2026-11-24 12:00")],
            "2026-11-24 17:30",
        ),
    ],
)
def test_a_pause_moves_a_deadline_by_the_working_time_that_it_covers(pauses: list[Pause], due: str) -> None:
    """4 working hours from Tuesday 10:00 would end at 16:00. Overlapping pauses count once."""
    found = deadline(local("2026-11-24 10:00"), limit(4, "working_hour"), CITY, pauses=pauses)
    assert found.due_at == local(due)


def test_a_pause_that_begins_exactly_when_the_limit_is_used_up_comes_too_late() -> None:
    found = deadline(
        local("2026-11-24 10:00"),
        limit(2, "working_hour"),
        CITY,
        pauses=[pause("2026-11-24 12:00", "2026-11-26 12:00")],
    )
    assert found.due_at == local("2026-11-24 12:00")


def test_days_on_which_a_statutory_limit_stood_still_at_all_do_not_count() -> None:
    """2 days from Friday: Monday and Tuesday; the clock stood still from Monday afternoon to Tuesday morning.

    A pause that was over at once is none.
    """
    stood_still = [pause("2026-11-23 15:00", "2026-11-24 09:00"), pause("2026-11-25 09:00", "2026-11-25 09:00")]
    found = deadline(local("2026-11-20 10:00"), limit(2, "statutory_working_day"), CITY, pauses=stood_still)
    assert found.due_at == local("2026-11-26 24:00")


def test_winter_hours_begin_on_their_day_and_last_over_the_new_year() -> None:
    winter = season("10-01", ("08:30", "11:30"), ("13:00", "16:00"))
    summer = season("05-01", ("08:00", "12:00"), ("14:00", "18:00"))
    seasonal = WorkingTime.of(calendar(first_year=2025), hours(summer, winter))
    assert deadline(local("2026-09-30 17:00"), limit(2, "working_hour"), seasonal).due_at == local("2026-10-01 09:30")
    assert deadline(local("2026-01-05 15:00"), limit(2, "working_hour"), seasonal).due_at == local("2026-01-06 09:30")
    assert deadline(local("2026-04-30 15:30"), limit(1, "working_hour"), seasonal).due_at == local("2026-05-01 08:30")


def test_a_start_before_the_calendar_is_refused_by_name() -> None:
    with pytest.raises(BeforeCalendar):
        deadline(local("2003-12-31 23:59"), limit(1, "working_hour"), CITY)
    assert deadline(local("2004-01-01 00:00"), limit(1, "working_hour"), CITY).due_at == local("2004-01-02 09:00")


def test_a_limit_that_ends_too_far_behind_the_calendar_is_refused_by_name() -> None:
    with pytest.raises(BeyondCalendar):
        deadline(local("2026-11-24 10:00"), limit(9000, "working_day"), CITY)
    with pytest.raises(BeyondCalendar):
        deadline(local("2080-11-24 10:00"), limit(1, "working_hour"), CITY)


def test_the_working_time_of_two_documents_is_computed_once() -> None:
    assert working_time_of(seed.calendar(), HOURS) is working_time_of(seed.calendar(), HOURS)
