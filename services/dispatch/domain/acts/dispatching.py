"""派遣 by hand, 改派 while nobody has signed, and 增派 of support legs."""

from collections.abc import Sequence

from services.dispatch.domain.acting import Acting, CaseDecision, refuse, unknown_unit
from services.dispatch.domain.case import CaseState
from services.dispatch.domain.clocks import breach_before, start_leg
from services.dispatch.domain.commands import AddLegs, DispatchCase
from services.dispatch.domain.legs import units_of
from services.dispatch.domain.routing import handling_unit, legs_of
from shared.contracts.adjustments import CaseRedispatched, LegsAdded
from shared.contracts.dispatch import CaseDispatched, Leg
from shared.kernel.errors import FieldError, Refusal


def dispatch(case: CaseState, command: DispatchCase, acting: Acting) -> CaseDecision:
    """Give the case the legs that a dispatcher names: its first ones, or others than it has."""
    errors = [*_unknown("lead", [command.lead], acting), *_unfit(command.support, [command.lead], acting)]
    if errors:
        return refuse("The case cannot be dispatched so.", errors)
    legs = legs_of(command.lead, command.support, case.opened.limit)
    return _redispatched(case, command, legs, acting) if case.legs else _dispatched(case, command, legs, acting)


def add_legs(case: CaseState, command: AddLegs, acting: Acting) -> CaseDecision:
    """Give the case more support legs beside those that it has."""
    if not command.units:
        message = "Name at least one unit."
        return refuse(message, [FieldError(field="units", code="required", message=message)])
    errors = _unfit(command.units, units_of(case.legs), acting, field="units")
    if errors:
        return refuse("These legs cannot be added.", errors)
    last = max(leg.leg for leg in case.legs)
    clocks = start_leg(acting, case.opened.limit)
    legs = tuple(
        Leg(leg=number, unit=unit, role="support", limit=case.opened.limit)
        for number, unit in enumerate(command.units, start=last + 1)
    )
    return [
        LegsAdded(
            **acting.stamp,
            legs=legs,
            explanation=acting.by_hand(case, "dispatcher", command.reason, instead_of_rule=False),
            sign_clock=clocks.sign,
            handle_clock=clocks.handle,
        )
    ]


def _dispatched(case: CaseState, command: DispatchCase, legs: tuple[Leg, ...], acting: Acting) -> CaseDecision:
    clocks = start_leg(acting, case.opened.limit)
    dispatched = CaseDispatched(
        **acting.stamp,
        legs=legs,
        explanation=acting.by_hand(case, "dispatcher", command.reason),
        level=case.level,
        sign_clock=clocks.sign,
        handle_clock=clocks.handle,
    )
    return [*breach_before(case, acting, "dispatch"), dispatched]


def _redispatched(case: CaseState, command: DispatchCase, legs: tuple[Leg, ...], acting: Acting) -> CaseDecision:
    if [leg.unit for leg in legs] == [leg.unit for leg in case.legs]:
        message = "These units have the case already."
        return refuse(message, [FieldError(field="lead", code="nothing_changes", message=message)])
    if any(leg.ruled for leg in case.legs):
        return Refusal(code="already_ruled", detail="The leader has ruled who handles a leg of this case.")
    clocks = start_leg(acting, case.opened.limit)
    return [
        CaseRedispatched(
            **acting.stamp,
            legs=legs,
            withdrawn=_withdrawn(case, legs),
            explanation=acting.by_hand(case, "dispatcher", command.reason),
            sign_clock=clocks.sign,
            handle_clock=clocks.handle,
        )
    ]


def _withdrawn(case: CaseState, legs: Sequence[Leg]) -> tuple[Leg, ...]:
    staying = {leg.unit for leg in legs}
    return tuple(
        Leg(leg=leg.leg, unit=leg.unit, role=leg.role, limit=leg.limit) for leg in case.legs if leg.unit not in staying
    )


def _unknown(field: str, units: Sequence[str], acting: Acting) -> list[FieldError]:
    return [unknown_unit(field, unit) for unit in units if handling_unit(acting.units, unit) is None]


def _unfit(
    units: Sequence[str], taken: Sequence[str] | frozenset[str], acting: Acting, field: str = "support"
) -> list[FieldError]:
    errors = []
    for index, unit in enumerate(units):
        if handling_unit(acting.units, unit) is None:
            errors.append(unknown_unit(f"{field}.{index}", unit))
        elif unit in taken or unit in units[:index]:
            message = f"{unit} already has a leg."
            errors.append(FieldError(field=f"{field}.{index}", code="unit_has_leg", message=message))
    return errors
