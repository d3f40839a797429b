"""Routing: the power list (权责清单) decides who leads and who supports, and the answer explains itself.

The most specific rule wins: street and target type, then street, then target type, then general; of equals the
first in the document.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.contracts.common import CategoryCode, Place, TargetType
from shared.contracts.dispatch import ConsideredRule, Explanation, Leg
from shared.contracts.reference import Catalogue, FilingCondition, Limit, PowerRule, Unit, Units

AT_THE_STREET: Final = "@street"
"""In a rule: the unit of the street where the place is."""
HANDLING_KINDS: Final = frozenset({"department", "street", "service"})
"""The kinds of unit that may have a leg; each has its own topics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """One lead leg (the first) and its support legs."""

    legs: tuple[Leg, ...]
    explanation: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Unroutable:
    """No rule fits, or the winning rule's lead does not exist: a dispatcher must decide."""

    reason: Literal["no_rule", "unknown_unit"]
    detail: str
    explanation: Explanation


def filing_condition(catalogue: Catalogue, category: CategoryCode) -> FilingCondition:
    """Return the condition under which the report was filed.

    Raises:
        LookupError: if the catalogue has no such category or condition; intake files none such.
    """
    for known in catalogue.categories:
        if known.code == category.code:
            for condition in known.conditions:
                if condition.code == category.condition:
                    return condition
    raise LookupError(f"{category.system} {category.version} has no {category.code} with {category.condition}.")


def route(
    catalogue: Catalogue,
    units_version: int,
    units: Units,
    category: CategoryCode,
    place: Place,
    target_type: TargetType,
) -> Routed | Unroutable:
    """Return the legs for a case of `category` (whose version is the catalogue's) at `place`, or why there are none.

    Raises:
        LookupError: as `filing_condition` does.
    """
    limit = filing_condition(catalogue, category).limit
    rules = [rule for rule in catalogue.power_list if rule.category == category.code]
    winner, considered = _judge(rules, place, target_type)
    if winner is None:
        explanation = _explain(None, category.version, units_version, considered)
        detail = f"No rule of the power list fits {category.system} {category.code} at this place."
        return Unroutable(reason="no_rule", detail=detail, explanation=explanation)
    lead = _resolve(winner.lead, units, place)
    if lead is None:
        explanation = _explain(winner, category.version, units_version, considered)
        detail = f"The lead {winner.lead} of rule {winner.rule} is no unit that handles cases here."
        return Unroutable(reason="unknown_unit", detail=detail, explanation=explanation)
    support, left_out = _support(winner, lead, units, place)
    reason = f"Left out, because no such unit handles cases here: {', '.join(left_out)}." if left_out else None
    return Routed(
        legs=legs_of(lead, support, limit),
        explanation=_explain(winner, category.version, units_version, considered, reason),
    )


def legs_of(lead: str, support: Sequence[str], limit: Limit) -> tuple[Leg, ...]:
    """Return the legs as they are dispatched, numbered from 1, the lead first; all have the condition's limit."""
    return (
        Leg(leg=1, unit=lead, role="lead", limit=limit),
        *(Leg(leg=number, unit=unit, role="support", limit=limit) for number, unit in enumerate(support, start=2)),
    )


def handling_unit(units: Units, code: str) -> Unit | None:
    """Return the unit if it exists and may have a leg."""
    return next((unit for unit in units.units if unit.code == code and unit.kind in HANDLING_KINDS), None)


def _judge(
    rules: Sequence[PowerRule], place: Place, target_type: TargetType
) -> tuple[PowerRule | None, tuple[ConsideredRule, ...]]:
    fitting = [rule for rule in rules if _misfit(rule, place, target_type) is None]
    winner = max(fitting, key=_specificity, default=None)
    considered = tuple(
        ConsideredRule(
            rule=rule.rule,
            verdict="won" if rule is winner else _misfit(rule, place, target_type) or "less_specific",
        )
        for rule in rules
    )
    return winner, considered


def _misfit(rule: PowerRule, place: Place, target_type: TargetType) -> Literal["other_place", "other_target"] | None:
    if rule.streets and place.street not in rule.streets:
        return "other_place"
    if rule.target_types and target_type not in rule.target_types:
        return "other_target"
    return None


def _specificity(rule: PowerRule) -> tuple[bool, bool]:
    return bool(rule.streets), bool(rule.target_types)


def _resolve(name: str, units: Units, place: Place) -> str | None:
    if name != AT_THE_STREET:
        return name if handling_unit(units, name) else None
    return next(
        (unit.code for unit in units.units if unit.kind == "street" and unit.street and unit.street == place.street),
        None,
    )


def _support(rule: PowerRule, lead: str, units: Units, place: Place) -> tuple[list[str], list[str]]:
    found: list[str] = []
    left_out: list[str] = []
    for name in rule.support:
        unit = _resolve(name, units, place)
        if unit is None:
            left_out.append(name)
        elif unit != lead and unit not in found:
            found.append(unit)
    return found, left_out


def _explain(
    rule: PowerRule | None,
    catalogue_version: int,
    units_version: int,
    considered: tuple[ConsideredRule, ...],
    reason: str | None = None,
) -> Explanation:
    return Explanation(
        rule=rule.rule if rule else None,
        catalogue_version=catalogue_version,
        units_version=units_version,
        legal_basis=rule.legal_basis if rule else "",
        considered=considered,
        decided_by="power_list",
        reason=reason,
    )
