"""申诉: a department says that it should not be counted as overdue (domain 1.4). The overdue fact stays."""

from typing import Literal

from services.dispatch.domain.acting import Acting, CaseDecision, leg_of, same_person
from services.dispatch.domain.adjustments import ReviewLegAppeal
from services.dispatch.domain.case import CaseState
from shared.contracts.adjustments import AppealLeg, LegAppealed, LegAppealReviewed
from shared.kernel.errors import Refusal


def appeal(case: CaseState, command: AppealLeg, acting: Acting) -> CaseDecision:
    """申诉, once a leg."""
    leg = leg_of(case, command.leg)
    if leg.appeal is not None:
        return Refusal(code="wrong_state_already_appealed", detail=f"{leg.unit} has appealed for this leg already.")
    if leg.overdue_at is None:
        return Refusal(code="wrong_state_not_overdue", detail=f"Leg {leg.leg} is not counted as overdue.")
    return [LegAppealed(**acting.stamp, leg=leg.leg, unit=leg.unit, ground=command.ground)]


def review(case: CaseState, command: ReviewLegAppeal, acting: Acting) -> CaseDecision:
    """申诉审核: the first who rejects decides; to uphold it takes two persons."""
    leg = leg_of(case, command.leg)
    if leg.appeal is None or leg.appeal.decision is not None:
        return Refusal(code="wrong_state_no_appeal", detail=f"No appeal for leg {leg.leg} waits for a review.")
    first = leg.appeal.upheld_by
    if first is not None and same_person(first, acting.by):
        return Refusal(code="not_entitled_reviewer", detail="The second review is by another person than the first.")
    agreed: Literal["upheld"] | None = "upheld" if first is not None else None
    return [
        LegAppealReviewed(
            **acting.stamp,
            leg=leg.leg,
            unit=leg.unit,
            upheld=command.upheld,
            reason=command.reason,
            decision=agreed if command.upheld else "rejected",
        )
    ]
