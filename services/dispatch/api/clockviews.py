"""A case's clocks as its dossier tells them: those of its own part and those of each leg."""

from services.dispatch.domain.case import ENDED, CaseState
from services.dispatch.domain.legs import LegState
from shared.deadlines.telling import BREACHED
from shared.web.clockviews import ClockView, Watch


def own_clocks(watch: Watch, case: CaseState) -> tuple[ClockView, ...]:
    """Return the clocks of the case's own part: of its dispatch and of its check."""
    found = []
    if case.dispatch_clock is not None:
        ended = None if case.state == "filed" else case.dispatched_at
        found.append(watch.view(case.dispatch_clock, ended, breached=case.dispatch_told == BREACHED))
    if case.check is not None and case.check.clock is not None:
        ended = None if case.state == "checking" else case.checked_at
        found.append(watch.view(case.check.clock, ended, breached=case.check_told == BREACHED))
    return tuple(found)


def clocks_of(watch: Watch, case: CaseState, leg: LegState) -> tuple[ClockView, ...]:
    """Return the leg's clocks: of its signature and of its handling."""
    found = []
    sign, handle = case.sign_clock_of(leg), case.handle_clock_of(leg)
    paused = leg.suspension.started_at if leg.state == "suspended" and leg.suspension else None
    ended = case.closed_at if case.state in ENDED else None
    if sign is not None:
        breached = leg.counted_as_signed or leg.sign_told == BREACHED
        signed = leg.signed_at or (sign.due_at if leg.counted_as_signed else ended)
        found.append(watch.view(sign, signed, paused=paused if leg.unsigned else None, breached=breached))
    if handle is not None:
        stopped = leg.fed_back_at or ended
        breached = leg.handle_told == BREACHED or leg.overdue_at is not None
        found.append(watch.view(handle, stopped, paused=paused, breached=breached, given_up=leg.state == "waived"))
    return tuple(found)
