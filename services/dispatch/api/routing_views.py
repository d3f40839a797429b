"""What is asked and answered about routing: why a case went where it went, what would happen, how the rules fare."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from services.dispatch.domain.routing import Routed, Unroutable
from services.dispatch.domain.routing_words import Sentences, in_words
from services.dispatch.queries import Explained, KnownCase, RoutingEvent, RuleCount
from shared.contracts.adjustments import CaseRedispatched, LegRuled, LegsAdded
from shared.contracts.common import Actor, Code, Instant, Level, Message, Number, ShortText, Slug, TargetType
from shared.contracts.dispatch import CaseDispatched, CaseRoutingFailed, Explanation, Leg, LegReturnUpheld, LegRole
from shared.contracts.intake import Stranger
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import PRECEDENCE, Criterion, LocalOverride, PowerRule, Units, When

# --------------------------------------------------------------------------------------------------- questions


class SupposedCategory(Stranger, frozen=True, kw_only=True):
    """A category and one of its filing conditions."""

    system: Slug
    code: Code
    condition: Code


class SupposedPlace(Stranger, frozen=True, kw_only=True):
    """A place by its codes. The street of a community need not be said; nothing at all is anywhere else."""

    street: ShortText | None = None
    community: ShortText | None = None


class SupposedVersions(Stranger, frozen=True, kw_only=True):
    """The versions of the documents that shall decide; of the others those in force."""

    catalogue: Number | None = None
    units: Number | None = None
    routing: Number | None = None
    calendar: Number | None = None
    limit_policy: Number | None = None


class Question(Stranger, frozen=True, kw_only=True):
    """What would happen to such a case, dispatched at this instant? Nothing changes by asking."""

    category: SupposedCategory
    place: SupposedPlace
    target_type: TargetType
    at: Instant
    versions: SupposedVersions = SupposedVersions()


# ----------------------------------------------------------------------------------------------------- answers


class InWords(Message, frozen=True, kw_only=True):
    """The same sentences in Chinese and in English."""

    zh: tuple[str, ...]
    en: tuple[str, ...]


class Prediction(Message, frozen=True, kw_only=True):
    """What routing would do, and why. `level` is where the case would have to be solved.

    `precedence` is what makes one rule that fits win over another: the first of these in which they differ.
    """

    outcome: Literal["routed", "no_rule", "unknown_unit"]
    legs: tuple[Leg, ...]
    level: Level | None
    precedence: tuple[Criterion, ...]
    explanation: Explanation
    in_words: InWords


class UnitAsked(Message, frozen=True, kw_only=True):
    """A unit that got a leg by a decision."""

    leg: int
    unit: str
    role: LegRole


class RoutingDecision(Message, frozen=True, kw_only=True):
    """One event of the case that says who has to handle it, and why."""

    sequence: int
    type: str
    at: datetime
    by: Actor
    units: tuple[UnitAsked, ...]
    explanation: Explanation
    in_words: InWords


class CaseRouting(Message, frozen=True, kw_only=True):
    """Why a case is where it is: every decision about it, oldest first.

    `rule` is what routing chose; `overridden`: a dispatcher sent the case elsewhere; `misdirected`: a unit that had it
    by the rule was right that it is not its duty.
    """

    case_id: UUID
    rule: str | None
    overridden: bool
    misdirected: bool
    precedence: tuple[Criterion, ...]
    decisions: tuple[RoutingDecision, ...]


class RuleInForce(Message, frozen=True, kw_only=True):
    """A rule of a document in force, and what became of the cases that it chose for.

    `version` is that of the document in which it stands. `narrowed_by` is what makes it win over others, `reason` why
    the city has it beside the power list.
    """

    system: str
    rule: str
    category: str
    origin: Literal["power_list", "local_override"]
    version: int
    lead: str
    support: tuple[str, ...]
    level: Level
    legal_basis: str
    narrowed_by: tuple[Criterion, ...]
    streets: tuple[str, ...]
    communities: tuple[str, ...]
    target_types: tuple[TargetType, ...]
    when: When | None
    valid_from: date | None
    valid_until: date | None
    reason: str | None
    decided: int
    overridden: int
    misdirected: int


class RuleList(Message, frozen=True, kw_only=True):
    """Rules in force, by code system and category, in the order in which they are considered.

    Cases are counted under the name of the rule that chose for them, in whatever version it stood.
    """

    precedence: tuple[Criterion, ...]
    items: tuple[RuleInForce, ...]


# ------------------------------------------------------------------------------------------------- from the domain


def prediction_of(found: Routed | Unroutable, units: Units) -> Prediction:
    """Return what routing would do, as it is answered."""
    legs = found.legs if isinstance(found, Routed) else ()
    return Prediction(
        outcome="routed" if isinstance(found, Routed) else found.reason,
        legs=legs,
        level=found.level if isinstance(found, Routed) else None,
        precedence=PRECEDENCE,
        explanation=found.explanation,
        in_words=_words(in_words(found.explanation, [(leg.unit, leg.role) for leg in legs], units)),
    )


def routing_of(known: KnownCase, events: Sequence[RoutingEvent], city: str, library: ReferenceLibrary) -> CaseRouting:
    """Return every decision about who has to handle the case."""
    return CaseRouting(
        case_id=known.id,
        rule=known.case.rule,
        overridden=known.case.overridden,
        misdirected=known.case.misdirected,
        precedence=PRECEDENCE,
        decisions=tuple(_decisions(events, city, library)),
    )


def rules_of(
    library: ReferenceLibrary, city: str, counts: Sequence[RuleCount], *, system: str | None, category: str | None
) -> RuleList:
    """Return the rules in force with how they fare."""
    counted = {(count.system, count.rule): count for count in counts}
    items = [
        _rule_in_force(code, rule, version, counted.get((code, rule.rule)))
        for code, rule, version in _rules_in_force(library, city)
        if system in {None, code} and category in {None, rule.category}
    ]
    return RuleList(precedence=PRECEDENCE, items=tuple(items))


def _decisions(events: Sequence[RoutingEvent], city: str, library: ReferenceLibrary) -> Iterator[RoutingDecision]:
    roles: dict[int, LegRole] = {}
    for stored in events:
        event = stored.event
        asked = _asked(event, roles)
        roles |= {unit.leg: unit.role for unit in asked}
        units = library.get("units", city, event.explanation.units_version)
        legs = [(unit.unit, unit.role) for unit in asked]
        yield RoutingDecision(
            sequence=stored.sequence,
            type=event.type,
            at=event.at,
            by=event.by,
            units=asked,
            explanation=event.explanation,
            in_words=_words(in_words(event.explanation, legs, units if isinstance(units, Units) else None)),
        )


def _asked(event: Explained, roles: Mapping[int, LegRole]) -> tuple[UnitAsked, ...]:
    match event:
        case CaseRoutingFailed():
            return ()
        case LegReturnUpheld() | LegRuled():
            return (UnitAsked(leg=event.leg, unit=event.to_unit, role=roles[event.leg]),)
        case CaseDispatched() | CaseRedispatched() | LegsAdded():
            return tuple(UnitAsked(leg=leg.leg, unit=leg.unit, role=leg.role) for leg in event.legs)


def _rules_in_force(library: ReferenceLibrary, city: str) -> Iterator[tuple[str, PowerRule, int]]:
    """Give every rule with code system and version of its document, in the order in which they are considered."""
    own = library.routing(city)
    for system in library.names("catalogue"):
        found = library.current_catalogue(system)
        if found is None:
            continue
        version, catalogue = found
        for code in catalogue.by_code:
            if own is not None:
                yield from ((system, rule, own[0]) for rule in own[1].rules.get((system, code), ()))
            yield from ((system, rule, version) for rule in catalogue.rules.get(code, ()))


def _rule_in_force(system: str, rule: PowerRule, version: int, count: RuleCount | None) -> RuleInForce:
    local = rule if isinstance(rule, LocalOverride) else None
    return RuleInForce(
        system=system,
        rule=rule.rule,
        category=rule.category,
        origin="local_override" if local else "power_list",
        version=version,
        lead=rule.lead,
        support=rule.support,
        level=rule.level,
        legal_basis=rule.legal_basis,
        narrowed_by=tuple(criterion for criterion, narrows in zip(PRECEDENCE, rule.criteria, strict=True) if narrows),
        streets=rule.streets,
        communities=rule.communities,
        target_types=rule.target_types,
        when=rule.when,
        valid_from=rule.valid_from,
        valid_until=rule.valid_until,
        reason=local.reason if local else None,
        decided=count.decided if count else 0,
        overridden=count.overridden if count else 0,
        misdirected=count.misdirected if count else 0,
    )


def _words(said: Sentences) -> InWords:
    return InWords(zh=said.zh, en=said.en)
