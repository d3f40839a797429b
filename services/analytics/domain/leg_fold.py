"""How the events of `dispatch.cases` change what is known of one department's part of a case."""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from services.analytics.domain.facts import Again, LegFacts
from shared.contracts import adjustments, clocks, dispatch, rectification

LegEvent = (
    dispatch.LegSigned
    | dispatch.LegFedBack
    | dispatch.LegReturnRequested
    | dispatch.LegReturnRefused
    | dispatch.LegReturnUpheld
    | dispatch.LegWaived
    | adjustments.LegRuled
    | adjustments.LegSentBack
    | adjustments.LegExtensionRequested
    | adjustments.LegExtended
    | adjustments.LegExtensionRefused
    | adjustments.LegSuspensionRequested
    | adjustments.LegSuspensionEndorsed
    | adjustments.LegSuspended
    | adjustments.LegSuspensionRefused
    | adjustments.LegResumed
    | adjustments.LegAppealed
    | adjustments.LegAppealReviewed
    | clocks.LegCountedAsSigned
    | rectification.RectificationEvent
)
"""About one leg, which it names."""


def assigned(leg: dispatch.Leg, at: datetime, clock: clocks.Clock | None) -> LegFacts:
    """Return a leg as it is dispatched."""
    return LegFacts(leg=leg.leg, unit=leg.unit, role=leg.role, state="assigned", assigned_at=at, due_at=_due(clock))


def once_more(leg: LegFacts, why: Again, reason: str | None, clock: clocks.Clock | None, *, rework: bool) -> LegFacts:
    """Return a leg that goes back to its unit; as rework it is counted."""
    return replace(
        leg,
        state="handling",
        again=why,
        again_reason=reason,
        reworks=leg.reworks + rework,
        due_at=_due(clock) or leg.due_at,
    )


def overdue(leg: LegFacts, due_at: datetime) -> LegFacts:
    """Return a leg whose handling deadline has passed; what exempted it from an earlier one does not cover this one."""
    return replace(leg, overdue_at=leg.overdue_at or due_at, exempted_at=None)


def evolve_leg(leg: LegFacts, event: LegEvent) -> LegFacts:  # noqa: C901, PLR0911 - one arm an event
    """Return a leg after an event that names it."""
    match event:
        case dispatch.LegSigned():
            return replace(leg, state="handling", signed_at=event.at)
        case dispatch.LegFedBack():
            return replace(_settled(leg), state="fed_back", fed_back_at=event.at)
        case dispatch.LegReturnRequested():
            return replace(leg, state="return_pending")
        case dispatch.LegReturnRefused():
            return replace(leg, state="handling")
        case dispatch.LegReturnUpheld() | adjustments.LegRuled():
            return _taken_over(leg, event)
        case dispatch.LegWaived():
            return replace(_settled(leg), state="waived", waived_at=event.at)
        case adjustments.LegSentBack():
            clock = None if event.resumed is None else event.resumed.clock
            return once_more(leg, "sent_back", event.reason, clock, rework=True)
        case clocks.LegCountedAsSigned():
            return replace(leg, state="handling") if leg.state == "assigned" else leg
        case adjustments.LegAppealed():
            return replace(leg, appeal="pending")
        case adjustments.LegAppealReviewed():
            return _reviewed(leg, event)
        case (
            rectification.LegRectificationOrdered()
            | rectification.LegRectificationClaimed()
            | rectification.LegRectificationExpired()
            | rectification.LegReinspected()
            | rectification.LegEnforcementRecorded()
        ):
            return leg  # nothing that is counted: the leg stays with its unit until it feeds back
        case _:
            return _adjusted(leg, event)


def _due(clock: clocks.Clock | None) -> datetime | None:
    return None if clock is None else clock.due_at


def _settled(leg: LegFacts) -> LegFacts:
    """Return the leg without what was pending or in force until it was done."""
    return replace(leg, again=None, again_reason=None, extension_requested=False, suspension=None, suspended_until=None)


def _taken_over(leg: LegFacts, event: dispatch.LegReturnUpheld | adjustments.LegRuled) -> LegFacts:
    """Let another unit begin anew: what the first one did is not scored (domain 9.2, row 11)."""
    return LegFacts(
        leg=leg.leg,
        unit=event.to_unit,
        role=leg.role,
        state="assigned",
        assigned_at=event.at,
        due_at=_due(event.handle_clock),
    )


def _reviewed(leg: LegFacts, event: adjustments.LegAppealReviewed) -> LegFacts:
    if event.decision is None:
        return leg
    exempted_at = event.at if event.decision == "upheld" else None
    return replace(leg, appeal=event.decision, exempted_at=exempted_at)


def _adjusted(
    leg: LegFacts,
    event: adjustments.LegExtensionRequested
    | adjustments.LegExtended
    | adjustments.LegExtensionRefused
    | adjustments.LegSuspensionRequested
    | adjustments.LegSuspensionEndorsed
    | adjustments.LegSuspended
    | adjustments.LegSuspensionRefused
    | adjustments.LegResumed,
) -> LegFacts:
    match event:
        case adjustments.LegExtensionRequested():
            return replace(leg, extension_requested=True)
        case adjustments.LegExtensionRefused():
            return replace(leg, extension_requested=False)
        case adjustments.LegExtended():
            return replace(leg, extension_requested=False, due_at=event.clock.due_at)
        case adjustments.LegSuspensionRequested():
            return replace(leg, suspension="requested")
        case adjustments.LegSuspensionEndorsed():
            return replace(leg, suspension="endorsed")
        case adjustments.LegSuspensionRefused():
            return replace(leg, suspension=None)
        case adjustments.LegSuspended():
            return replace(leg, state="suspended", suspension=None, suspended_until=event.until)
        case adjustments.LegResumed():
            return replace(leg, state="handling", suspended_until=None, due_at=event.clock.due_at)
        case _:
            assert_never(event)
