"""挂账: a leg rests, with reason, plan and end date; a dispatcher looks first, the leader decides (rows 15 and 16)."""

from datetime import datetime, timedelta

from services.dispatch.domain.acting import Acting, CaseDecision, leg_of, refuse
from services.dispatch.domain.acts.clocks import resumed
from services.dispatch.domain.acts.extensions import refuse_second_request
from services.dispatch.domain.adjustments import DecideLegSuspension, EndorseLegSuspension
from services.dispatch.domain.case import CaseState
from shared.contracts.adjustments import (
    LegSuspended,
    LegSuspensionEndorsed,
    LegSuspensionRefused,
    LegSuspensionRequested,
    RequestLegSuspension,
    ResumeLeg,
)
from shared.kernel.errors import FieldError, Refusal


def request_suspension(case: CaseState, command: RequestLegSuspension, acting: Acting) -> CaseDecision:
    """申请挂账, once a leg."""
    leg = leg_of(case, command.leg)
    if case.handle_clock_of(leg) is None:
        return Refusal(code="no_clock", detail=f"Leg {leg.leg} has no deadline.")
    if leg.suspended_before:
        return Refusal(code="suspended_before", detail=f"Leg {leg.leg} was suspended before; once is all.")
    pending = refuse_second_request(leg)
    if pending is not None:
        return pending
    problem = _problem_with(command.until, acting.at)
    if problem is not None:
        return refuse(problem.message, [problem])
    return [
        LegSuspensionRequested(
            **acting.stamp,
            leg=leg.leg,
            unit=leg.unit,
            reason=command.reason,
            plan=command.plan,
            until=command.until,
        )
    ]


def endorse_suspension(case: CaseState, command: EndorseLegSuspension, acting: Acting) -> CaseDecision:
    """挂账初审."""
    leg = leg_of(case, command.leg)
    if leg.suspension is None:
        return _nothing_pending(leg.leg)
    if leg.suspension.endorsed:
        return Refusal(code="already_endorsed", detail=f"The suspension of leg {leg.leg} waits for the leader.")
    event = LegSuspensionEndorsed if command.endorsed else LegSuspensionRefused
    return [event(**acting.stamp, leg=leg.leg, unit=leg.unit, reason=command.reason)]


def decide_suspension(case: CaseState, command: DecideLegSuspension, acting: Acting) -> CaseDecision:
    """挂账审批."""
    leg = leg_of(case, command.leg)
    suspension = leg.suspension
    if suspension is None:
        return _nothing_pending(leg.leg)
    if not suspension.endorsed:
        return Refusal(code="not_endorsed", detail="A dispatcher looks at a suspension before the leader decides it.")
    if not command.approved:
        return [LegSuspensionRefused(**acting.stamp, leg=leg.leg, unit=leg.unit, reason=command.reason)]
    if suspension.until <= acting.at:
        return Refusal(code="until_passed", detail=f"It was asked for until {suspension.until}, which has passed.")
    return [
        LegSuspended(
            **acting.stamp,
            leg=leg.leg,
            unit=leg.unit,
            reason=suspension.reason,
            plan=suspension.plan,
            until=suspension.until,
        )
    ]


def resume(case: CaseState, command: ResumeLeg, acting: Acting) -> CaseDecision:
    """恢复处置 before the end date, by the department or a dispatcher."""
    return resumed(case, leg_of(case, command.leg), acting, early=command.reason)


def _problem_with(until: datetime, at: datetime) -> FieldError | None:
    if until <= at:
        return FieldError(field="until", code="until_not_future", message="A suspension ends in the future.")
    if until > _year_after(at):
        return FieldError(field="until", code="until_too_far", message="A suspension ends within a year.")
    return None


def _year_after(at: datetime) -> datetime:
    try:
        return at.replace(year=at.year + 1)
    except ValueError:  # 29 February
        return at.replace(year=at.year + 1, day=28) + timedelta(days=1)


def _nothing_pending(leg: int) -> Refusal:
    return Refusal(code="no_suspension_pending", detail=f"Nobody has asked to suspend leg {leg}.")
