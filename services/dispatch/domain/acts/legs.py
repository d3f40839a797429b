"""What a department does on its leg, and the centres with it, in the normal course."""

from services.dispatch.domain.acting import Acting, CaseDecision, leg_of
from services.dispatch.domain.acts.checks import after_last_leg
from services.dispatch.domain.case import CaseState
from services.dispatch.domain.clocks import breach_before, resumed_after_feedback
from services.dispatch.domain.commands import SendLegBack, WaiveLeg
from services.dispatch.domain.transitions import wrong_leg_state
from shared.contracts.adjustments import LegSentBack
from shared.contracts.dispatch import FeedBackLeg, LegFedBack, LegSigned, LegWaived, SignLeg
from shared.kernel.errors import Refusal


def sign(case: CaseState, command: SignLeg, acting: Acting) -> CaseDecision:
    """签收; a late one comes after its breach.

    Where time has signed for the unit (视同签收), its own signature is still recorded, once, and changes nothing else.
    """
    leg = leg_of(case, command.leg)
    if leg.state != "assigned" and (leg.signed_at is not None or not leg.counted_as_signed):
        return wrong_leg_state(leg)
    return [*breach_before(case, acting, "sign", leg), LegSigned(**acting.stamp, leg=leg.leg, unit=leg.unit)]


def feed_back(case: CaseState, command: FeedBackLeg, acting: Acting) -> CaseDecision:
    """反馈: the lead after all others; a late one comes after its breach."""
    leg = leg_of(case, command.leg)
    waiting = [other.unit for other in case.legs if other.role == "support" and not other.done]
    if leg.role == "lead" and waiting:
        detail = f"The lead feeds back last; not done yet: {', '.join(waiting)}."
        return Refusal(code="wrong_state_support_open", detail=detail)
    fed_back = LegFedBack(
        **acting.stamp,
        leg=leg.leg,
        unit=leg.unit,
        closing_condition=command.closing_condition,
        evidence=command.evidence,
    )
    return [*breach_before(case, acting, "handle", leg), fed_back, *after_last_leg(case, acting, leg)]


def waive(case: CaseState, command: WaiveLeg, acting: Acting) -> CaseDecision:
    """免办 of a support leg."""
    leg = leg_of(case, command.leg)
    if leg.role == "lead":
        return Refusal(code="lead_not_waivable", detail="The lead leg cannot be waived; only support legs can.")
    waived = LegWaived(**acting.stamp, leg=leg.leg, unit=leg.unit, reason=command.reason)
    return [waived, *after_last_leg(case, acting, leg)]


def send_back(case: CaseState, command: SendLegBack, acting: Acting) -> CaseDecision:
    """退回补充: what was fed back is obviously insufficient (domain 9.2, row 18)."""
    leg = leg_of(case, command.leg)
    resumed = resumed_after_feedback(case, (leg.leg,), acting)
    return [
        LegSentBack(
            **acting.stamp,
            leg=leg.leg,
            unit=leg.unit,
            reason=command.reason,
            resumed=resumed[0] if resumed else None,
        )
    ]
