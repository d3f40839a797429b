"""Deadlines, what is left of them, and their steps, against a walk from minute to minute; 2004 to 2026, at random."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from services.dispatch import seed
from shared.contracts.clocks import Pause
from shared.contracts.reference import LimitPolicy, LimitUnit
from shared.deadlines.clocks import moved_clock, start_clock
from shared.deadlines.deadline import deadline, remaining
from shared.deadlines.explaining import explain
from shared.deadlines.steps import Step
from shared.deadlines.working_time import working_time_of
from tests.support.working_hours import LOCAL, hours, limit, season
from tests.unit.deadlines.simulation import Hours, Span, counted, walk

MINUTES: Final[dict[LimitUnit, int]] = {
    "urgent_hour": 60,
    "urgent_day": 1440,
    "natural_day": 1440,
    "working_hour": 60,
    "working_day": 480,
    "statutory_working_day": 1440,
}
FIRST, LAST = datetime(2004, 1, 1, tzinfo=LOCAL), datetime(2026, 12, 31, 23, 59, tzinfo=LOCAL)
NEW_YEAR: Final = datetime(2027, 1, 1, tzinfo=LOCAL)
MINUTE: Final = timedelta(minutes=1)


def some_hours(number: int) -> Hours:
    """Slots and seasons at random, always the same for a number; 0 has those of the city."""
    if number == 0:
        return Hours(seasons=(((1, 1), ((480, 720), (840, 1080))),))
    chance = random.Random(number)
    begins = sorted(chance.sample([(month, day) for month in range(1, 13) for day in range(1, 29)], number % 3 + 1))
    return Hours(seasons=tuple((begin, some_slots(chance)) for begin in begins))


def some_slots(chance: random.Random) -> tuple[tuple[int, int], ...]:
    edges = sorted(chance.sample(range(0, 1440, 5), 2 * chance.randint(1, 3)))
    return tuple(zip(edges[::2], edges[1::2], strict=True))


def written(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def policy(known: Hours) -> LimitPolicy:
    return hours(
        *(
            season(f"{month:02}-{day:02}", *((written(begin), written(end)) for begin, end in slots))
            for (month, day), slots in known.seasons
        )
    )


ALL_HOURS: Final = [some_hours(number) for number in range(6)]
POLICIES: Final = [policy(known) for known in ALL_HOURS]
CALENDAR: Final = seed.calendar()


@st.composite
def starts(draw: st.DrawFn) -> datetime:
    """Any minute of 23 years, or one at a turn: the eve of a holiday, an edge of a slot, a midnight."""
    start = FIRST + draw(st.integers(0, (LAST - FIRST) // MINUTE)) * MINUTE
    if draw(st.booleans()):
        month, day = draw(st.sampled_from([(1, 1), (2, 14), (4, 4), (5, 1), (9, 19), (9, 30), (10, 7), (12, 27)]))
        start = start.replace(month=month, day=day)
    if draw(st.booleans()):
        hour, minute = draw(st.sampled_from([(0, 0), (8, 0), (12, 0), (14, 0), (18, 0), (23, 59)]))
        start = start.replace(hour=hour, minute=minute)
    return start


@st.composite
def pauses_from(draw: st.DrawFn, start: datetime) -> list[Span]:
    """Up to three pauses in any order, from a day before the start on: some overlap, are over, or hold nothing."""
    found = []
    for _ in range(draw(st.integers(0, 3))):
        begin = start + draw(st.integers(-1440, 5 * 1440)) * MINUTE
        found.append((begin, begin + draw(st.one_of(st.integers(0, 600), st.integers(0, 4 * 1440))) * MINUTE))
    return found


def utc(local: datetime) -> datetime:
    return local.astimezone(UTC)


def as_pauses(spans: list[Span]) -> list[Pause]:
    return [Pause(started_at=utc(begin), ended_at=utc(end)) for begin, end in spans]


@settings(max_examples=400, deadline=None)
@given(data=st.data(), start=starts(), amount=st.integers(1, 4), number=st.integers(0, len(ALL_HOURS) - 1))
def test_a_deadline_is_where_a_walk_from_minute_to_minute_ends(
    data: st.DataObject, start: datetime, amount: int, number: int
) -> None:
    """Every unit, from three starts: some 7,000 deadlines a run."""
    pauses, share = data.draw(pauses_from(start)), data.draw(st.sampled_from([100, 100, 50, 80]))
    working_time = working_time_of(CALENDAR, POLICIES[number])
    for (unit, minutes), later in product(MINUTES.items(), (0, 377, 2971)):
        extensions = amount % 3
        begin = start + later * MINUTE
        needed = minutes * amount * (1 + extensions) * share // 100
        expected = walk(begin, needed, unit, ALL_HOURS[number], pauses)
        found = deadline(
            utc(begin),
            limit(amount, unit),
            working_time,
            pauses=as_pauses(pauses),
            extensions=extensions,
            share=share,
        )
        provisional = "working" in unit and expected > NEW_YEAR
        assert found == (utc(expected), provisional), unit


@settings(max_examples=60, deadline=None)
@given(data=st.data(), start=starts(), amount=st.integers(1, 3), number=st.integers(0, len(ALL_HOURS) - 1))
def test_what_is_left_and_every_step_agree_with_the_walk(
    data: st.DataObject, start: datetime, amount: int, number: int
) -> None:
    pauses, later = data.draw(pauses_from(start)), data.draw(st.integers(0, 6 * 1440))
    working_time, known = working_time_of(CALENDAR, POLICIES[number]), ALL_HOURS[number]
    for unit, minutes in MINUTES.items():
        begun = start_clock("handle", limit(amount, unit), utc(start), working_time, 1, 1)
        clock = moved_clock(begun, working_time, 2, 1, pauses=as_pauses(pauses), extensions=amount % 3)
        needed = minutes * amount * (1 + amount % 3)
        at = start + later * MINUTE
        left = needed - counted(start, at, unit, known, pauses)
        assert remaining(clock, utc(at), working_time) == left * MINUTE
        steps = explain(clock, working_time).steps
        assert sum((step.used for step in steps), timedelta(0)) == needed * MINUTE
        assert (steps[0].started_at, steps[-1].ended_at) == (clock.started_at, clock.due_at)
        assert all(first.ended_at <= second.started_at for first, second in pairwise(steps))
        for step in steps:
            assert_step(step, start, unit, known, pauses)


def assert_step(step: Step, start: datetime, unit: LimitUnit, known: Hours, pauses: list[Span]) -> None:
    """A step used what counted in it; a pause moved the deadline by what would have counted."""
    begin, end = step.started_at.astimezone(LOCAL), step.ended_at.astimezone(LOCAL)

    def between(still: list[Span]) -> timedelta:
        used = counted(start, end, unit, known, still) - counted(start, begin, unit, known, still)
        return used * MINUTE

    assert step.used == between(pauses)
    if step.kind == "pause":
        assert step.moved == between([])
