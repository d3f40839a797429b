"""What time does to a case: clocks warn and breach, suspensions end, and newer documents move what runs.

These commands come from timers and loops: they are answered in every state and never refused.
"""

from services.dispatch.domain.acting import Acting, leg_of
from services.dispatch.domain.acts.rectification import expired
from services.dispatch.domain.adjustments import FireClocks
from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.clocks import Due, breach, next_due, paused, recomputed, running_clocks
from services.dispatch.domain.commands import TimeCommand
from services.dispatch.domain.evolve import evolve
from services.dispatch.domain.legs import LegState
from shared.contracts.adjustments import LegResumed
from shared.contracts.clocks import ClocksRecomputed, ClockWarned, LegCountedAsSigned, MovedClock
from shared.deadlines.telling import BREACHED


def pass_time(case: CaseState | None, command: TimeCommand, acting: Acting) -> list[CaseEvent]:
    """Return what time, or a newer document, does to the case."""
    if case is None:
        return []
    return fire(case, command, acting) if isinstance(command, FireClocks) else [recompute(case, acting)]


def fire(case: CaseState, command: FireClocks, acting: Acting) -> list[CaseEvent]:
    """Return everything that is due by the instant of the wake, each once and in order; nothing where nothing is."""
    events: list[CaseEvent] = []
    while (due := next_due(case)) is not None and due.at <= command.due_at:
        for event in _happened(case, due, acting):
            case = evolve(case, event)
            events.append(event)
    return events


def recompute(case: CaseState, acting: Acting) -> ClocksRecomputed:
    """Return how the documents in force move the clocks that run.

    A clock that stands still follows them when it goes on.

    Raises:
        LookupError: if the calendar or the limit policy is not in the library.
    """
    moved = []
    for leg, clock, told in running_clocks(case):
        now = recomputed(acting, clock, told)
        if (now.due_at, now.warn_at, now.provisional) != (clock.due_at, clock.warn_at, clock.provisional):
            moved.append(MovedClock(leg=leg or None, due_was=clock.due_at, clock=now))
    timing = acting.timing
    return ClocksRecomputed(
        **acting.stamp,
        calendar_version=timing.calendar_version,
        policy_version=timing.policy_version,
        moved=tuple(moved),
    )


def resumed(case: CaseState, leg: LegState, acting: Acting, *, early: str | None) -> list[CaseEvent]:
    """Return how a suspended leg goes on: early for this reason, or at its end date.

    Raises:
        LookupError: as `recompute`, or if the leg is not suspended.
    """
    suspension, clock = leg.suspension, case.handle_clock_of(leg)
    if suspension is None or suspension.started_at is None or clock is None:
        raise LookupError(f"Leg {leg.leg} is not suspended.")
    until = suspension.until if early is None else min(acting.at, suspension.until)
    going_on = paused(acting, clock, leg.handle_told, suspension.started_at, until)
    return [
        LegResumed(
            **acting.stamp,
            leg=leg.leg,
            unit=leg.unit,
            cause="end_date" if early is None else "early",
            reason=early,
            due_was=clock.due_at,
            clock=going_on,
        )
    ]


def _happened(case: CaseState, due: Due, acting: Acting) -> list[CaseEvent]:
    leg = leg_of(case, due.leg) if due.leg else None
    if due.what == "suspension":
        return resumed(case, leg_of(case, due.leg), acting, early=None)
    clock = next(one.clock for one in running_clocks(case) if one.leg == due.leg and one.clock.stage == due.what)
    number, unit = (leg.leg, leg.unit) if leg else (None, None)
    if due.percent != BREACHED:
        warned = ClockWarned(
            **acting.stamp, stage=due.what, percent=due.percent, due_at=clock.due_at, leg=number, unit=unit
        )
        return [warned]
    breached: list[CaseEvent] = [breach(acting, clock, leg)]
    if due.what == "sign" and leg is not None:
        breached.append(LegCountedAsSigned(**acting.stamp, leg=leg.leg, unit=leg.unit))
    if due.what == "rectification" and leg is not None:
        breached.append(expired(leg, clock, acting))
    return breached
