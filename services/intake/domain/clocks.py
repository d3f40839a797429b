"""The clocks of a report: until when it has to be accepted 受理 and filed 立案, and what they tell (domain 1.7).

The stage of acceptance begins when the problem is reported, that of filing when it is accepted (domain 9.2, rows 1 and
4). A report that is accepted and filed as it comes in has none.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from services.intake.domain.commands import FireClocks
from shared.contracts.clocks import Clock, ClockStage
from shared.contracts.common import Actor, Instant, Message
from shared.contracts.decisions import Context
from shared.contracts.intake import ReportClockBreached, ReportClockWarned
from shared.deadlines.telling import BREACHED, Told, next_telling
from shared.deadlines.timing import timing_of
from shared.kernel.decider import Wake
from shared.kernel.errors import Unavailable

WAKE_KIND: Final = "clock"

ClockEvent = ReportClockWarned | ReportClockBreached
CLOCK_EVENTS: Final = (ReportClockWarned, ReportClockBreached)


class StageClock(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The clock of a stage, and what was told of it; it runs until `stopped_at`, when the stage ended."""

    clock: Clock
    told: Told = 0
    stopped_at: Instant | None = None


Clocks = tuple[StageClock, ...]
"""In the order in which their stages began: at most the last one runs."""


def start(stage: ClockStage, context: Context, city: str) -> Clock:
    """Return the clock of a stage that begins with this act.

    Raises:
        Unavailable: if calendar or limit policy has not arrived yet.
        LookupError: if the calendar does not reach so far.
    """
    timing = timing_of(context.library, city)
    if timing is None:
        raise Unavailable(f"The calendar and the limit policy of {city} have not both arrived yet.")
    return timing.start(stage, context.at)


def next_stage(clocks: Clocks, at: Instant, clock: Clock | None = None) -> Clocks:
    """Return the clocks after a stage ended and the next one, where there is one, began with this clock."""
    ended = tuple(one if one.stopped_at else replace(one, stopped_at=at) for one in clocks)
    return ended if clock is None else (*ended, StageClock(clock=clock))


def tell_of_time(clocks: Clocks, event: ClockEvent) -> Clocks:
    """Return the clocks after one of them has warned or breached."""
    told: Told = event.percent if isinstance(event, ReportClockWarned) else BREACHED
    return tuple(replace(one, told=told) if one.clock.stage == event.stage else one for one in clocks)


def wakes_of(clocks: Clocks) -> Sequence[Wake]:
    """Return the one wake of a report, at the next instant at which its running clock tells something."""
    running = _untold(clocks)
    return () if running is None else (Wake(kind=WAKE_KIND, due_at=next_telling(running.clock, running.told)[0]),)


def woken(_stream: UUID, wake: Wake) -> FireClocks:
    """Return the command of a wake that is due."""
    return FireClocks(due_at=wake.due_at)


def fire(clocks: Clocks, command: FireClocks, context: Context) -> list[ClockEvent]:
    """Return everything that is due by the instant of the wake, each once and in order; nothing where nothing is."""
    events: list[ClockEvent] = []
    while (running := _untold(clocks)) is not None:
        clock = running.clock
        at, percent = next_telling(clock, running.told)
        if at > command.due_at:
            break
        events.append(
            _breach(clock, context, context.actor)
            if percent == BREACHED
            else ReportClockWarned(
                at=context.at, by=context.actor, stage=clock.stage, percent=percent, due_at=clock.due_at
            )
        )
        clocks = tell_of_time(clocks, events[-1])
    return events


def breach_before(clocks: Clocks, context: Context, by: Actor) -> list[ReportClockBreached]:
    """Return the breach that comes before this act, where it is late and no wake has told so yet."""
    running = _untold(clocks)
    if running is None or running.clock.due_at >= context.at:
        return []
    return [_breach(running.clock, context, by)]


def _breach(clock: Clock, context: Context, by: Actor) -> ReportClockBreached:
    return ReportClockBreached(at=context.at, by=by, stage=clock.stage, due_at=clock.due_at)


def _untold(clocks: Iterable[StageClock]) -> StageClock | None:
    """Return the clock that runs and has not breached."""
    return next((one for one in clocks if one.stopped_at is None and one.told != BREACHED), None)
