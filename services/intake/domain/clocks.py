"""The clocks of a report: until when it has to be accepted 受理, verified 核实 and filed 立案 (domain 1.7).

The stage of acceptance begins when the problem is reported, that of filing when it is accepted (domain 9.2, rows 1 and
4); while somebody verifies the report nobody can accept it, so that the clock of acceptance stands still (rows 2 and
3). A report that is accepted and filed as it comes in has none.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from services.intake.domain.commands import FireClocks
from shared.contracts.clocks import Clock, ClockStage, Pause
from shared.contracts.common import Actor, Instant, Message
from shared.contracts.decisions import Context
from shared.contracts.intake import ReportClockBreached, ReportClockRecomputed, ReportClockWarned
from shared.deadlines.telling import BREACHED, HALF_USED, MOSTLY_USED, Told, next_telling, told_after
from shared.deadlines.timing import Timing, timing_of
from shared.kernel.decider import Wake
from shared.kernel.errors import Unavailable

WAKE_KIND: Final = "clock"

ClockEvent = ReportClockWarned | ReportClockBreached | ReportClockRecomputed
CLOCK_EVENTS: Final = (ReportClockWarned, ReportClockBreached, ReportClockRecomputed)


class StageClock(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The clock of a stage, and what was told of it; it runs until `stopped_at`, when the stage ended.

    From `paused_at` on it stands still. `breached`: a limit of it has passed, whatever moved it later.
    """

    clock: Clock
    told: Told = 0
    breached: bool = False
    stopped_at: Instant | None = None
    paused_at: Instant | None = None

    @property
    def runs(self) -> bool:
        """Return whether time goes by on it."""
        return self.stopped_at is None and self.paused_at is None


Clocks = tuple[StageClock, ...]
"""In the order in which their stages began: at most one runs."""


def start(stage: ClockStage, context: Context, city: str) -> Clock:
    """Return the clock of a stage that begins with this act.

    Raises:
        Unavailable: if calendar or limit policy has not arrived yet.
        LookupError: if the calendar does not reach so far.
    """
    return _timing(context, city).start(stage, context.at)


def going_on(clocks: Clocks, context: Context, city: str) -> Clock | None:
    """Return the clock that stands still as it goes on with this act: the time between is a pause. None without one.

    Raises:
        Unavailable: if calendar or limit policy has not arrived yet.
        LookupError: if the calendar does not reach so far.
    """
    for one in clocks:
        if one.paused_at is not None:
            pause = Pause(started_at=one.paused_at, ended_at=context.at)
            return _timing(context, city).move(one.clock, one.told, pauses=(*one.clock.pauses, pause))
    return None


def next_stage(clocks: Clocks, at: Instant, clock: Clock | None = None) -> Clocks:
    """Return the clocks after a stage ended and the next one, where there is one, began with this clock."""
    ended = tuple(one if one.stopped_at else _ended(one, at) for one in clocks)
    return ended if clock is None else (*ended, StageClock(clock=clock))


def interrupted(clocks: Clocks, at: Instant, clock: Clock) -> Clocks:
    """Return the clocks after this one began: the running one stands still; one of the same stage is over."""
    return (*(_interrupted(one, at, clock) if one.runs else one for one in clocks), StageClock(clock=clock))


def resumed(clocks: Clocks, at: Instant, clock: Clock | None) -> Clocks:
    """Return the clocks after the running one ended, and the one that stood still goes on as this clock.

    What was due before it stood still, and has not been told, is told yet.
    """
    ended = tuple(_ended(one, at) if one.runs else one for one in clocks)
    return ended if clock is None else tuple(_moved(one, clock, at) if one.paused_at else one for one in ended)


def running_clock(clocks: Clocks) -> Clock | None:
    """Return the clock that runs."""
    running = _running(clocks)
    return None if running is None else running.clock


def tell_of_time(clocks: Clocks, event: ClockEvent) -> Clocks:
    """Return the clocks after the one that runs has warned or breached, or followed newer documents."""
    stage = event.clock.stage if isinstance(event, ReportClockRecomputed) else event.stage
    return tuple(_after(one, event) if one.runs and one.clock.stage == stage else one for one in clocks)


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


def recompute(clocks: Clocks, context: Context, city: str) -> list[ReportClockRecomputed]:
    """Return how the clock that runs follows the documents in force; nothing where none runs, or it does already.

    Raises:
        Unavailable: if calendar or limit policy has not arrived yet.
        LookupError: if the calendar does not reach so far.
    """
    running = _running(clocks)
    if running is None:
        return []
    clock = running.clock
    moved = _timing(context, city).move(clock, running.told)
    if moved == clock:
        return []
    return [ReportClockRecomputed(at=context.at, by=context.actor, due_was=clock.due_at, clock=moved)]


def breach_before(clocks: Clocks, context: Context, by: Actor) -> list[ReportClockBreached]:
    """Return the breach that comes before this act, where it is late and no wake has told so yet."""
    running = _untold(clocks)
    if running is None or running.clock.due_at >= context.at:
        return []
    return [_breach(running.clock, context, by)]


def _breach(clock: Clock, context: Context, by: Actor) -> ReportClockBreached:
    return ReportClockBreached(at=context.at, by=by, stage=clock.stage, due_at=clock.due_at)


def _running(clocks: Iterable[StageClock]) -> StageClock | None:
    return next((one for one in clocks if one.runs), None)


def _untold(clocks: Iterable[StageClock]) -> StageClock | None:
    """Return the clock that runs and has not breached."""
    running = _running(clocks)
    return None if running is None or running.told == BREACHED else running


def _ended(one: StageClock, at: Instant) -> StageClock:
    """Return the clock of a stage that is over; what stood still used nothing up since."""
    return replace(one, stopped_at=one.paused_at or at, paused_at=None)


def _interrupted(one: StageClock, at: Instant, by: Clock) -> StageClock:
    return _ended(one, at) if one.clock.stage == by.stage else replace(one, paused_at=at)


def _after(one: StageClock, event: ClockEvent) -> StageClock:
    match event:
        case ReportClockWarned():
            return replace(one, told=event.percent)
        case ReportClockBreached():
            return replace(one, told=BREACHED, breached=True)
        case ReportClockRecomputed():
            return _moved(one, event.clock, event.at)


def _moved(one: StageClock, clock: Clock, at: Instant) -> StageClock:
    """Return the clock as it runs from now on, whether documents, the time that it stood still, or both moved it."""
    return replace(one, clock=clock, told=_told_still(one, clock, at), paused_at=None)


def _told_still(one: StageClock, clock: Clock, at: Instant) -> Told:
    """Return what counts as told: what moved and lies behind, what did not move only where it was.

    So a warning whose wake is just about to fire is not lost to documents that do not concern it.
    """
    was = one.clock
    if clock.due_at == was.due_at:
        return one.told
    told = told_after(one.told, was.due_at, clock, at)
    warnings = zip((HALF_USED, MOSTLY_USED), was.warn_at, clock.warn_at, strict=True)
    stayed = {percent for percent, lay_at, lies_at in warnings if lay_at == lies_at}
    return min(one.told, told) if told in stayed else told


def _timing(context: Context, city: str) -> Timing:
    timing = timing_of(context.library, city)
    if timing is None:
        raise Unavailable(f"The calendar and the limit policy of {city} have not both arrived yet.")
    return timing
