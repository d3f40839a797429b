"""The clocks of a case: started and moved by the documents in force, and what is due of them next (domain 1.7)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

import msgspec

from services.dispatch.domain.acting import Acting
from services.dispatch.domain.adjustments import FireClocks
from services.dispatch.domain.case import ENDED, CaseState
from services.dispatch.domain.legs import STANDING_STILL, LegState, find_leg
from shared.contracts.clocks import Clock, ClockBreached, ClockStage, MovedClock, Pause
from shared.contracts.reference import Limit
from shared.deadlines.telling import BREACHED, Percent, Told, next_telling
from shared.kernel.decider import Wake

WAKE_KIND: Final = "clock"

DueStage = ClockStage | Literal["suspension"]


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
    what: DueStage
    percent: Percent


def start(acting: Acting, stage: ClockStage, limit: Limit | None = None, *, at: datetime | None = None) -> Clock:
    """Return the clock of a stage that starts now, or started `at`; without a limit it has the city's for this stage.

    Raises:
        LookupError: if the calendar or the limit policy is not in the library, or does not reach so far.
    """
    return acting.timing.start(stage, at or acting.at, limit)


def start_leg(acting: Acting, limit: Limit) -> LegClocks:
    """Return the clocks of legs that are dispatched now.

    Raises:
        LookupError: as `start`.
    """
    return LegClocks(sign=start(acting, "sign"), handle=start(acting, "handle", limit))


def extended(acting: Acting, clock: Clock, told: Told) -> Clock:
    """Return the clock, which has told this, with one original limit more.

    Raises:
        LookupError: as `start`.
    """
    return acting.timing.move(clock, told, extensions=clock.extensions + 1)


def paused(acting: Acting, clock: Clock, told: Told, since: datetime, until: datetime) -> Clock:
    """Return the clock, which has told this, without the time between.

    Raises:
        LookupError: as `start`.
    """
    pause = Pause(started_at=since, ended_at=max(since, until))
    return acting.timing.move(clock, told, pauses=(*clock.pauses, pause))


def recomputed(acting: Acting, clock: Clock, told: Told) -> Clock:
    """Return the clock, which has told this, by the documents in force.

    Raises:
        LookupError: as `start`.
    """
    return acting.timing.move(clock, told)


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
            going_on = paused(acting, clock, leg.handle_told, leg.fed_back_at, acting.at)
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
        going_on = paused(acting, running.clock, running.told, case.merged_at, acting.at)
        moved.append(MovedClock(leg=running.leg or None, due_was=running.clock.due_at, clock=going_on))
    return tuple(moved)


def running_clocks(case: CaseState) -> list[Running]:
    """Return every clock that runs: not those that a suspension, a feedback or the end of the case has stopped."""
    if case.state in ENDED:
        return []
    running = _of_own_part(case)
    for leg in case.legs:
        running += _of_leg(case, leg)
    return running


def next_due(case: CaseState) -> Due | None:
    """Return what happens next if nobody does anything."""
    dues = _dues(case)
    return Due(*min(dues)) if dues else None


def wakes(case: CaseState) -> Sequence[Wake]:
    """Return the one wake of the case, at the next instant at which time changes something; none where none will."""
    dues = _dues(case)
    return (Wake(kind=WAKE_KIND, due_at=min(dues)[0]),) if dues else ()


def woken(stream: UUID, wake: Wake) -> FireClocks:
    """Return the command of a wake that is due."""
    return FireClocks(case_id=stream, due_at=wake.due_at)


def breach_before(
    case: CaseState, acting: Acting, stage: ClockStage, leg: LegState | None = None
) -> list[ClockBreached]:
    """Return the breach that comes before this act, where it is late and no wake has told so yet."""
    for _leg, clock, told in _of_own_part(case) if leg is None else _of_leg(case, leg):
        if clock.stage == stage and clock.due_at < acting.at and told != BREACHED:
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


def _of_own_part(case: CaseState) -> list[Running]:
    if case.state == "filed" and case.dispatch_clock is not None:
        return [Running(0, case.dispatch_clock, case.dispatch_told)]
    if case.state == "checking" and case.check is not None and case.check.clock is not None:
        return [Running(0, case.check.clock, case.check_told)]
    return []


def _of_leg(case: CaseState, leg: LegState) -> list[Running]:
    handle = case.handle_clock_of(leg)
    if leg.state in STANDING_STILL or handle is None:
        return _of_rectification(leg)
    running = [Running(leg.leg, handle, leg.handle_told), *_of_rectification(leg)]
    if leg.unsigned and (sign := case.sign_clock_of(leg)) is not None:
        running.append(Running(leg.leg, sign, leg.sign_told))
    return running


def _of_rectification(leg: LegState) -> list[Running]:
    """Return the clock that the law sets: nothing that the centre decides stops it."""
    track = leg.rectification
    clock = None if track is None else track.running
    return [] if track is None or clock is None else [Running(leg.leg, clock, track.told_of(clock.stage))]


def _dues(case: CaseState) -> list[tuple[datetime, int, DueStage, Percent]]:
    dues = [_due(leg, clock, told) for leg, clock, told in running_clocks(case) if told != BREACHED]
    if case.state == "handling":
        dues += [
            (leg.suspension.until, leg.leg, "suspension", BREACHED)
            for leg in case.legs
            if leg.state == "suspended" and leg.suspension is not None
        ]
    return dues


def _due(leg: int, clock: Clock, told: Told) -> tuple[datetime, int, DueStage, Percent]:
    at, percent = next_telling(clock, told)
    return at, leg, clock.stage, percent
