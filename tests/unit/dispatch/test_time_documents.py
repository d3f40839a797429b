"""Publishing calendars and limit policies, and everything that they may get wrong."""

from datetime import date

import chinese_calendar
import pytest
from msgspec.structs import replace

from services.dispatch import seed
from services.dispatch.domain.reference_checks import check_document
from services.dispatch.seed.files import DATA
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Calendar, FixedHoliday, LimitPolicy, Season
from shared.deadlines.deadline import deadline
from shared.deadlines.working_time import WorkingTime
from shared.kernel.errors import Refusal
from tests.support import calendar_file
from tests.support.reference import CITY, errors_of, publish
from tests.support.working_hours import calendar, day_off, hours, limit, local, make_up_day, season

A_CALENDAR = calendar(day_off("2026-10-01"), make_up_day("2026-10-10"), city=CITY)
SOME_HOURS = hours(
    season("05-01", ("08:00", "12:00"), ("14:00", "18:00")), season("10-01", ("08:30", "16:30")), city=CITY
)


def error_of_calendar(document: Calendar) -> tuple[str, str]:
    (found,) = errors_of(document, "calendar")
    return found


def error_of_policy(document: LimitPolicy) -> tuple[str, str]:
    (found,) = errors_of(document, "limit_policy")
    return found


def with_days(*days: str) -> Calendar:
    return replace(A_CALENDAR, days=tuple(day_off(day) for day in days))


def with_seasons(*seasons: Season) -> LimitPolicy:
    return replace(SOME_HOURS, seasons=seasons)


def test_a_calendar_and_a_limit_policy_are_published() -> None:
    for outcome in (publish(A_CALENDAR, kind="calendar"), publish(SOME_HOURS, kind="limit_policy")):
        assert not isinstance(outcome, Refusal), outcome
        assert [event.version for event in outcome] == [1]


def test_a_local_day_off_and_a_disaster_day_are_published_and_move_deadlines() -> None:
    typhoon = day_off("2026-08-05", "防汛停工", "work stopped for the flood")
    festival = day_off("2026-08-06", "县庆", "county day")
    extended = replace(A_CALENDAR, days=(typhoon, festival, *A_CALENDAR.days))
    assert not isinstance(publish(extended, kind="calendar"), Refusal)
    start, two_hours = local("2026-08-04 17:00"), limit(2, "working_hour")
    before = deadline(start, two_hours, WorkingTime.of(A_CALENDAR, SOME_HOURS))
    after = deadline(start, two_hours, WorkingTime.of(extended, SOME_HOURS))
    assert before.due_at == local("2026-08-05 09:00")
    assert after.due_at == local("2026-08-07 09:00")


@pytest.mark.parametrize(
    "document, path, code",
    [
        (replace(A_CALENDAR, city="elsewhere"), "city", "other_name"),
        (replace(A_CALENDAR, first_year=2027), "first_year", "bad_years"),
        (replace(A_CALENDAR, first_year=1900), "first_year", "bad_years"),
        (replace(A_CALENDAR, last_year=9999), "first_year", "bad_years"),
        (with_days("2026-10-01", "2027-01-01"), "days.1.day", "outside_years"),
        (with_days("2025-12-31", "2026-10-01"), "days.0.day", "outside_years"),
        (with_days("2026-10-02", "2026-10-01"), "days.1.day", "unsorted"),
        (with_days("2026-10-01", "2026-10-01"), "days.1.day", "duplicate"),
        (
            replace(A_CALENDAR, fixed_holidays=(FixedHoliday(day="02-30", name_zh="无", name_en="none"),)),
            "fixed_holidays.0.day",
            "no_such_day",
        ),
        (
            replace(A_CALENDAR, fixed_holidays=A_CALENDAR.fixed_holidays * 2),
            "fixed_holidays.1.day",
            "duplicate",
        ),
    ],
)
def test_what_is_wrong_with_a_calendar_is_named_with_its_path(document: Calendar, path: str, code: str) -> None:
    assert error_of_calendar(document) == (path, code)


def test_a_calendar_that_begins_later_than_the_one_in_force_would_leave_clocks_without_days() -> None:
    library = ReferenceLibrary().with_document("calendar", CITY, 1, replace(A_CALENDAR, first_year=2025))
    (error,) = check_document(A_CALENDAR, name=CITY, city=CITY, library=library)
    assert (error.field, error.code) == ("first_year", "years_lost")


