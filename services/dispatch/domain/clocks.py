"""The clocks of a case: started and moved by the documents in force, and what is due of them next (domain 1.7)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec

from services.dispatch.domain.acting import Acting
from services.dispatch.domain.adjustments import FireClocks
from services.dispatch.domain.case import ENDED, CaseState
from services.dispatch.domain.legs import BREACHED, DONE, HALF_USED, MOSTLY_USED, LegState, Told, find_leg
from shared.contracts.clocks import Clock, ClockBreached, ClockStage, MovedClock, Pause
from shared.contracts.reference import Limit
from shared.deadlines.clocks import moved_clock, start_clock
from shared.kernel.decider import Wake

WAKE_KIND = "clock"


class LegClocks(NamedTuple):
    """The two clocks with which a leg begins."""

    sign: Clock
    handle: Clock


class Running(NamedTuple):
    """A clock that runs, and what was told of it. `leg` is 0 for a clock of the case's own part."""

    leg: int
    clock: Clock
    told: Told


class Due(NamedTuple):
    """What happens next: a clock warns or breaches (`percent`), or a suspension ends; in the order of time."""

    at: datetime
    leg: int
    what: ClockStage | Literal["suspension"]
    percent: Literal[50, 80, 100]


def start(acting: Acting, stage: ClockStage, limit: Limit | None = None) -> Clock:
    """Return the clock of a stage that starts now; without a limit it has the city's for this stage.

    Raises:
        LookupError: if the calendar or the limit policy is not in the library, or does not reach so far.
    """
    timing = acting.timing
    if limit is None:
        limit = getattr(timing.policy, stage)
    return start_clock(stage, limit, acting.at, timing.working_time, timing.calendar_version, timing.policy_version)


def start_leg(acting: Acting, limit: Limit) -> LegClocks:
    """Return the clocks of legs that are dispatched now.

    Raises:
        LookupError: as `start`.
    """
    return LegClocks(sign=start(acting, "sign"), handle=start(acting, "handle", limit))


def extended(acting: Acting, clock: Clock) -> Clock:
    """Return the clock with one original limit more.

    Raises:
        LookupError: as `start`.
    """
    return _moved(acting, clock, extensions=clock.extensions + 1)


def paused(acting: Acting, clock: Clock, since: datetime, until: datetime) -> Clock:
    """Return the clock without the time between.

    Raises:
        LookupError: as `start`.
    """
    return _moved(acting, clock, pauses=(*clock.pauses, Pause(started_at=since, ended_at=max(since, until))))


def recomputed(acting: Acting, clock: Clock) -> Clock:
    """Return the clock by the documents in force.

    Raises:
        LookupError: as `start`.
    """
    return _moved(acting, clock)


def resumed_after_feedback(case: CaseState, numbers: Sequence[int], acting: Acting) -> tuple[MovedClock, ...]:
    """Return how the handling clocks of these legs go on when they are sent back: checking took none of their time.

    Raises:
        LookupError: as `start`.
    """
    moved = []
    for number in numbers:
        leg = find_leg(case.legs, number)
        clock = leg and case.handle_clock_of(leg)
        if leg and clock and leg.fed_back_at:
            going_on = paused(acting, clock, leg.fed_back_at, acting.at)
            moved.append(MovedClock(leg=number, due_was=clock.due_at, clock=going_on))
    return tuple(moved)


def resumed_after_merge(case: CaseState, acting: Acting) -> tuple[MovedClock, ...]:
    """Return how the clocks of a merged case go on by themselves: while it was merged they stood still.

    Raises:
        LookupError: as `start`.
    """
    if case.before_merge is None or case.merged_at is None:
        return ()
    moved = []
    for running in running_clocks(msgspec.structs.replace(case, state=case.before_merge)):
        going_on = paused(acting, running.clock, case.merged_at, acting.at)
        moved.append(MovedClock(leg=running.leg or None, due_was=running.clock.due_at, clock=going_on))
    return tuple(moved)


def running_clocks(case: CaseState) -> Iterator[Running]:
    """Yield every clock that runs: not those that a suspension, a feedback or the end of the case has stopped."""
    if case.state in ENDED:
        return
    if case.state == "filed" and case.dispatch_clock is not None:
        yield Running(0, case.dispatch_clock, case.dispatch_told)
    if case.state == "checking" and case.check is not None and case.check.clock is not None:
        yield Running(0, case.check.clock, case.check_told)
    for leg in case.legs:
        if leg.state in DONE or leg.state == "suspended":
            continue
        if leg.unsigned and (sign := case.sign_clock_of(leg)) is not None:
            yield Running(leg.leg, sign, leg.sign_told)
        if (handle := case.handle_clock_of(leg)) is not None:
            yield Running(leg.leg, handle, leg.handle_told)


def next_due(case: CaseState) -> Due | None:
    """Return what happens next if nobody does anything."""
    return min(_dues(case), default=None)


def wakes(case: CaseState) -> Sequence[Wake]:
    """Return the one wake of the case, at the next instant at which time changes something; none where none will."""
    due = next_due(case)
    return () if due is None else (Wake(kind=WAKE_KIND, due_at=due.at),)


def woken(stream: UUID, wake: Wake) -> FireClocks:
    """Return the command of a wake that is due."""
    return FireClocks(case_id=stream, due_at=wake.due_at)


def breach_before(
    case: CaseState, acting: Acting, stage: ClockStage, leg: LegState | None = None
) -> list[ClockBreached]:
    """Return the breach that comes before this act, where it is late and no wake has told so yet."""
    number = leg.leg if leg else 0
    for running in running_clocks(case):
        clock = running.clock
        if running.leg == number and clock.stage == stage and running.told != BREACHED and clock.due_at < acting.at:
            return [breach(acting, clock, leg)]
    return []


def breach(acting: Acting, clock: Clock, leg: LegState | None) -> ClockBreached:
    """Return the breach of a clock."""
    return ClockBreached(
        **acting.by_rule,
        stage=clock.stage,
        due_at=clock.due_at,
        leg=leg.leg if leg else None,
        unit=leg.unit if leg else None,
    )


def _moved(
    acting: Acting, clock: Clock, *, pauses: Sequence[Pause] | None = None, extensions: int | None = None
) -> Clock:
    timing = acting.timing
    return moved_clock(
        clock,
        timing.working_time,
        timing.calendar_version,
        timing.policy_version,
        pauses=pauses,
        extensions=extensions,
    )


def _dues(case: CaseState) -> Iterator[Due]:
    for leg, clock, told in running_clocks(case):
        if told == BREACHED:
            continue
        half, most = clock.warn_at
        # What is due at once does not warn before.
        if told < HALF_USED and half < clock.due_at:
            yield Due(half, leg, clock.stage, HALF_USED)
        elif told < MOSTLY_USED and most < clock.due_at:
            yield Due(most, leg, clock.stage, MOSTLY_USED)
        else:
            yield Due(clock.due_at, leg, clock.stage, BREACHED)
    if case.state in ENDED:
        return
    for each in case.legs:
        if each.state == "suspended" and each.suspension is not None:
            yield Due(each.suspension.until, each.leg, "suspension", BREACHED)
