"""回退 and 裁定: a department says that a task is not for it; after two returns the leader rules."""

from typing import Final

from services.dispatch.domain.acting import Acting, CaseDecision, leg_of, refuse, unknown_unit
from services.dispatch.domain.acts.checks import after_last_leg
from services.dispatch.domain.case import CaseState
from services.dispatch.domain.clocks import start_leg
from services.dispatch.domain.commands import DecideLegReturn, RuleLeg
from services.dispatch.domain.legs import LegState, units_of
from services.dispatch.domain.routing import handling_unit
from shared.contracts.adjustments import LegRuled
from shared.contracts.clocks import Clock
from shared.contracts.dispatch import (
    LegReturnRefused,
    LegReturnRequested,
    LegReturnUpheld,
    LegWaived,
    RequestLegReturn,
)
from shared.kernel.errors import FieldError, Refusal

RETURNS: Final = 2
"""So many returns of a leg are decided, either way; then it is ruled (domain 8)."""


def request_return(case: CaseState, command: RequestLegReturn, acting: Acting) -> CaseDecision:
    """申请回退: before the leg is overdue, and not for ever (domain 9.2, row 10).

    That work on site has not begun nothing tells: who decides the request judges it.
    """
    leg = leg_of(case, command.leg)
    if leg.ruled:
        return Refusal(code="already_ruled", detail=f"The leader has ruled that {leg.unit} handles leg {leg.leg}.")
    if leg.returns >= RETURNS:
        detail = f"Leg {leg.leg} was returned {leg.returns} times: now the leader rules who handles it."
        return Refusal(code="returns_exhausted", detail=detail)
    overdue = refuse_overdue(leg, _until_when(case, leg), acting)
    if overdue is not None:
        return overdue
    return [
        LegReturnRequested(**acting.stamp, leg=leg.leg, unit=leg.unit, reason=command.reason, ground=command.ground)
    ]


def decide_return(case: CaseState, command: DecideLegReturn, acting: Acting) -> CaseDecision:
    """Decide a request: the task goes to another unit, is not needed, or stays (rows 11 to 13)."""
    leg = leg_of(case, command.leg)
    unnecessary = leg.return_reason == "no_handling_needed"
    if command.to_unit is not None and (unnecessary or not command.upheld):
        message = "What needs no handling goes to no other unit." if unnecessary else "A refused return stays."
        return refuse(message, [FieldError(field="to_unit", code="not_expected", message=message)])
    if not command.upheld:
        return [LegReturnRefused(**acting.stamp, leg=leg.leg, unit=leg.unit, reason=command.reason)]
    if unnecessary:
        return _not_needed(case, leg, command, acting)
    return _upheld(case, leg, command, acting)


def rule(case: CaseState, command: RuleLeg, acting: Acting) -> CaseDecision:
    """裁定: the leader says who handles, once and for all."""
    leg = leg_of(case, command.leg)
    if leg.ruled:
        return Refusal(code="already_ruled", detail=f"The leader has ruled that {leg.unit} handles leg {leg.leg}.")
    if leg.returns < RETURNS:
        detail = f"Leg {leg.leg} was returned {leg.returns} times; it is ruled after {RETURNS}."
        return Refusal(code="returns_not_exhausted", detail=detail)
    others = units_of([other for other in case.legs if other.leg != leg.leg])
    problem = _problem_with(command.to_unit, others, acting)
    if problem is not None:
        return refuse("The task cannot go there.", [problem])
    clocks = start_leg(acting, leg.limit)
    return [
        LegRuled(
            **acting.stamp,
            leg=leg.leg,
            unit=leg.unit,
            to_unit=command.to_unit,
            explanation=acting.by_hand(case, "ruling", command.reason),
            sign_clock=clocks.sign,
            handle_clock=clocks.handle,
        )
    ]


def refuse_overdue(leg: LegState, clock: Clock | None, acting: Acting) -> Refusal | None:
    """Return the refusal of a request that comes after the clock by which the leg could ask for it."""
    if clock is None or acting.at <= clock.due_at:
        return None
    return Refusal(code="overdue", detail=f"Leg {leg.leg} was due at {clock.due_at}: ask before that.")


def _until_when(case: CaseState, leg: LegState) -> Clock | None:
    """Return the clock of handling; where it leaves no time to ask (立即), that of signing."""
    return case.sign_clock_of(leg) if leg.limit.unit == "at_once" else case.handle_clock_of(leg)


def _upheld(case: CaseState, leg: LegState, command: DecideLegReturn, acting: Acting) -> CaseDecision:
    if command.to_unit is None:
        message = "An upheld return names the unit that takes the task."
        return refuse(message, [FieldError(field="to_unit", code="required", message=message)])
    problem = _problem_with(command.to_unit, units_of(case.legs), acting)
    if problem is not None:
        return refuse("The task cannot go there.", [problem])
    clocks = start_leg(acting, leg.limit)
    return [
        LegReturnUpheld(
            **acting.stamp,
            leg=leg.leg,
            unit=leg.unit,
            to_unit=command.to_unit,
            explanation=acting.by_hand(case, "ruling", command.reason),
            sign_clock=clocks.sign,
            handle_clock=clocks.handle,
        )
    ]


def _not_needed(case: CaseState, leg: LegState, command: DecideLegReturn, acting: Acting) -> CaseDecision:
    if leg.role == "lead":
        detail = "That the lead has nothing to handle voids the case: propose that, and the leader decides (row 13)."
        return Refusal(code="void_needed", detail=detail)
    waived = LegWaived(**acting.stamp, leg=leg.leg, unit=leg.unit, reason=command.reason)
    return [waived, *after_last_leg(case, acting, leg)]


def _problem_with(to_unit: str, taken: frozenset[str], acting: Acting) -> FieldError | None:
    if handling_unit(acting.units, to_unit) is None:
        return unknown_unit("to_unit", to_unit)
    if to_unit in taken:
        return FieldError(field="to_unit", code="unit_has_leg", message=f"{to_unit} already has a leg.")
    return None
