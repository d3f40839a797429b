"""What happens to a case when somebody asks for something: events, or a refusal by name.

A policy command is answered in every state; everything else passes the table of transitions first.
"""

from typing import Literal, TypedDict, assert_never

from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.commands import (
    ActorCommand,
    CheckCase,
    CloseCase,
    Command,
    DecideLegReturn,
    DispatchCase,
    OpenCase,
    WaiveLeg,
)
from services.dispatch.domain.gate import obstacles
from services.dispatch.domain.legs import LegState, find_leg, units_of
from services.dispatch.domain.routing import Routed, filing_condition, handling_unit, legs_of, route
from services.dispatch.domain.transitions import permit
from shared.contracts.common import Actor, Instant
from shared.contracts.decisions import Context
from shared.contracts.dispatch import (
    CaseChecked,
    CaseClosed,
    CaseDispatched,
    CaseOpened,
    CaseOpeningDeclined,
    CaseRoutingFailed,
    Explanation,
    FeedBackLeg,
    LegFedBack,
    LegReturnRefused,
    LegReturnRequested,
    LegReturnUpheld,
    LegSigned,
    LegWaived,
    RequestLegReturn,
    SignLeg,
)
from shared.contracts.reference import Units
from shared.kernel.errors import FieldError, Refusal

CaseDecision = list[CaseEvent] | Refusal


class _Stamp(TypedDict):
    at: Instant
    by: Actor


def decide(city: str, case: CaseState | None, command: Command, context: Context) -> CaseDecision:
    """Return the events that the command makes, or the refusal.

    Args:
        city: name of the units document in force.
        case: the state, None where there is no such case.
        command: what is asked for.
        context: instant, actor and reference documents.

    Raises:
        LookupError: if a document that an opened case rests on is not in the library: our fault, not the actor's.
    """
    if isinstance(command, OpenCase):
        return _open(city, case, command, context)
    if case is None:
        return Refusal(code="unknown_case", detail=f"There is no case {command.case_id}.")
    version, units = _units(city, context)
    refusal = permit(case, command, context.actor, units)
    return refusal if refusal is not None else _act(case, command, context, version, units)


def _units(city: str, context: Context) -> tuple[int, Units]:
    found = context.library.units(city)
    if found is None:
        raise LookupError(f"The units of {city} have not been published.")
    return found


def _open(city: str, case: CaseState | None, command: OpenCase, context: Context) -> list[CaseEvent]:
    stamp = _Stamp(at=context.at, by=context.actor)
    if case is not None:
        return [CaseOpeningDeclined(**stamp, reason="case_exists", report_sequence=command.report_sequence)]
    category = command.category
    catalogue = context.library.catalogue(category.system, category.version)
    if catalogue is None:
        raise LookupError(f"Catalogue {category.system} {category.version} has not been published.")
    units_version, units = _units(city, context)
    condition = filing_condition(catalogue, category)
    opened = CaseOpened(
        **stamp,
        source=command.source,
        category=category,
        place=command.place,
        observed_at=command.observed_at,
        reported_at=command.reported_at,
        filed_at=command.filed_at,
        target_type=command.target_type,
        campaign=command.campaign,
        limit=condition.limit,
        closing_condition_zh=condition.closing_condition_zh,
        closing_condition_en=condition.closing_condition_en,
    )
    routed = route(catalogue, units_version, units, category, command.place, command.target_type)
    if isinstance(routed, Routed):
        return [opened, CaseDispatched(**stamp, legs=routed.legs, explanation=routed.explanation)]
    failed = CaseRoutingFailed(**stamp, explanation=routed.explanation, reason=routed.reason, detail=routed.detail)
    return [opened, failed]


def _act(case: CaseState, command: ActorCommand, context: Context, version: int, units: Units) -> CaseDecision:
    stamp = _Stamp(at=context.at, by=context.actor)
    match command:
        case DispatchCase():
            return _dispatch(case, command, stamp, version, units)
        case SignLeg():
            return [LegSigned(**stamp, leg=command.leg, unit=_leg(case, command.leg).unit)]
        case FeedBackLeg():
            return _feed_back(case, command, stamp)
        case RequestLegReturn():
            unit = _leg(case, command.leg).unit
            return [
                LegReturnRequested(**stamp, leg=command.leg, unit=unit, reason=command.reason, ground=command.ground)
            ]
        case DecideLegReturn():
            return _decide_return(case, command, stamp, version, units)
        case WaiveLeg():
            return _waive(case, command, stamp)
        case CheckCase():
            return _check(case, command, stamp)
        case CloseCase():
            return _close(case, stamp)
        case _:
            assert_never(command)


