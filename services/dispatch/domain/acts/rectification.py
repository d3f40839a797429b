"""责令改正, 报改正, 复查, 处罚 and 强制执行: what the authority of a leg does by law (domain 4.3; 9.2, last lines).

A suspension 挂账 stops the clocks of handling (domain 1.4 and 1.7, rule 2) and neither of these: what the order grants
the party, and within what the authority looks again, are set by law and not by the centre.
"""

from datetime import timedelta
from functools import reduce
from typing import Final

from services.dispatch.domain.acting import Acting, CaseDecision, leg_of
from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.clocks import breach_before, start
from services.dispatch.domain.evolve import evolve
from services.dispatch.domain.legs import LegState
from shared.contracts.clocks import Clock
from shared.contracts.rectification import (
    ClaimRectification,
    LegEnforcementRecorded,
    LegRectificationClaimed,
    LegRectificationExpired,
    LegRectificationOrdered,
    LegReinspected,
    OrderRectification,
    RecordEnforcement,
    RecordReinspection,
)
from shared.contracts.reference import Limit
from shared.kernel.errors import Refusal

_LAST_INSTANT: Final = timedelta(seconds=1)
"""24:00 is of the next day already: what follows a limit begins on its last day, so that the day after it counts."""


def order(case: CaseState, command: OrderRectification, acting: Acting) -> CaseDecision:
    """责令改正: within a limit, or at once; then the department looks again within its own limit from now on."""
    leg = leg_of(case, command.leg)
    limit = None if command.days is None else Limit(amount=command.days, unit=command.unit)
    return [
        LegRectificationOrdered(
            **acting.stamp,
            leg=leg.leg,
            unit=leg.unit,
            legal_basis=command.legal_basis,
            document_number=command.document_number,
            clock=None if limit is None else start(acting, "rectification", limit),
            reinspection_clock=start(acting, "reinspection") if limit is None else None,
        )
    ]


def claim(case: CaseState, command: ClaimRectification, acting: Acting) -> CaseDecision:
    """报改正; a late one comes after what the end of the limit has begun, and begins nothing anew."""
    passed, leg = _passed(case, command.leg, acting)
    running = None if leg.rectification is None else leg.rectification.reinspection_clock
    claimed = LegRectificationClaimed(
        **acting.stamp,
        leg=leg.leg,
        unit=leg.unit,
        statement=command.statement,
        evidence=command.evidence,
        clock=running or start(acting, "reinspection"),
    )
    return [*passed, claimed]


def reinspect(case: CaseState, command: RecordReinspection, acting: Acting) -> CaseDecision:
    """复查; before its limit has ended, only what the party says is done is looked at."""
    passed, leg = _passed(case, command.leg, acting)
    if leg.rectification is None or leg.rectification.reinspection_clock is None:
        detail = "The party still has time, and has not said that it is done."
        return Refusal(code="limit_not_over", detail=detail)
    reinspected = LegReinspected(
        **acting.stamp,
        leg=leg.leg,
        unit=leg.unit,
        passed=command.passed,
        finding=command.finding,
        evidence=command.evidence,
    )
    return [*passed, reinspected]


def enforce(case: CaseState, command: RecordEnforcement, acting: Acting) -> CaseDecision:
    """处罚 or 强制执行: the department looks again within its limit from now on."""
    leg = leg_of(case, command.leg)
    return [
        LegEnforcementRecorded(
            **acting.stamp,
            leg=leg.leg,
            unit=leg.unit,
            measure=command.measure,
            legal_basis=command.legal_basis,
            document_number=command.document_number,
            clock=start(acting, "reinspection"),
        )
    ]


def expired(leg: LegState, limit: Clock, acting: Acting) -> LegRectificationExpired:
    """Return what the end of the order's limit begins, whenever it is told.

    Raises:
        LookupError: if the calendar or the limit policy is not in the library.
    """
    clock = start(acting, "reinspection", at=limit.due_at - _LAST_INSTANT)
    return LegRectificationExpired(**acting.by_rule, leg=leg.leg, unit=leg.unit, clock=clock)


def _passed(case: CaseState, number: int, acting: Acting) -> tuple[list[CaseEvent], LegState]:
    """Return what had passed before this act and no wake has told yet, and the leg as it stands then."""
    events: list[CaseEvent] = []
    leg = leg_of(case, number)
    limit = None if leg.rectification is None else leg.rectification.rectification_clock
    late = breach_before(case, acting, "rectification", leg)
    if limit is not None and late:
        events = [*late, expired(leg, limit, acting)]
        case = reduce(evolve, events, case)
    late = breach_before(case, acting, "reinspection", leg_of(case, number))
    return [*events, *late], leg_of(reduce(evolve, late, case), number)
