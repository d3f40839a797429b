"""The time of a city in which limits run: its working days and slots, laid end to end, so that time can be looked up.

Positions are microseconds of counted time since the calendar's first day. Local time is UTC+8 for ever (domain 1.7).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from itertools import accumulate
from typing import Final, Protocol

from shared.contracts.reference import Calendar, LimitPolicy, Season

LOCAL: Final = timezone(timedelta(hours=8))
YEARS_AHEAD: Final = 30
"""How far behind the last known year time can be counted at all."""
DAY: Final = 86_400_000_000
HOUR: Final = 3_600_000_000
MINUTE: Final = 60_000_000

Slots = tuple[tuple[int, int], ...]
"""Begin and end of each stretch of a day that counts, in microseconds of the local day."""

SATURDAY: Final = 5
WHOLE_DAY: Final[Slots] = ((0, DAY),)


class BeforeCalendar(LookupError):
    """An instant lies before the first year of the calendar."""


class BeyondCalendar(LookupError):
    """An instant lies so far behind the last year of the calendar that nobody can count there."""


class CountedTime(Protocol):
    """A way of counting time. `known` is the position behind which the calendar does not know all days."""

    @property
    def known(self) -> int | None:
        """Return the position up to which every day is known; None where no calendar matters."""
        ...

    def position(self, instant: datetime) -> int:
        """Return how much time counted until then."""
        ...

    def instant(self, position: int) -> datetime:
        """Return the earliest instant (UTC) at which so much time has counted: a slot's end, not the next start."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalTime:
    """Every moment counts, nights and holidays too."""

    epoch: datetime
    known: int | None = None

    def position(self, instant: datetime) -> int:
        """Return how much time counted until then."""
        since = instant - self.epoch
        return since.days * DAY + since.seconds * 1_000_000 + since.microseconds

    def instant(self, position: int) -> datetime:
        """Return the instant at which so much time has counted."""
        return self.epoch + timedelta(microseconds=position)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlottedTime:
    """Only the slots of each day count. `before` says how much counted before each day, and at the end of the last."""

    epoch: datetime
    slots: Sequence[Slots]
    before: Sequence[int]
    known: int

    def position(self, instant: datetime) -> int:
        """Return how much time counted until then.

        Raises:
            BeforeCalendar: if the calendar begins later.
            BeyondCalendar: if it ends so much earlier that nothing can be said.
        """
        since = instant - self.epoch
        day = since.days
        if day < 0:
            raise BeforeCalendar(f"{instant} lies before the calendar, which begins at {self.epoch}.")
        if day >= len(self.slots):
            raise BeyondCalendar(f"{instant} lies more than {YEARS_AHEAD} years behind the calendar.")
        moment = since.seconds * 1_000_000 + since.microseconds
        counted = self.before[day]
        for start, end in self.slots[day]:
            if moment <= start:
                break
            counted += min(moment, end) - start
        return counted

    def instant(self, position: int) -> datetime:
        """Return the earliest instant (UTC) at which so much time, which must be positive, has counted.

        Raises:
            BeyondCalendar: if that lies so far behind the last known year that nothing can be said.
        """
        day = bisect_left(self.before, position) - 1
        if day < len(self.slots):
            rest = position - self.before[day]
            for start, end in self.slots[day]:
                if rest <= end - start:
                    return self.epoch + timedelta(day, 0, start + rest)
                rest -= end - start
        raise BeyondCalendar(f"The limit ends more than {YEARS_AHEAD} years behind the calendar.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingTime:
    """What a calendar and a limit policy say about time, ready to be looked up; equal documents give equal values."""

    calendar: Calendar
    policy: LimitPolicy
    natural: NaturalTime
    working: SlottedTime
    """The slots of working days."""
    whole_days: SlottedTime
    """Working days as wholes."""
    slots_of: Mapping[tuple[int, int], Slots]
    """The slots of a working day by its month and day."""

    @classmethod
    def of(cls, calendar: Calendar, policy: LimitPolicy) -> "WorkingTime":
        """Return the working time of these documents, which have passed their checks. Takes milliseconds: keep it."""
        first = date(calendar.first_year, 1, 1)
        epoch = datetime(first.year, first.month, first.day, tzinfo=LOCAL).astimezone(UTC)
        workdays = list(_workdays(calendar))
        known_days = (date(calendar.last_year + 1, 1, 1) - first).days
        slots_of = _slots_by_day_of_year(policy.seasons)

        def slotted(slots: list[Slots]) -> SlottedTime:
            before = [0, *accumulate(sum(end - start for start, end in day) for day in slots)]
            return SlottedTime(epoch=epoch, slots=slots, before=before, known=before[known_days])

        return cls(
            calendar=calendar,
            policy=policy,
            natural=NaturalTime(epoch=epoch),
            working=slotted([slots_of[day.month, day.day] if works else () for day, works in workdays]),
            whole_days=slotted([WHOLE_DAY if works else () for _, works in workdays]),
            slots_of=slots_of,
        )


@lru_cache(maxsize=16)
def working_time_of(calendar: Calendar, policy: LimitPolicy) -> WorkingTime:
    """Return `WorkingTime.of` these documents, computed once for each pair of versions."""
    return WorkingTime.of(calendar, policy)


def _workdays(calendar: Calendar) -> Iterator[tuple[date, bool]]:
    """Yield every day and whether people work on it: as listed, else as its weekday says."""
    listed = {entry.day: entry.workday for entry in calendar.days}
    fixed = {holiday.day for holiday in calendar.fixed_holidays}
    end = date(calendar.last_year + YEARS_AHEAD + 1, 1, 1).toordinal()
    for ordinal in range(date(calendar.first_year, 1, 1).toordinal(), end):
        day = date.fromordinal(ordinal)
        works = listed.get(day)
        if works is None:
            works = day.weekday() < SATURDAY
            if works and day.year > calendar.last_year:
                works = f"{day:%m-%d}" not in fixed
        yield day, works


def _slots_by_day_of_year(seasons: Sequence[Season]) -> dict[tuple[int, int], Slots]:
    """Return the slots of each day of the year: before the first season begins, the last one of the year still runs."""
    begins = [season.starts_on for season in seasons]
    slots = [tuple((_moment(slot.start), _moment(slot.end)) for slot in season.slots) for season in seasons]
    days = map(date.fromordinal, range(date(2024, 1, 1).toordinal(), date(2025, 1, 1).toordinal()))  # a leap year
    return {(day.month, day.day): slots[bisect_right(begins, f"{day:%m-%d}") - 1] for day in days}


def _moment(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * HOUR + int(minutes) * MINUTE
