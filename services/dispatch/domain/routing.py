"""Routing: the power list (权责清单) and the city's own rules decide who leads and who supports; the answer explains.

Rules are considered in the order of `PRECEDENCE`: the city's own before the power list, then the narrower before the
wider. The first that fits wins; of equals that is the first in the document.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.dispatch.domain.rule_fit import Matter, WorkingHours, misfit
from shared.contracts.common import CategoryCode, Level
from shared.contracts.dispatch import ConsideredRule, Explanation, Leg, Verdict
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import (
    PRECEDENCE,
    Calendar,
    Catalogue,
    Criterion,
    FilingCondition,
    Limit,
    LimitPolicy,
    LocalOverride,
    PowerRule,
    Routing,
    Unit,
    Units,
)

AT_THE_STREET: Final = "@street"
"""In a rule: the unit of the street where the place is."""
HANDLING_KINDS: Final = frozenset({"department", "street", "service"})
"""The kinds of unit that may have a leg; each has its own topics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingDocuments:
    """What a case is routed by, each document with its version."""

    catalogue: tuple[int, Catalogue]
    units: tuple[int, Units]
    routing: tuple[int, Routing] | None = None
    calendar: tuple[int, Calendar] | None = None
    policy: tuple[int, LimitPolicy] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """One lead leg (the first) and its support legs; `level` is where the case has to be solved."""

    legs: tuple[Leg, ...]
    level: Level
    explanation: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Unroutable:
    """No rule fits, or the winning rule's lead does not exist: a dispatcher must decide."""

    reason: Literal["no_rule", "unknown_unit"]
    detail: str
    explanation: Explanation


def documents_for(library: ReferenceLibrary, city: str, category: CategoryCode) -> RoutingDocuments:
    """Return the documents in force, with the catalogue in the version that the category names.

    Raises:
        LookupError: if that catalogue or the units of the city are not in the library.
    """
    catalogue = library.catalogue(category.system, category.version)
    units = library.units(city)
    if catalogue is None or units is None:
        raise LookupError(f"Catalogue {category.system} {category.version} or the units of {city} are not here.")
    return RoutingDocuments(
        catalogue=(category.version, catalogue),
        units=units,
        routing=library.routing(city),
        calendar=library.calendar(city),
        policy=library.limit_policy(city),
    )


def filing_condition(catalogue: Catalogue, category: CategoryCode) -> FilingCondition:
    """Return the condition under which the report was filed.

    Raises:
        LookupError: if the catalogue has no such category or condition; intake files none such.
    """
    known = catalogue.by_code.get(category.code)
    for condition in known.conditions if known else ():
        if condition.code == category.condition:
            return condition
    raise LookupError(f"{category.system} {category.version} has no {category.code} with {category.condition}.")


def route(documents: RoutingDocuments, matter: Matter) -> Routed | Unroutable:
    """Return the legs for a case, or why there are none.

    Raises:
        LookupError: as `filing_condition` does.
    """
    category = matter.category
    limit = filing_condition(documents.catalogue[1], category).limit
    rules = _rules(documents, category)
    winner, considered = _judge(rules, documents, matter)
    if winner is None:
        detail = f"No rule fits {category.system} {category.code} at this place and time."
        explanation = _explain(documents, rules, None, considered)
        return Unroutable(reason="no_rule", detail=detail, explanation=explanation)
    units = documents.units[1]
    lead = _resolve(winner.lead, units, matter.street)
    if lead is None:
        detail = f"The lead {winner.lead} of rule {winner.rule} is no unit that handles cases here."
        explanation = _explain(documents, rules, winner, considered)
        return Unroutable(reason="unknown_unit", detail=detail, explanation=explanation)
    support, left_out = _support(winner, lead, units, matter.street)
    reason = f"Left out, because no such unit handles cases here: {', '.join(left_out)}." if left_out else None
    return Routed(
        legs=legs_of(lead, support, limit),
        level=winner.level,
        explanation=_explain(documents, rules, winner, considered, reason),
    )


