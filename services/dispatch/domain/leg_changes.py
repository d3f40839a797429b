"""How events change the legs of a case, and what time does to their clocks."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import assert_never

import msgspec

from services.dispatch.domain import rectifying
from services.dispatch.domain.legs import Legs, LegState, PendingExtension, Suspension, find_leg
from services.dispatch.domain.pending import Appeal
from shared.contracts.adjustments import (
    CaseRedispatched,
    CaseReopened,
    CaseSupervisionAnswered,
    LegAppealed,
    LegAppealReviewed,
    LegExtended,
    LegExtensionRefused,
    LegExtensionRequested,
    LegResumed,
    LegRuled,
    LegsAdded,
    LegSentBack,
    LegSuspended,
    LegSuspensionEndorsed,
    LegSuspensionRefused,
    LegSuspensionRequested,
)
from shared.contracts.clocks import ClockBreached, ClocksRecomputed, ClockWarned, LegCountedAsSigned, MovedClock
from shared.contracts.dispatch import (
    CaseChecked,
    CaseDispatched,
    Leg,
    LegFedBack,
    LegReturnRefused,
    LegReturnRequested,
    LegReturnUpheld,
    LegSigned,
    LegWaived,
)
from shared.contracts.rectification import (
    LegEnforcementRecorded,
    LegRectificationClaimed,
    LegRectificationExpired,
    LegRectificationOrdered,
    LegReinspected,
    RectificationEvent,
)
from shared.deadlines.telling import BREACHED, Told, told_after

LegChange = (
    LegSigned
    | LegFedBack
    | LegReturnRequested
    | LegReturnRefused
    | LegReturnUpheld
    | LegRuled
    | LegWaived
    | LegSentBack
    | LegExtensionRequested
    | LegExtended
    | LegExtensionRefused
    | LegSuspensionRequested
    | LegSuspensionEndorsed
    | LegSuspended
    | LegSuspensionRefused
    | LegResumed
    | LegCountedAsSigned
    | CaseSupervisionAnswered
    | LegAppealed
    | LegAppealReviewed
    | RectificationEvent
)
"""Changes one leg, which it names; `revision` counts it."""
LegEvent = CaseDispatched | CaseRedispatched | LegsAdded | CaseChecked | CaseReopened | LegChange
ClockEvent = ClockWarned | ClockBreached | ClocksRecomputed
"""What time does to clocks: no change of anybody's part, so that it never makes a revision stale."""


def evolve_legs(legs: Legs, event: LegEvent) -> Legs:
    """Return the legs after the event."""
    match event:
        case CaseDispatched():
            return tuple(_assigned(leg, event.at) for leg in event.legs)
        case CaseRedispatched():
            return tuple(_assigned(leg, event.at, revision=_revision_after(legs, leg.leg)) for leg in event.legs)
        case LegsAdded():
            own = {"sign_clock": event.sign_clock, "handle_clock": event.handle_clock, "ruling": event.explanation}
            return (*legs, *(msgspec.structs.replace(_assigned(leg, event.at), **own) for leg in event.legs))
        case CaseChecked():
            resumed = {moved.leg: moved for moved in event.resumed}
            return _changed(
                legs, event.rework, lambda leg: _reworked(leg, event.reason, resumed.get(leg.leg), event.at)
            )
        case CaseReopened():
            return _changed(legs, event.legs, lambda leg: _reopened(leg, event))
        case _:
            return _changed(legs, (event.leg,), lambda leg: _evolve_leg(leg, event))


def tell_leg_clocks(legs: Legs, event: ClockWarned | ClockBreached) -> Legs:
    """Return the legs after a clock of one of them has warned or breached."""
    if event.stage in {"rectification", "reinspection"}:
        track = next((leg.rectification for leg in legs if leg.leg == event.leg), None)
        return _replaced(legs, event.leg, rectification=track and rectifying.tell(track, event))
    if isinstance(event, ClockWarned):
        return _replaced(legs, event.leg, **_told(event, event.percent))
    changes = _told(event, BREACHED)
    if event.stage == "handle":
        overdue_since = next((leg.overdue_at for leg in legs if leg.leg == event.leg), None)
        changes["overdue_at"] = overdue_since or event.due_at
    return _replaced(legs, event.leg, **changes)


def move_leg_clocks(legs: Legs, moved: Sequence[MovedClock], at: datetime) -> Legs:
    """Return the legs with those of these clocks that are theirs."""
    for one in moved:
        leg = None if one.leg is None else find_leg(legs, one.leg)
        if leg is not None:
            legs = _replaced(legs, leg.leg, **_clock_moved(leg, one, at))
    return legs


def _assigned(leg: Leg, at: datetime, revision: int = 1) -> LegState:
    return LegState(
        leg=leg.leg,
        unit=leg.unit,
        role=leg.role,
        limit=leg.limit,
        state="assigned",
        revision=revision,
        assigned_at=at,
    )


def _revision_after(legs: Legs, number: int) -> int:
    known = find_leg(legs, number)
    return 1 if known is None else known.revision + 1


def _changed(legs: Legs, numbers: Sequence[int], change: Callable[[LegState], LegState]) -> Legs:
    return tuple(
        msgspec.structs.replace(change(leg), revision=leg.revision + 1) if leg.leg in numbers else leg for leg in legs
    )


def _replaced(legs: Legs, number: int | None, **changes: object) -> Legs:
    return tuple(msgspec.structs.replace(leg, **changes) if leg.leg == number else leg for leg in legs)


