"""Builders for the legal track of a leg: ordered, claimed, re-inspected, enforced (domain 9.2, last lines)."""

from collections.abc import Callable, Mapping

from services.dispatch.domain.commands import ActorCommand
from services.dispatch.domain.legs import LegState
from shared.contracts.rectification import (
    ClaimRectification,
    EnforcementMeasure,
    OrderRectification,
    RecordEnforcement,
    RecordReinspection,
    RectificationUnit,
)
from tests.support.adjusting import TimedCase, all_signed
from tests.support.cases import CASE_ID, MARKET, Case, department

ORDERED = "2026-11-23 02:00"
"""An hour after the leg was opened: Monday, ten o'clock in Jiaohe."""
LIMIT_ENDS = "2026-11-25 16:00"
"""Two statutory working days after it, Tuesday and Wednesday: 24:00 in Jiaohe."""
OF_MARKET = department(MARKET)


def order(
    leg: int, days: int | None = 2, unit: RectificationUnit = "statutory_working_day", revision: int | None = None
) -> OrderRectification:
    return OrderRectification(
        case_id=CASE_ID,
        leg=leg,
        legal_basis="fire law, article 60",
        document_number="2026-118",
        days=days,
        unit=unit,
        expected_revision=revision,
    )


def claim(leg: int) -> ClaimRectification:
    return ClaimRectification(case_id=CASE_ID, leg=leg, statement="the stairs are clear", evidence=("0f" * 32,))


def reinspect(leg: int, *, passed: bool = True) -> RecordReinspection:
    return RecordReinspection(case_id=CASE_ID, leg=leg, passed=passed, finding="seen on site", evidence=("1e" * 32,))


def enforce(leg: int, measure: EnforcementMeasure = "penalty") -> RecordEnforcement:
    return RecordEnforcement(
        case_id=CASE_ID, leg=leg, measure=measure, legal_basis="fire law, article 60", document_number="2026-45"
    )


def lawful_steps(leg: LegState) -> list[ActorCommand]:
    """What the unit of a leg might do next by law, the one that leads to an end more often."""
    number = leg.leg
    match leg.rectification_stage:
        case "none" | "cleared":
            return [order(number), order(number, None)]
        case "ordered":
            return [claim(number), reinspect(number), reinspect(number, passed=False)]
        case "claimed" | "enforced":
            return [reinspect(number), reinspect(number), reinspect(number, passed=False)]
        case "not_cleared":
            return [order(number), enforce(number)]


def ordered(days: int | None = 2, unit: RectificationUnit = "statutory_working_day") -> TimedCase:
    """Opened at nine, signed at once; the unit of leg 2 has ordered something at ten."""
    case = all_signed()
    case.done(ORDERED, order(2, days, unit), OF_MARKET)
    return case


def claimed() -> TimedCase:
    case = ordered()
    case.done("2026-11-24 02:00", claim(2), OF_MARKET)
    return case


def not_cleared() -> TimedCase:
    case = claimed()
    case.done("2026-11-24 03:00", reinspect(2, passed=False), OF_MARKET)
    return case


def enforced() -> TimedCase:
    case = not_cleared()
    case.done("2026-11-24 04:00", enforce(2), OF_MARKET)
    return case


def cleared() -> TimedCase:
    case = claimed()
    case.done("2026-11-24 03:00", reinspect(2), OF_MARKET)
    return case


TRACKS: Mapping[str, Callable[[], Case]] = {
    "none": all_signed,
    "ordered": ordered,
    "claimed": claimed,
    "not_cleared": not_cleared,
    "enforced": enforced,
    "cleared": cleared,
}
"""A case for every stage of the legal track of its leg 2."""
