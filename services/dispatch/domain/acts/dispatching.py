"""派遣 by hand."""

from services.dispatch.domain.acting import Acting, CaseDecision, refuse, unknown_unit
from services.dispatch.domain.case import CaseState
from services.dispatch.domain.commands import DispatchCase
from services.dispatch.domain.routing import handling_unit, legs_of
from shared.contracts.dispatch import CaseDispatched
from shared.kernel.errors import FieldError


def dispatch(case: CaseState, command: DispatchCase, acting: Acting) -> CaseDecision:
    """Give the case the legs that a dispatcher names."""
    errors = []
    if handling_unit(acting.units, command.lead) is None:
        errors.append(unknown_unit("lead", command.lead))
    for index, unit in enumerate(command.support):
        if handling_unit(acting.units, unit) is None:
            errors.append(unknown_unit(f"support.{index}", unit))
        elif unit == command.lead or unit in command.support[:index]:
            message = f"{unit} already has a leg."
            errors.append(FieldError(field=f"support.{index}", code="unit_has_leg", message=message))
    if errors:
        return refuse("The case cannot be dispatched so.", errors)
    explanation = acting.by_hand(case, "dispatcher", command.reason)
    legs = legs_of(command.lead, command.support, case.opened.limit)
    return [CaseDispatched(**acting.stamp, legs=legs, explanation=explanation)]