def _told(event: ClockWarned | ClockBreached, told: Told) -> dict[str, object]:
    return {"sign_told" if event.stage == "sign" else "handle_told": told}


def _clock_moved(leg: LegState, moved: MovedClock, at: datetime) -> dict[str, object]:
    clock = moved.clock
    if clock.stage == "sign":
        return {"sign_clock": clock, "sign_told": told_after(leg.sign_told, moved.due_was, clock, at)}
    track = leg.rectification
    if track is not None and clock.stage != "handle":
        told = told_after(track.told_of(clock.stage), moved.due_was, clock, at)
        return {"rectification": rectifying.move(track, clock, told)}
    return {"handle_clock": clock, "handle_told": told_after(leg.handle_told, moved.due_was, clock, at)}


def _reworked(leg: LegState, reason: str | None, resumed: MovedClock | None, at: datetime) -> LegState:
    clocks = {} if resumed is None else _clock_moved(leg, resumed, at)
    return msgspec.structs.replace(
        leg, state="handling", fed_back_at=None, rework=leg.rework + 1, reason=reason, **clocks
    )


def _reopened(leg: LegState, event: CaseReopened) -> LegState:
    return msgspec.structs.replace(
        leg, state="handling", fed_back_at=None, reason=event.reason, handle_clock=event.handle_clock, handle_told=0
    )


def _taken_over(leg: LegState, event: LegReturnUpheld | LegRuled) -> LegState:
    """The leg as another unit's task: what was of the unit before is gone, its clocks too (domain 1.7, rule 5)."""
    ruled = isinstance(event, LegRuled)
    return LegState(
        leg=leg.leg,
        unit=event.to_unit,
        role=leg.role,
        limit=leg.limit,
        state="assigned",
        revision=leg.revision,
        assigned_at=event.at,
        rework=leg.rework,
        returns=leg.returns if ruled else leg.returns + 1,
        ruled=ruled,
        reason=event.explanation.reason,
        ruling=event.explanation,
        sign_clock=event.sign_clock,
        handle_clock=event.handle_clock,
    )


def _evolve_leg(leg: LegState, event: LegChange) -> LegState:  # noqa: C901, PLR0911, PLR0912 - one arm an event
    replace = msgspec.structs.replace
    match event:
        case LegSigned():
            return replace(leg, state="handling", signed_at=event.at)
        case CaseSupervisionAnswered():
            return leg
        case LegCountedAsSigned():
            return replace(leg, state="handling" if leg.state == "assigned" else leg.state, counted_as_signed=True)
        case LegFedBack():
            return replace(
                leg,
                state="fed_back",
                fed_back_at=event.at,
                fed_back_by=event.by.person,
                reason=None,
                extension=None,
                suspension=None,
            )
        case LegReturnRequested():
            return replace(leg, state="return_pending", reason=event.ground, return_reason=event.reason)
        case LegReturnRefused():
            return replace(leg, state="handling", reason=event.reason, return_reason=None, returns=leg.returns + 1)
        case LegReturnUpheld() | LegRuled():
            return _taken_over(leg, event)
        case LegWaived():
            return replace(leg, state="waived", reason=event.reason, extension=None, suspension=None)
        case LegSentBack():
            return _reworked(leg, event.reason, event.resumed, event.at)
        case LegExtensionRequested():
            return replace(leg, extension=PendingExtension(reason=event.reason, engineering=event.engineering))
        case LegExtensionRefused():
            return replace(leg, extension=None)
        case LegExtended():
            return replace(leg, extension=None, **_clock_moved(leg, _moved(event), event.at))
        case LegAppealed():
            return replace(leg, appeal=Appeal(appealed_at=event.at, ground=event.ground))
        case LegAppealReviewed():
            upheld_by = event.by if event.upheld and event.decision is None else None
            reviewed = leg.appeal and replace(leg.appeal, upheld_by=upheld_by, decision=event.decision)
            return replace(leg, appeal=reviewed)
        case LegSuspensionRequested():
            return replace(leg, suspension=Suspension(reason=event.reason, plan=event.plan, until=event.until))
        case (
            LegRectificationOrdered()
            | LegRectificationClaimed()
            | LegRectificationExpired()
            | LegReinspected()
            | LegEnforcementRecorded()
        ):
            return replace(leg, rectification=rectifying.evolve_rectification(leg.rectification, event))
        case _:
            return _evolve_suspension(leg, event)


def _evolve_suspension(
    leg: LegState, event: LegSuspensionEndorsed | LegSuspended | LegSuspensionRefused | LegResumed
) -> LegState:
    replace = msgspec.structs.replace
    match event:
        case LegSuspensionEndorsed():
            pending = leg.suspension and replace(leg.suspension, endorsed=True)
            return replace(leg, suspension=pending)
        case LegSuspensionRefused():
            return replace(leg, suspension=None)
        case LegSuspended():
            suspension = Suspension(
                reason=event.reason, plan=event.plan, until=event.until, endorsed=True, started_at=event.at
            )
            return replace(leg, state="suspended", suspension=suspension, suspended_before=True)
        case LegResumed():
            moved = _clock_moved(leg, _moved(event), event.at)
            return replace(leg, state="handling", suspension=None, **moved)
        case _:
            assert_never(event)


def _moved(event: LegExtended | LegResumed) -> MovedClock:
    return MovedClock(leg=event.leg, due_was=event.due_was, clock=event.clock)