def legs_of(lead: str, support: Sequence[str], limit: Limit) -> tuple[Leg, ...]:
    """Return the legs as they are dispatched, numbered from 1, the lead first; all have the condition's limit."""
    return (
        Leg(leg=1, unit=lead, role="lead", limit=limit),
        *(Leg(leg=number, unit=unit, role="support", limit=limit) for number, unit in enumerate(support, start=2)),
    )


def handling_unit(units: Units, code: str) -> Unit | None:
    """Return the unit if it exists and may have a leg."""
    unit = units.by_code.get(code)
    return unit if unit is not None and unit.kind in HANDLING_KINDS else None


# ------------------------------------------------------------------------------------------------ choosing a rule


def _rules(documents: RoutingDocuments, category: CategoryCode) -> Sequence[PowerRule]:
    """Return the rules of the category in order of precedence: a local override is ahead of the whole power list."""
    listed = documents.catalogue[1].rules.get(category.code, ())
    if documents.routing is None:
        return listed
    own = documents.routing[1].rules.get((category.system, category.code))
    return (*own, *listed) if own else listed


def _judge(
    rules: Sequence[PowerRule], documents: RoutingDocuments, matter: Matter
) -> tuple[PowerRule | None, tuple[ConsideredRule, ...]]:
    hours = _hours(documents, rules)
    winner: PowerRule | None = None
    considered = []
    for rule in rules:
        verdict, outdone_in = misfit(rule, matter, hours), None
        if verdict is None:
            winner = winner or rule
            verdict, outdone_in = _standing(rule, winner)
        considered.append(_considered(rule, verdict, outdone_in))
    return winner, tuple(considered)


def _hours(documents: RoutingDocuments, rules: Sequence[PowerRule]) -> WorkingHours | None:
    if documents.calendar is None or documents.policy is None or not _asks_for_hours(rules):
        return None
    return WorkingHours(calendar=documents.calendar[1], policy=documents.policy[1])


def _asks_for_hours(rules: Sequence[PowerRule]) -> bool:
    return any(rule.when is not None and rule.when.working_time is not None for rule in rules)


def _standing(rule: PowerRule, winner: PowerRule) -> tuple[Verdict, Criterion | None]:
    if rule is winner:
        return "won", None
    differing = zip(PRECEDENCE, rule.criteria, winner.criteria, strict=True)
    criterion = next((criterion for criterion, own, other in differing if own != other), None)
    return "overridden" if criterion == "local_override" else "less_specific", criterion


def _considered(rule: PowerRule, verdict: Verdict, outdone_in: Criterion | None) -> ConsideredRule:
    if not isinstance(rule, LocalOverride):
        return ConsideredRule(rule=rule.rule, verdict=verdict, outdone_in=outdone_in)
    return ConsideredRule(
        rule=rule.rule, verdict=verdict, origin="local_override", outdone_in=outdone_in, reason=rule.reason
    )


# ------------------------------------------------------------------------------------------- what the winner says


def _resolve(name: str, units: Units, street: str | None) -> str | None:
    if name != AT_THE_STREET:
        return name if handling_unit(units, name) else None
    unit = units.of_street.get(street) if street else None
    return unit.code if unit else None


def _support(rule: PowerRule, lead: str, units: Units, street: str | None) -> tuple[list[str], list[str]]:
    found: list[str] = []
    left_out: list[str] = []
    for name in rule.support:
        unit = _resolve(name, units, street)
        if unit is None:
            left_out.append(name)
        elif unit != lead and unit not in found:
            found.append(unit)
    return found, left_out


def _explain(
    documents: RoutingDocuments,
    rules: Sequence[PowerRule],
    winner: PowerRule | None,
    considered: tuple[ConsideredRule, ...],
    reason: str | None = None,
) -> Explanation:
    timed = _asks_for_hours(rules)
    return Explanation(
        rule=winner.rule if winner else None,
        catalogue_version=documents.catalogue[0],
        units_version=documents.units[0],
        legal_basis=winner.legal_basis if winner else "",
        considered=considered,
        decided_by="local_override" if isinstance(winner, LocalOverride) else "power_list",
        reason=reason,
        routing_version=_version(documents.routing),
        calendar_version=_version(documents.calendar) if timed else None,
        policy_version=_version(documents.policy) if timed else None,
    )


def _version(found: tuple[int, object] | None) -> int | None:
    return None if found is None else found[0]
