"""The slow way: walk from minute to minute and count those that count. Nothing of it is shared with what it checks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Final

import chinese_calendar

LOCAL: Final = timezone(timedelta(hours=8))
MINUTES_OF_DAY: Final = 1440
LAST_KNOWN_YEAR: Final = 2026
HOLIDAYS_OF_EVERY_YEAR: Final = {(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)}

Span = tuple[datetime, datetime]
"""From and until; all times here are local, at whole minutes."""


@dataclass(frozen=True, kw_only=True)
class Hours:
    """Seasons as (month, day) of their begin and their slots as minutes of the day."""

    seasons: tuple[tuple[tuple[int, int], tuple[tuple[int, int], ...]], ...]

    def minutes(self, day: date) -> list[bool]:
        """Tell of every minute of a working day whether it is working time."""
        slots = self.seasons[-1][1]
        for begin, own in self.seasons:
            if (day.month, day.day) >= begin:
                slots = own
        return _mask(slots)


@lru_cache(maxsize=64)
def _mask(slots: tuple[tuple[int, int], ...]) -> list[bool]:
    return [any(begin <= minute < end for begin, end in slots) for minute in range(MINUTES_OF_DAY)]


def is_workday(day: date) -> bool:
    """Ask the library about the years that it knows, and the week about later ones."""
    if day.year <= LAST_KNOWN_YEAR:
        return bool(chinese_calendar.is_workday(day))
    return day.weekday() < 5 and (day.month, day.day) not in HOLIDAYS_OF_EVERY_YEAR


def counting_minutes(day: date, unit: str, start: datetime, hours: Hours, pauses: Sequence[Span]) -> list[bool]:
    """Tell of every minute of a day whether the unit counts it, after the start and outside the pauses."""
    midnight, next_midnight = midnight_of(day), midnight_of(day + timedelta(days=1))
    if unit == "statutory_working_day":
        stood_still = any(begin < next_midnight and end > midnight and begin < end for begin, end in pauses)
        return [day > start.date() and is_workday(day) and not stood_still] * MINUTES_OF_DAY
    if unit in {"working_hour", "working_day"}:
        minutes = list(hours.minutes(day)) if is_workday(day) else [False] * MINUTES_OF_DAY
    else:
        minutes = [True] * MINUTES_OF_DAY
    for begin, end in [*pauses, (midnight, start)]:
        first, last = _minutes(max(begin, midnight) - midnight), _minutes(min(end, next_midnight) - midnight)
        for minute in range(first, last):
            minutes[minute] = False
    return minutes


def walk(start: datetime, needed: int, unit: str, hours: Hours, pauses: Sequence[Span]) -> datetime:
    """Return the end of the minute in which the last needed minute was counted."""
    day = start.date()
    while (whole := sum(minutes := counting_minutes(day, unit, start, hours, pauses))) < needed:
        needed -= whole
        day += timedelta(days=1)
    for minute, counts in enumerate(minutes):
        needed -= counts
        if needed == 0:
            return midnight_of(day) + timedelta(minutes=minute + 1)
    raise AssertionError("The day has as many minutes as were needed.")


def counted(start: datetime, until: datetime, unit: str, hours: Hours, pauses: Sequence[Span]) -> int:
    """Return how many minutes counted from start until then."""
    day, found = start.date(), 0
    while midnight_of(day) < until:
        minutes = counting_minutes(day, unit, start, hours, pauses)
        found += sum(minutes[: _minutes(until - midnight_of(day))])
        day += timedelta(days=1)
    return found


def midnight_of(day: date) -> datetime:
    """Return the beginning of a local day."""
    return datetime.combine(day, time(), LOCAL)


def _minutes(duration: timedelta) -> int:
    return duration // timedelta(minutes=1)
