"""督办 and 升级: who watches a case, and who has to solve it."""

from services.dispatch.domain.acting import Acting, CaseDecision, category_of, leg_of, refuse
from services.dispatch.domain.adjustments import EscalateCase, SuperviseCase
from services.dispatch.domain.case import CaseState
from shared.contracts.adjustments import AnswerSupervision, CaseEscalated, CaseSupervised, CaseSupervisionAnswered
from shared.contracts.common import LEVELS
from shared.kernel.errors import FieldError, Refusal


def supervise(_case: CaseState, command: SuperviseCase, acting: Acting) -> CaseDecision:
    """督办; a later one takes the place of the one before."""
    if command.reply_by is not None and command.reply_by <= acting.at:
        message = "The answer is wanted by an instant that has passed."
        return refuse(message, [FieldError(field="reply_by", code="in_the_past", message=message)])
    return [CaseSupervised(**acting.stamp, reason=command.reason, reply_by=command.reply_by)]


def answer(case: CaseState, command: AnswerSupervision, acting: Acting) -> CaseDecision:
    """督办答复, once a leg."""
    leg = leg_of(case, command.leg)
    if case.supervision is None:
        return Refusal(code="wrong_state_not_supervised", detail="Nobody supervises this case.")
    if leg.leg in case.supervision.answered:
        return Refusal(code="wrong_state_supervision_answered", detail=f"{leg.unit} has answered already.")
    return [CaseSupervisionAnswered(**acting.stamp, leg=leg.leg, unit=leg.unit, answer=command.answer)]


def escalate(case: CaseState, command: EscalateCase, acting: Acting) -> CaseDecision:
    """升级: one level up; categories of safety may jump (domain 5). A street escalates its own cases."""
    if acting.by.post == "street" and _street_of(acting) != case.opened.place.street:
        return Refusal(code="not_entitled_other_street", detail=f"The case is not at a place of {acting.by.unit}.")
    steps = LEVELS.index(command.to_level) - LEVELS.index(case.level)
    if steps <= 0:
        return Refusal(code="not_upwards", detail=f"The case is at the level {case.level}: it only goes further up.")
    if steps > 1 and not category_of(case, acting).safety:
        return Refusal(
            code="level_jump", detail=f"From {case.level} it goes one level up; only matters of safety may jump."
        )
    return [CaseEscalated(**acting.stamp, from_level=case.level, to_level=command.to_level, reason=command.reason)]


def _street_of(acting: Acting) -> str:
    unit = next(unit for unit in acting.units.units if unit.code == acting.by.unit)
    return unit.street or ""