def _leg(case: CaseState, number: int) -> LegState:
    leg = find_leg(case.legs, number)
    if leg is None:
        raise LookupError(f"No leg {number}: the table of transitions let it pass.")
    return leg


def _dispatch(case: CaseState, command: DispatchCase, stamp: _Stamp, version: int, units: Units) -> CaseDecision:
    errors = []
    if handling_unit(units, command.lead) is None:
        errors.append(_unknown_unit("lead", command.lead))
    for index, unit in enumerate(command.support):
        if handling_unit(units, unit) is None:
            errors.append(_unknown_unit(f"support.{index}", unit))
        elif unit == command.lead or unit in command.support[:index]:
            message = f"{unit} already has a leg."
            errors.append(FieldError(field=f"support.{index}", code="unit_has_leg", message=message))
    if errors:
        return _refuse("The case cannot be dispatched so.", errors)
    explanation = _by_hand(case, version, "dispatcher", command.reason)
    legs = legs_of(command.lead, command.support, case.opened.limit)
    return [CaseDispatched(**stamp, legs=legs, explanation=explanation)]


def _feed_back(case: CaseState, command: FeedBackLeg, stamp: _Stamp) -> CaseDecision:
    leg = _leg(case, command.leg)
    waiting = [other.unit for other in case.legs if other.role == "support" and not other.done]
    if leg.role == "lead" and waiting:
        detail = f"The lead feeds back last; not done yet: {', '.join(waiting)}."
        return Refusal(code="wrong_state_support_open", detail=detail)
    return [
        LegFedBack(
            **stamp,
            leg=leg.leg,
            unit=leg.unit,
            closing_condition=command.closing_condition,
            evidence=command.evidence,
        )
    ]


def _decide_return(
    case: CaseState, command: DecideLegReturn, stamp: _Stamp, version: int, units: Units
) -> CaseDecision:
    leg = _leg(case, command.leg)
    to_unit = command.to_unit
    if not command.upheld:
        if to_unit is not None:
            message = "A refused return goes to no other unit."
            return _refuse(message, [FieldError(field="to_unit", code="not_expected", message=message)])
        return [LegReturnRefused(**stamp, leg=leg.leg, unit=leg.unit, reason=command.reason)]
    if to_unit is None:
        message = "An upheld return names the unit that takes the task."
        return _refuse(message, [FieldError(field="to_unit", code="required", message=message)])
    if handling_unit(units, to_unit) is None:
        return _refuse("The task cannot go there.", [_unknown_unit("to_unit", to_unit)])
    if to_unit in units_of(case.legs):
        message = f"{to_unit} already has a leg."
        return _refuse(message, [FieldError(field="to_unit", code="unit_has_leg", message=message)])
    explanation = _by_hand(case, version, "ruling", command.reason)
    return [LegReturnUpheld(**stamp, leg=leg.leg, unit=leg.unit, to_unit=to_unit, explanation=explanation)]


def _waive(case: CaseState, command: WaiveLeg, stamp: _Stamp) -> CaseDecision:
    leg = _leg(case, command.leg)
    if leg.role == "lead":
        return Refusal(code="lead_not_waivable", detail="The lead leg cannot be waived; only support legs can.")
    return [LegWaived(**stamp, leg=leg.leg, unit=leg.unit, reason=command.reason)]


def _check(case: CaseState, command: CheckCase, stamp: _Stamp) -> CaseDecision:
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
        return _refuse("The result of the check is not complete.", errors)
    rework = () if command.passed else tuple(sorted(set(command.rework))) or fed_back
    return [CaseChecked(**stamp, passed=command.passed, rework=rework, reason=command.reason)]


def _close(case: CaseState, stamp: _Stamp) -> CaseDecision:
    found = obstacles(case)
    if found:
        detail = " ".join(obstacle.message for obstacle in found)
        return Refusal(code=f"wrong_state_{found[0].code}", detail=detail, errors=found)
    return [CaseClosed(**stamp)]


def _by_hand(
    case: CaseState, units_version: int, decided_by: Literal["dispatcher", "ruling"], reason: str
) -> Explanation:
    return Explanation(
        rule=None,
        catalogue_version=case.opened.category.version,
        units_version=units_version,
        legal_basis="",
        considered=(),
        decided_by=decided_by,
        reason=reason,
    )


def _unknown_unit(field: str, unit: str) -> FieldError:
    return FieldError(field=field, code="unknown_unit", message=f"There is no unit {unit} that handles cases.")


def _refuse(detail: str, errors: list[FieldError]) -> Refusal:
    return Refusal(code=errors[0].code if len(errors) == 1 else "invalid", detail=detail, errors=tuple(errors))
