"""核查 and 结案: somebody else than who handled says whether the problem is gone (I-10, I-11)."""

from services.dispatch.domain.acting import Acting, CaseDecision, refuse
from services.dispatch.domain.case import CaseState
from services.dispatch.domain.commands import CheckCase, CloseCase
from services.dispatch.domain.gate import obstacles
from shared.contracts.dispatch import CaseChecked, CaseClosed
from shared.kernel.errors import FieldError, Refusal


def check(case: CaseState, command: CheckCase, acting: Acting) -> CaseDecision:
    """核查."""
    fed_back = tuple(leg.leg for leg in case.legs if leg.state == "fed_back")
    errors = []
    if command.passed and command.rework:
        message = "A passed check sends nothing back."
        errors.append(FieldError(field="rework", code="not_expected", message=message))
    if not command.passed and command.reason is None:
        errors.append(FieldError(field="reason", code="required", message="A failed check says why."))
    errors += [
        FieldError(field=f"rework.{index}", code="leg_not_fed_back", message=f"Leg {leg} was not fed back.")
        for index, leg in enumerate(command.rework)
        if leg not in fed_back
    ]
    if errors:
        return refuse("The result of the check is not complete.", errors)
    rework = () if command.passed else tuple(sorted(set(command.rework))) or fed_back
    return [CaseChecked(**acting.stamp, passed=command.passed, rework=rework, reason=command.reason)]


def close(case: CaseState, _command: CloseCase, acting: Acting) -> CaseDecision:
    """结案."""
    found = obstacles(case)
    if found:
        detail = " ".join(obstacle.message for obstacle in found)
        return Refusal(code=f"wrong_state_{found[0].code}", detail=detail, errors=found)
    return [CaseClosed(**acting.stamp)]
