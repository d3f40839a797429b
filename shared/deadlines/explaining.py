"""Why a deadline is what it is: the same days and slots as `deadline`, walked one by one and told in steps."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from shared.contracts.clocks import Clock
from shared.contracts.reference import CalendarDay
from shared.deadlines.deadline import LENGTHS, counted_time, counts_from, deadline, stands_still
from shared.deadlines.steps import Explained, Step, StepKind, Stretch
from shared.deadlines.working_time import LOCAL, SATURDAY, WHOLE_DAY, Slots, WorkingTime

_ONE_DAY: Final = timedelta(days=1)


def explain(clock: Clock, working_time: WorkingTime) -> Explained:
    """Return the steps from the clock's start to its deadline.

    Args:
        clock: as it is in an event or a state.
        working_time: of the documents whose versions the clock names.

    Raises:
        ValueError: if these documents give another deadline: they are not those of the clock.
    """
    due = deadline(clock.started_at, clock.limit, working_time, pauses=clock.pauses, extensions=clock.extensions)
    if due.due_at != clock.due_at:
        raise ValueError(f"Due at {due.due_at} by these documents, and at {clock.due_at} by those of the clock.")
    return Explained(
        limit=clock.limit,
        extensions=clock.extensions,
        started_at=clock.started_at,
        due_at=clock.due_at,
        provisional=due.provisional,
        calendar_version=clock.calendar_version,
        policy_version=clock.policy_version,
        steps=tuple(_merged(_steps(clock, working_time))),
    )


def _steps(clock: Clock, working_time: WorkingTime) -> Iterator[Step]:
    if clock.limit.unit == "at_once":
        yield Step(kind="at_once", started_at=clock.started_at, ended_at=clock.due_at)
        return
    reached = counts_from(clock.started_at, clock.limit.unit, working_time)
    if reached > clock.started_at:
        yield Step(kind="first_day", started_at=clock.started_at, ended_at=reached, days=1)
    for stop in sorted([*_extensions(clock, working_time), *_pauses(clock, working_time)], key=_order):
        yield from _counted(reached, stop.started_at, clock, working_time)
        yield stop
        reached = stop.ended_at
    yield from _counted(reached, clock.due_at, clock, working_time)


def _order(stop: Step) -> tuple[datetime, bool]:
    """A limit that is used up at the moment at which a pause begins was extended before."""
    return stop.started_at, stop.kind == "pause"


def _extensions(clock: Clock, working_time: WorkingTime) -> Iterator[Step]:
    """Yield each extension where the limit without it was used up."""
    added = timedelta(microseconds=LENGTHS[clock.limit.unit] * clock.limit.amount)
    for before in range(clock.extensions):
        used_up = deadline(clock.started_at, clock.limit, working_time, pauses=clock.pauses, extensions=before).due_at
        yield Step(kind="extension", started_at=used_up, ended_at=used_up, moved=added)


def _pauses(clock: Clock, working_time: WorkingTime) -> Iterator[Step]:
    counted = counted_time(clock.limit.unit, working_time)
    reached = counts_from(clock.started_at, clock.limit.unit, working_time)
    for opened, closed in stands_still(clock.pauses, clock.limit.unit, working_time):
        begin = max(opened, reached)
        if begin < closed and begin < clock.due_at:
            end = counted.position(closed)
            yield Step(
                kind="pause",
                started_at=begin,
                ended_at=closed,
                moved=timedelta(microseconds=end - counted.position(begin)),
                provisional=counted.known is not None and end > counted.known,
            )
            reached = closed


def _counted(start: datetime, end: datetime, clock: Clock, working_time: WorkingTime) -> Iterator[Step]:
    """Yield what counted from start to end, day by day."""
    if start >= end:
        return
    if counted_time(clock.limit.unit, working_time) is working_time.natural:
        yield Step(kind="natural", started_at=start, ended_at=end, used=end - start)
        return
    epoch = working_time.natural.epoch
    for number in range((start - epoch).days, (end - epoch - timedelta.resolution).days + 1):
        midnight = epoch + number * _ONE_DAY
        span = (max(start, midnight), min(end, midnight + _ONE_DAY))
        step = _day(midnight, span, clock.limit.unit == "statutory_working_day", working_time)
        if step.kind != "off_hours" or start == clock.started_at == step.started_at:
            yield step


def _day(midnight: datetime, span: tuple[datetime, datetime], whole_days: bool, working_time: WorkingTime) -> Step:
    """Return what counted on one day, or on the part of it between two instants."""
    day = midnight.astimezone(LOCAL).date()
    kind, names = _kind(day, working_time)
    slots = WHOLE_DAY if whole_days else working_time.slots_of[day.month, day.day]
    counting = _cut(slots, *((instant - midnight) // timedelta.resolution for instant in span))
    length = timedelta(microseconds=sum(last - first for first, last in counting))
    works = kind in {"working_day", "make_up_day"}
    if works and not length:
        kind, names = "off_hours", None
    return Step(
        kind=kind,
        started_at=span[0],
        ended_at=span[1],
        days=1,
        used=length if works else timedelta(0),
        moved=_moved(kind, day, length),
        stretches=_stretches(counting) if works else (),
        name_zh=names[0] if names else None,
        name_en=names[1] if names else None,
        provisional=day.year > working_time.calendar.last_year,
    )


def _kind(day: date, working_time: WorkingTime) -> tuple[StepKind, tuple[str, str] | None]:
    """Return what kind of day it is, and its name where it has one."""
    calendar = working_time.calendar
    weekend = day.weekday() >= SATURDAY
    listed = _listed(calendar.days, day)
    if listed is not None:
        if not listed.workday:
            return "day_off", (listed.name_zh, listed.name_en)
        return ("make_up_day", (listed.name_zh, listed.name_en)) if weekend else ("working_day", None)
    if day.year > calendar.last_year:
        for holiday in calendar.fixed_holidays:
            if holiday.day == f"{day:%m-%d}":
                return "day_off", (holiday.name_zh, holiday.name_en)
    return ("weekend" if weekend else "working_day"), None


def _listed(days: tuple[CalendarDay, ...], day: date) -> CalendarDay | None:
    index = bisect_left(days, day, key=lambda entry: entry.day)
    return days[index] if index < len(days) and days[index].day == day else None


def _moved(kind: StepKind, day: date, length: timedelta) -> timedelta:
    if kind == "make_up_day":
        return -length
    return length if kind == "day_off" and day.weekday() < SATURDAY else timedelta(0)


@lru_cache(maxsize=64)
def _stretches(slots: Slots) -> tuple[Stretch, ...]:
    """Return slots as people write them: most days have those of many others."""
    return tuple(Stretch(start=_text(first), end=_text(last)) for first, last in slots)


def _cut(slots: Slots, start: int, end: int) -> Slots:
    """Return the parts of the slots that lie between two moments of the day."""
    cut = ((max(first, start), min(last, end)) for first, last in slots)
    return tuple((first, last) for first, last in cut if first < last)


def _merged(steps: Iterable[Step]) -> Iterator[Step]:
    """Join days that follow one another and are alike, so that a person can read them."""
    last: Step | None = None
    for step in steps:
        if last is not None and _alike(last, step):
            last = msgspec.structs.replace(
                last,
                ended_at=step.ended_at,
                days=last.days + step.days,
                used=last.used + step.used,
                moved=last.moved + step.moved,
            )
            continue
        if last is not None:
            yield last
        last = step
    if last is not None:
        yield last


def _alike(first: Step, second: Step) -> bool:
    """Tell whether two days say the same of themselves: a day that counted in part stands alone."""
    return (
        first.kind not in {"pause", "extension"}
        and (first.kind, first.stretches, first.name_zh, first.name_en, first.provisional)
        == (second.kind, second.stretches, second.name_zh, second.name_en, second.provisional)
        and first.ended_at == second.started_at
    )


def _text(moment: int) -> str:
    """Return a moment of the day as people write it; 24:00 is its end."""
    minutes, seconds = divmod(moment // 1_000_000, 60)
    text = f"{minutes // 60:02}:{minutes % 60:02}"
    return f"{text}:{seconds:02}" if seconds else text
