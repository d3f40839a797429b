"""A case's clocks as its dossier tells them: those of its own part and those of each leg."""

from collections.abc import Iterator
from datetime import datetime

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
    """Return the leg's clocks: of its signature, of its handling, and those that the law sets."""
    found = []
    sign, handle = case.sign_clock_of(leg), case.handle_clock_of(leg)
    paused = leg.suspension.started_at if leg.state == "suspended" and leg.suspension else None
    ended = case.closed_at if case.state in ENDED else None
    if sign is not None:
        breached = leg.counted_as_signed or leg.sign_told == BREACHED
        signed = sign.due_at if leg.counted_as_signed else leg.signed_at or ended
        found.append(watch.view(sign, signed, paused=paused if leg.unsigned else None, breached=breached))
    if handle is not None:
        stopped = leg.fed_back_at or ended
        breached = leg.handle_told == BREACHED or leg.overdue_at is not None
        found.append(watch.view(handle, stopped, paused=paused, breached=breached, given_up=leg.state == "waived"))
    return (*found, *_by_law(watch, leg, ended))


def _by_law(watch: Watch, leg: LegState, ended: datetime | None) -> Iterator[ClockView]:
    """Give the clocks of the latest order: of the party, and of the re-inspection. No suspension stops them."""
    track = leg.rectification
    if track is None:
        return
    if track.rectification_clock is not None:
        breached = track.rectification_told == BREACHED
        yield watch.view(track.rectification_clock, track.limit_ended_at or ended, breached=breached)
    if track.reinspection_clock is not None:
        breached = track.reinspection_told == BREACHED
        yield watch.view(track.reinspection_clock, track.reinspected_at or ended, breached=breached)
