"""回退: a department says that a task is not for it; somebody entitled rules."""

from services.dispatch.domain.acting import Acting, CaseDecision, leg_of, refuse, unknown_unit
from services.dispatch.domain.case import CaseState
from services.dispatch.domain.commands import DecideLegReturn
from services.dispatch.domain.legs import units_of
from services.dispatch.domain.routing import handling_unit
from shared.contracts.dispatch import LegReturnRefused, LegReturnRequested, LegReturnUpheld, RequestLegReturn
from shared.kernel.errors import FieldError


def request_return(case: CaseState, command: RequestLegReturn, acting: Acting) -> CaseDecision:
    """申请回退."""
    unit = leg_of(case, command.leg).unit
    return [
        LegReturnRequested(**acting.stamp, leg=command.leg, unit=unit, reason=command.reason, ground=command.ground)
    ]


def decide_return(case: CaseState, command: DecideLegReturn, acting: Acting) -> CaseDecision:
    """Rule on a request: it goes to another unit, or stays."""
    leg = leg_of(case, command.leg)
    to_unit = command.to_unit
    if not command.upheld:
        if to_unit is not None:
            message = "A refused return goes to no other unit."
            return refuse(message, [FieldError(field="to_unit", code="not_expected", message=message)])
        return [LegReturnRefused(**acting.stamp, leg=leg.leg, unit=leg.unit, reason=command.reason)]
    if to_unit is None:
        message = "An upheld return names the unit that takes the task."
        return refuse(message, [FieldError(field="to_unit", code="required", message=message)])
    if handling_unit(acting.units, to_unit) is None:
        return refuse("The task cannot go there.", [unknown_unit("to_unit", to_unit)])
    if to_unit in units_of(case.legs):
        message = f"{to_unit} already has a leg."
        return refuse(message, [FieldError(field="to_unit", code="unit_has_leg", message=message)])
    explanation = acting.by_hand(case, "ruling", command.reason)
    return [LegReturnUpheld(**acting.stamp, leg=leg.leg, unit=leg.unit, to_unit=to_unit, explanation=explanation)]
