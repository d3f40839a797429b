"""Does a rule of the power list fit a case: in force that day, at that place, for that target, at that time?"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from shared.contracts.common import CategoryCode, TargetType
from shared.contracts.dispatch import Verdict
from shared.contracts.reference import Calendar, LimitPolicy, PartOfYear, PowerRule, When
from shared.deadlines.working_time import LOCAL, BeforeCalendar, BeyondCalendar, working_time_of

_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What routing is asked about: a case, or what might be one. `at` is the instant that rules of time go by."""

    category: CategoryCode
    street: str | None
    community: str | None
    target_type: TargetType
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingHours:
    """The documents that say when the city works."""

    calendar: Calendar
    policy: LimitPolicy


def misfit(rule: PowerRule, matter: Matter, hours: WorkingHours | None) -> Verdict | None:
    """Return why the rule does not fit, or None when it does."""
    if not _in_force(rule, matter):
        return "not_in_force"
    if not _is_there(rule, matter):
        return "other_place"
    if rule.target_types and matter.target_type not in rule.target_types:
        return "other_target"
    return None if rule.when is None else _mistimed(rule.when, matter.at.astimezone(LOCAL), hours)


def falls_in(season: PartOfYear, day: str) -> bool:
    """Return whether the day (MM-DD) is one of the season's, which may run over the turn of the year."""
    if season.first <= season.last:
        return season.first <= day <= season.last
    return day >= season.first or day <= season.last


def _in_force(rule: PowerRule, matter: Matter) -> bool:
    if rule.valid_from is None and rule.valid_until is None:
        return True
    day = matter.at.astimezone(LOCAL).date()
    return (rule.valid_from or date.min) <= day <= (rule.valid_until or date.max)


def _is_there(rule: PowerRule, matter: Matter) -> bool:
    if not rule.streets and not rule.communities:
        return True
    return matter.street in rule.streets or matter.community in rule.communities


def _mistimed(when: When, local: datetime, hours: WorkingHours | None) -> Verdict | None:
    if when.season is not None and not falls_in(when.season, f"{local:%m-%d}"):
        return "other_time"
    if when.weekdays and local.isoweekday() not in when.weekdays:
        return "other_time"
    if when.working_time is None:
        return None
    works = None if hours is None else _works(local, hours)
    if works is None:
        return "time_unknown"
    return None if works == when.working_time else "other_time"


def _works(instant: datetime, hours: WorkingHours) -> bool | None:
    """Return whether working time counts at this instant; None where the calendar does not reach it."""
    working = working_time_of(hours.calendar, hours.policy).working
    try:
        return working.position(instant + _TICK) > working.position(instant)
    except (BeforeCalendar, BeyondCalendar):
        return None
