"""延期: a department asks before it is overdue; the post that the case needs decides (domain 1.4; 9.2, row 14)."""

from typing import Final

from services.dispatch.domain.acting import Acting, CaseDecision, leg_of
from services.dispatch.domain.acts.returns import refuse_overdue
from services.dispatch.domain.adjustments import DecideLegExtension
from services.dispatch.domain.case import CaseState
from services.dispatch.domain.clocks import extended
from services.dispatch.domain.legs import LegState
from shared.contracts.adjustments import (
    LegExtended,
    LegExtensionRefused,
    LegExtensionRequested,
    RequestLegExtension,
)
from shared.contracts.common import Post
from shared.kernel.errors import Refusal

EXTENSIONS: Final = 2
"""So many extensions of a leg are approved at most; refused ones do not count."""


def request_extension(case: CaseState, command: RequestLegExtension, acting: Acting) -> CaseDecision:
    """申请延期."""
    leg = leg_of(case, command.leg)
    clock = case.handle_clock_of(leg)
    if clock is None:
        return Refusal(code="no_clock", detail=f"Leg {leg.leg} has no deadline.")
    if clock.extensions >= EXTENSIONS:
        return Refusal(code="extensions_exhausted", detail=f"Leg {leg.leg} was extended {clock.extensions} times.")
    refusal = refuse_second_request(leg) or refuse_overdue(leg, clock, acting)
    if refusal is not None:
        return refusal
    return [
        LegExtensionRequested(
            **acting.stamp, leg=leg.leg, unit=leg.unit, reason=command.reason, engineering=command.engineering
        )
    ]


def decide_extension(case: CaseState, command: DecideLegExtension, acting: Acting) -> CaseDecision:
    """延期审批: one original limit more, or none."""
    leg = leg_of(case, command.leg)
    clock = case.handle_clock_of(leg)
    if leg.extension is None or clock is None:
        return Refusal(code="no_extension_pending", detail=f"Nobody has asked to extend leg {leg.leg}.")
    entitled: Post = "leader" if leg.extension.engineering or clock.extensions else "duty_leader"
    if acting.by.post != entitled:
        return Refusal(
            code="not_entitled_post", detail=f"This extension is for {entitled} to decide, not for {acting.by.post}."
        )
    if not command.approved:
        return [LegExtensionRefused(**acting.stamp, leg=leg.leg, unit=leg.unit, reason=command.reason)]
    return [
        LegExtended(
            **acting.stamp,
            leg=leg.leg,
            unit=leg.unit,
            reason=command.reason,
            due_was=clock.due_at,
            clock=extended(acting, clock, leg.handle_told),
        )
    ]


def refuse_second_request(leg: LegState) -> Refusal | None:
    """Return the refusal of a request beside one that nobody has decided yet."""
    if leg.extension is not None:
        return Refusal(code="extension_pending", detail=f"An extension of leg {leg.leg} has been asked for already.")
    if leg.suspension is not None:
        return Refusal(code="suspension_pending", detail=f"A suspension of leg {leg.leg} has been asked for already.")
    return None