@pytest.mark.parametrize(
    "document, path, code",
    [
        (replace(SOME_HOURS, city="elsewhere"), "city", "other_name"),
        (with_seasons(), "seasons", "no_season"),
        (with_seasons(season("02-30", ("08:00", "12:00"))), "seasons.0.starts_on", "no_such_day"),
        (with_seasons(*reversed(SOME_HOURS.seasons)), "seasons.1.starts_on", "unsorted"),
        (with_seasons(*SOME_HOURS.seasons[:1] * 2), "seasons.1.starts_on", "duplicate"),
        (with_seasons(season("01-01")), "seasons.0.slots", "no_slot"),
        (with_seasons(season("01-01", ("12:00", "08:00"))), "seasons.0.slots.0", "reversed_slot"),
        (with_seasons(season("01-01", ("12:00", "12:00"))), "seasons.0.slots.0", "reversed_slot"),
        (
            with_seasons(season("01-01", ("08:00", "12:00"), ("11:00", "18:00"))),
            "seasons.0.slots.1",
            "overlapping_slots",
        ),
        (replace(SOME_HOURS, sign=limit(0, "working_hour")), "sign.amount", "bad_amount"),
        (replace(SOME_HOURS, check=limit(-1, "working_day")), "check.amount", "bad_amount"),
        (replace(SOME_HOURS, accept=limit(1, "at_once")), "accept.amount", "bad_amount"),
        (replace(SOME_HOURS, verify=limit(1001, "urgent_day")), "verify.amount", "bad_amount"),
    ],
)
def test_what_is_wrong_with_a_limit_policy_is_named_with_its_path(document: LimitPolicy, path: str, code: str) -> None:
    assert error_of_policy(document) == (path, code)


def test_slots_that_touch_and_a_season_that_begins_on_a_leap_day_are_fine() -> None:
    document = with_seasons(season("02-29", ("08:00", "12:00"), ("12:00", "18:00")))
    assert not isinstance(publish(document, kind="limit_policy"), Refusal)


# ------------------------------------------------------------------------------------------------- what is seeded


def test_the_seeded_days_are_those_of_the_library_from_2004_to_2026() -> None:
    """The file is read at run time, the library is not: every single day is compared, by its work and by its name."""
    seeded = seed.calendar()
    assert (seeded.first_year, seeded.last_year) == (2004, 2026)
    listed = {entry.day: entry for entry in seeded.days}
    for day in calendar_file.every_day():
        off, name = chinese_calendar.get_holiday_detail(day)
        entry = listed.get(day)
        works = entry.workday if entry else day.weekday() < 5
        assert works == chinese_calendar.is_workday(day) == (not off), day
        assert (entry.name_en.removeprefix("make-up day for ") if entry else None) == name, day
    assert len(list(calendar_file.every_day())) == 8401


def test_the_table_of_days_is_what_its_maker_writes() -> None:
    path = DATA / "calendar-jiaohe.csv"
    assert path.read_text(encoding="utf-8") == calendar_file.table()


def test_the_make_up_days_and_days_off_of_2026_are_those_of_the_notice() -> None:
    """As they stand in domain section 6, written by hand."""
    of_2026 = [entry for entry in seed.calendar().days if entry.day.year == 2026]
    working = ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]
    off = [("01", 1, 3), ("02", 15, 23), ("04", 4, 6), ("05", 1, 5), ("06", 19, 21), ("09", 25, 27), ("10", 1, 7)]
    assert [f"{entry.day:%m-%d}" for entry in of_2026 if entry.workday] == working
    assert [entry.day for entry in of_2026 if not entry.workday] == [
        date(2026, int(month), day) for month, first, last in off for day in range(first, last + 1)
    ]


def test_the_seeded_policy_has_two_seasons_and_a_limit_for_every_stage() -> None:
    policy = seed.limit_policy()
    assert [entry.starts_on for entry in policy.seasons] == ["05-01", "10-01"]
    assert (policy.sign, policy.check) == (limit(1, "working_hour"), limit(4, "working_hour"))
