"""Until when a limit runs: `deadline`, and how much of it is left: `remaining` (domain 1.7 and 6).

A limit is used up by the time that its unit counts, minus the pauses. It ends at the earliest instant at which it is
used up: one that is used up exactly at a slot's end ends there, not the next morning.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.contracts.clocks import Clock, Pause
from shared.contracts.reference import Limit, LimitUnit
from shared.deadlines.working_time import DAY, HOUR, CountedTime, WorkingTime

LENGTHS: Final[dict[LimitUnit, int]] = {
    "urgent_hour": HOUR,
    "urgent_day": DAY,
    "natural_day": DAY,
    "working_hour": HOUR,
    "working_day": 8 * HOUR,
    "statutory_working_day": DAY,
    "at_once": 0,
}
"""How much counted time one of a unit is, in microseconds. A working day is 8 working hours, whatever its slots are."""

_FULL: Final = 100
_ONE_DAY: Final = timedelta(days=1)
_SHORTEST: Final = timedelta(microseconds=1)


class Deadline(NamedTuple):
    """When a limit ends (UTC). Provisional: it rests on days that the calendar does not know yet."""

    due_at: datetime
    provisional: bool


class Run(NamedTuple):
    """A limit from its start on: what counts, from which position on, how much, and where it stands still."""

    counted: CountedTime
    begin: int
    length: int
    pauses: Sequence[tuple[int, int]]


def deadline(
    start: datetime,
    limit: Limit,
    working_time: WorkingTime,
    *,
    pauses: Sequence[Pause] = (),
    extensions: int = 0,
    share: int = _FULL,
) -> Deadline:
    """Return when the limit that started then is used up.

    Args:
        start: an instant in UTC.
        limit: how much time there is.
        working_time: of the city's calendar and limit policy.
        pauses: spans in which the clock stood still; where they overlap, time stands still once.
        extensions: how many times the same limit was added (domain 1.4).
        share: percent of the limit with its extensions, for warnings before it ends.

    Raises:
        BeforeCalendar, BeyondCalendar: if the calendar does not reach so far.
    """
    if limit.unit == "at_once":
        return Deadline(start, provisional=False)
    return ends(run(start, limit, working_time, pauses=pauses, extensions=extensions), share)


def remaining(clock: Clock, at: datetime, working_time: WorkingTime) -> timedelta:
    """Return how much of the clock's limit is left at an instant, in the time that its unit counts; negative: overdue.

    While a clock stands still nothing is used: ask for the instant at which its pause began.

    Raises:
        BeforeCalendar, BeyondCalendar: if the calendar does not reach so far.
    """
    going = run(clock.started_at, clock.limit, working_time, pauses=clock.pauses, extensions=clock.extensions)
    reached = max(going.begin, going.counted.position(at))
    used = (
        reached
        - going.begin
        - sum(min(closed, reached) - opened for opened, closed in going.pauses if opened < reached)
    )
    return timedelta(microseconds=going.length - used)


def run(
    start: datetime, limit: Limit, working_time: WorkingTime, *, pauses: Sequence[Pause] = (), extensions: int = 0
) -> Run:
    """Return the limit as positions of the time that its unit counts."""
    counted = counted_time(limit.unit, working_time)
    start = counts_from(start, limit.unit, working_time)
    return Run(
        counted=counted,
        begin=counted.position(start),
        length=LENGTHS[limit.unit] * limit.amount * (1 + extensions),
        pauses=_positions(stands_still(pauses, limit.unit, working_time), start, counted) if pauses else (),
    )


def ends(going: Run, share: int = _FULL) -> Deadline:
    """Return when so many percent of a limit are used up."""
    end = going.begin + going.length * share // _FULL
    for opened, closed in going.pauses:
        if opened >= end:
            break
        end += closed - opened
    known = going.counted.known
    return Deadline(going.counted.instant(end), provisional=known is not None and end > known)


def counted_time(unit: LimitUnit, working_time: WorkingTime) -> CountedTime:
    """Return the time that a unit counts."""
    if unit in {"working_hour", "working_day"}:
        return working_time.working
    if unit == "statutory_working_day":
        return working_time.whole_days
    return working_time.natural


def counts_from(start: datetime, unit: LimitUnit, working_time: WorkingTime) -> datetime:
    """Return from when on time counts: of a statutory limit, which knows whole days, the first does not count."""
    if unit != "statutory_working_day":
        return start
    return _day_of(start, working_time.natural.epoch) + _ONE_DAY


def stands_still(
    pauses: Sequence[Pause], unit: LimitUnit, working_time: WorkingTime
) -> Sequence[tuple[datetime, datetime]]:
    """Return when time does not count, in order: of a statutory limit every day on which it stood still at all."""
    spans = sorted((pause.started_at, pause.ended_at) for pause in pauses if pause.started_at < pause.ended_at)
    if unit != "statutory_working_day":
        return spans
    epoch = working_time.natural.epoch
    return [(_day_of(opened, epoch), _day_of(closed - _SHORTEST, epoch) + _ONE_DAY) for opened, closed in spans]


def _positions(
    spans: Sequence[tuple[datetime, datetime]], start: datetime, counted: CountedTime
) -> list[tuple[int, int]]:
    """Return the spans in which counted time went by after the start; where two overlap, the later is cut."""
    found = []
    covered = start
    for opened, closed in spans:
        if closed <= covered:
            continue
        first, last = counted.position(max(opened, covered)), counted.position(closed)
        covered = closed
        if first < last:
            found.append((first, last))
    return found


def _day_of(instant: datetime, epoch: datetime) -> datetime:
    """Return the beginning of the local day in which the instant lies."""
    return epoch + timedelta(days=(instant - epoch).days)
