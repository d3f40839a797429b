"""What a department does on its leg, and the centres with it, in the normal course."""

from services.dispatch.domain.acting import Acting, CaseDecision, leg_of
from services.dispatch.domain.acts.checks import after_last_leg
from services.dispatch.domain.case import CaseState
from services.dispatch.domain.commands import WaiveLeg
from shared.contracts.dispatch import FeedBackLeg, LegFedBack, LegSigned, LegWaived, SignLeg
from shared.kernel.errors import Refusal


def sign(case: CaseState, command: SignLeg, acting: Acting) -> CaseDecision:
    """签收."""
    return [LegSigned(**acting.stamp, leg=command.leg, unit=leg_of(case, command.leg).unit)]


def feed_back(case: CaseState, command: FeedBackLeg, acting: Acting) -> CaseDecision:
    """反馈: the lead after all others."""
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
    return [fed_back, *after_last_leg(case, acting, leg)]


def waive(case: CaseState, command: WaiveLeg, acting: Acting) -> CaseDecision:
    """免办 of a support leg."""
    leg = leg_of(case, command.leg)
    if leg.role == "lead":
        return Refusal(code="lead_not_waivable", detail="The lead leg cannot be waived; only support legs can.")
    waived = LegWaived(**acting.stamp, leg=leg.leg, unit=leg.unit, reason=command.reason)
    return [waived, *after_last_leg(case, acting, leg)]
