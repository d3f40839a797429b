"""A small calendar and working hours, 08:00-12:00 and 14:00-18:00 all year, and instants as people write them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from shared.contracts.reference import (
    Calendar,
    CalendarDay,
    FixedHoliday,
    Limit,
    LimitPolicy,
    LimitUnit,
    Season,
    Slot,
)

LOCAL: Final = timezone(timedelta(hours=8))
SLOTS: Final = (Slot(start="08:00", end="12:00"), Slot(start="14:00", end="18:00"))
ALL_YEAR: Final = Season(starts_on="01-01", name_zh="全年", name_en="all year", slots=SLOTS)
NEW_YEAR: Final = FixedHoliday(day="01-01", name_zh="元旦", name_en="New Year's Day")


def local(text: str) -> datetime:
    """Return the instant (UTC) of a local time: `2026-09-18 17:00`; 24:00 is the end of the day."""
    day, _, time = text.partition(" ")
    if time == "24:00":
        return local(f"{day} 00:00") + timedelta(days=1)
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL).astimezone(UTC)


def limit(amount: int, unit: LimitUnit) -> Limit:
    """Return a limit."""
    return Limit(amount=amount, unit=unit)


def day_off(day: str, name_zh: str = "国庆节", name_en: str = "National Day") -> CalendarDay:
    """Return a day on which nobody works."""
    return CalendarDay(
        day=date.fromisoformat(day), workday=False, name_zh=name_zh, name_en=name_en, source="written by hand"
    )


def make_up_day(day: str, name_zh: str = "国庆节调休", name_en: str = "make-up day for National Day") -> CalendarDay:
    """Return a day of a weekend on which people work."""
    return CalendarDay(
        day=date.fromisoformat(day), workday=True, name_zh=name_zh, name_en=name_en, source="written by hand"
    )


def calendar(*days: CalendarDay, city: str = "jiaohe", first_year: int = 2026, last_year: int = 2026) -> Calendar:
    """Return a calendar that knows these days."""
    return Calendar(city=city, first_year=first_year, last_year=last_year, days=days, fixed_holidays=(NEW_YEAR,))


def hours(*seasons: Season, city: str = "jiaohe", stage: Limit | None = None) -> LimitPolicy:
    """Return working hours in which every stage has the same limit, one working hour where none is given."""
    each = stage or limit(1, "working_hour")
    return LimitPolicy(
        city=city,
        seasons=seasons or (ALL_YEAR,),
        accept=each,
        file=each,
        verify=each,
        dispatch=each,
        sign=each,
        check=each,
    )


def season(starts_on: str, *slots: tuple[str, str]) -> Season:
    """Return a season with these slots."""
    return Season(
        starts_on=starts_on,
        name_zh=starts_on,
        name_en=starts_on,
        slots=tuple(Slot(start=start, end=end) for start, end in slots),
    )


def days_off(first: int, last: int, month: str) -> Sequence[CalendarDay]:
    """Return the days off between two days of a month."""
    return [day_off(f"{month}-{day:02}") for day in range(first, last + 1)]


CALENDAR: Final = calendar(
    make_up_day("2026-09-20"), *days_off(1, 7, "2026-10"), make_up_day("2026-10-10"), first_year=2020
)
HOURS: Final = hours()
