"""What a calendar, a limit policy and every limit must keep to beyond their schema: deadlines rest on it."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

from services.dispatch.domain.document_errors import duplicates, error
from shared.contracts.reference import Calendar, Limit, LimitPolicy, Season, Slot
from shared.kernel.errors import FieldError

_FIRST_YEAR: Final = 1949
_LAST_YEAR: Final = 2999
_LARGEST_AMOUNT: Final = 1000
_STAGES: Final = ("accept", "file", "verify", "dispatch", "sign", "check", "reinspection")
_LEAP_YEAR: Final = 2024


def check_calendar(calendar: Calendar, in_force: Calendar | None) -> Iterator[FieldError]:
    """Name what is wrong with a calendar that follows the one in force.

    It may not begin later: clocks that run since then could not be computed any more.
    """
    if not _FIRST_YEAR <= calendar.first_year <= calendar.last_year <= _LAST_YEAR:
        message = f"The years run from {_FIRST_YEAR} at the earliest to {_LAST_YEAR}, the first not after the last."
        yield error("first_year", "bad_years", message)
        return
    if in_force is not None and calendar.first_year > in_force.first_year:
        message = f"The calendar in force begins with {in_force.first_year}; clocks may rest on it."
        yield error("first_year", "years_lost", message)
    for index, entry in enumerate(calendar.days):
        if not calendar.first_year <= entry.day.year <= calendar.last_year:
            message = f"{entry.day} is not in the years {calendar.first_year} to {calendar.last_year}."
            yield error(f"days.{index}.day", "outside_years", message)
    yield from _order([entry.day.isoformat() for entry in calendar.days], "days", "day")
    yield from duplicates("fixed_holidays", "day", [holiday.day for holiday in calendar.fixed_holidays])
    for index, holiday in enumerate(calendar.fixed_holidays):
        yield from _day_of_year(holiday.day, f"fixed_holidays.{index}.day")


def check_limit_policy(policy: LimitPolicy) -> Iterator[FieldError]:
    """Name what is wrong with working hours and limits of stages."""
    if not policy.seasons:
        yield error("seasons", "no_season", "There is a season at least, or nobody ever works.")
    yield from _order([season.starts_on for season in policy.seasons], "seasons", "starts_on")
    for index, season in enumerate(policy.seasons):
        yield from _season(season, f"seasons.{index}")
    for stage in _STAGES:
        yield from check_limit(getattr(policy, stage), stage)


def check_limit(limit: Limit, path: str) -> Iterator[FieldError]:
    """Name what is wrong with the limit at this path."""
    possible = limit.amount == 0 if limit.unit == "at_once" else 0 < limit.amount <= _LARGEST_AMOUNT
    if not possible:
        message = f"A limit is 1 to {_LARGEST_AMOUNT} of its unit, and 0 for at_once."
        yield error(f"{path}.amount", "bad_amount", message)


def _season(season: Season, path: str) -> Iterator[FieldError]:
    yield from _day_of_year(season.starts_on, f"{path}.starts_on")
    if not season.slots:
        yield error(f"{path}.slots", "no_slot", "There is a slot at least, or nobody works in this season.")
    for index, slot in enumerate(season.slots):
        if slot.start >= slot.end:
            yield error(f"{path}.slots.{index}", "reversed_slot", f"{_text(slot)} ends before it has begun.")
    for index, (earlier, later) in enumerate(pairwise(season.slots), start=1):
        if later.start < earlier.end:
            message = f"{_text(later)} begins before {_text(earlier)} has ended."
            yield error(f"{path}.slots.{index}", "overlapping_slots", message)


def _order(days: Sequence[str], path: str, field: str) -> Iterator[FieldError]:
    yield from duplicates(path, field, days)
    for index, (earlier, later) in enumerate(pairwise(days), start=1):
        if later < earlier:
            yield error(f"{path}.{index}.{field}", "unsorted", f"{later} stands after {earlier}.")


def _day_of_year(day: str, path: str) -> Iterator[FieldError]:
    """A day that leap years alone have is one too."""
    try:
        date.fromisoformat(f"{_LEAP_YEAR}-{day}")
    except ValueError:
        yield error(path, "no_such_day", f"No year has a {day}.")


def _text(slot: Slot) -> str:
    return f"{slot.start}-{slot.end}"
