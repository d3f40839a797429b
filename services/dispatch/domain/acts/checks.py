"""核查: somebody else than who handled says whether the problem is gone (I-10)."""

from collections.abc import Sequence

from services.dispatch.domain.acting import Acting, CaseDecision, category_of, refuse
from services.dispatch.domain.case import CaseState
from services.dispatch.domain.checkers import candidates, choose
from services.dispatch.domain.clocks import breach_before, resumed_after_feedback, start
from services.dispatch.domain.commands import AssignCheck, CheckCase
from services.dispatch.domain.legs import LegState, units_of
from shared.contracts.adjustments import CaseCheckAssigned
from shared.contracts.dispatch import CaseChecked
from shared.kernel.errors import FieldError, Refusal


def after_last_leg(case: CaseState, acting: Acting, done: LegState) -> Sequence[CaseCheckAssigned]:
    """Return the check that follows when `done` was the last leg of which something was expected.

    None where the category needs no look on site (domain 9.2, row 22), or where nobody can check who does not handle
    the case: then a dispatcher decides.
    """
    if any(not leg.done for leg in case.legs if leg.leg != done.leg):
        return ()
    if category_of(case, acting).no_site_check:
        return ()
    chosen = choose(acting.units, units_of(case.legs), acting.context.stream, case.opened.place.street)
    if chosen is None:
        return ()
    return (
        CaseCheckAssigned(
            **acting.by_rule,
            unit=chosen.unit,
            rule=chosen.rule,
            candidates=chosen.candidates,
            clock=start(acting, "check"),
        ),
    )


def assign(case: CaseState, command: AssignCheck, acting: Acting) -> CaseDecision:
    """派核查 by hand, to another unit than the rule's, or where the rule found none."""
    able = candidates(acting.units, units_of(case.legs))
    if command.unit not in able:
        message = f"{command.unit} has no collectors, or handles the case."
        return refuse(message, [FieldError(field="unit", code="no_checker", message=message)])
    if case.check is not None and case.check.unit == command.unit:
        message = f"{command.unit} is to check it already."
        return refuse(message, [FieldError(field="unit", code="already_assigned", message=message)])
    assigned = CaseCheckAssigned(
        **acting.stamp,
        unit=command.unit,
        rule="by_hand",
        candidates=able,
        clock=start(acting, "check"),
        reason=command.reason,
    )
    return [*breach_before(case, acting, "check"), assigned]


def check(case: CaseState, command: CheckCase, acting: Acting) -> CaseDecision:
    """核查, by the unit that was chosen for it; a late one comes after its breach."""
    if case.check is None or case.check.unit != acting.by.unit:
        unit = case.check.unit if case.check else "nobody"
        return Refusal(code="not_entitled_other_unit", detail=f"{unit} is to check this case, not {acting.by.unit}.")
    fed_back = tuple(leg.leg for leg in case.legs if leg.state == "fed_back")
    errors = _errors(command, fed_back)
    if errors:
        return refuse("The result of the check is not complete.", errors)
    rework = () if command.passed else tuple(sorted(set(command.rework))) or fed_back
    checked = CaseChecked(
        **acting.stamp,
        passed=command.passed,
        rework=rework,
        reason=command.reason,
        resumed=resumed_after_feedback(case, rework, acting),
    )
    return [*breach_before(case, acting, "check"), checked]


def _errors(command: CheckCase, fed_back: Sequence[int]) -> list[FieldError]:
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
    return errors
