"""From a plan to its problems: who reports what and where, who must handle it, and what goes wrong with it.

The same plan, seed and campaign code give the same problems. Who leads and who supports is read off the published
rules, the city's own and the power list, in a way of its own here, on purpose: an expectation that calls the system's
routing would prove nothing.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeVar

import shapely
from msgspec import Struct
from msgspec.structs import replace

from deploy.campaign.plan import (
    AnyDeviation,
    FailedCheck,
    Plan,
    PlanProblem,
    Reporting,
    ReturnRequested,
    Silent,
    Unaccepted,
    Unchecked,
    Unfinished,
)
from shared.contracts.common import CategoryCode, Place, TargetType
from shared.contracts.reference import Catalogue, Category, LocalOverride, Places, PowerRule, Routing, Units

_METRES_PER_DEGREE = 111_320.0
_DECIMALS = 6
"""A tenth of a metre: two problems of one campaign never share a position, which is how parties tell them apart."""

T = TypeVar("T")


class Scene(Struct, frozen=True, kw_only=True):
    """The reference documents that a campaign plays under, as the system publishes them."""

    catalogue: Catalogue
    catalogue_version: int
    routing: Routing
    units: Units
    places: Places


class Problem(Struct, frozen=True, kw_only=True):
    """One problem of a campaign: what its source says, what should become of it, and what goes wrong on the way."""

    number: int
    campaign: str
    source: str
    trusted: bool
    mode: Literal["binary", "structured"]
    category: CategoryCode
    place: Place
    target_type: TargetType
    description: str
    minutes_ago: int
    lead: str
    support: tuple[str, ...]
    deviation: AnyDeviation | None = None

    @property
    def units(self) -> tuple[str, ...]:
        """Return every unit that may get a leg of it, the lead first."""
        extra = (self.deviation.to_unit,) if isinstance(self.deviation, ReturnRequested) else ()
        return (self.lead, *self.support, *(unit for unit in extra if unit))


def share_out(total: int, weights: Mapping[T, int]) -> dict[T, int]:
    """Share `total` out by weight, whole numbers, by the largest remainder; ties go to the earlier key.

    Weights that add up to `total` are exact counts.
    """
    whole = sum(weights.values())
    if whole == 0:
        return dict.fromkeys(weights, 0)
    counts = {key: total * weight // whole for key, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda key: total * weights[key] % whole, reverse=True)
    for key in by_remainder[: total - sum(counts.values())]:
        counts[key] += 1
    return counts


def expand(plan: Plan, scene: Scene, code: str) -> tuple[Problem, ...]:
    """Return the problems of the campaign `code`, numbered from 1.

    Raises:
        PlanProblem: when the plan names what the published documents do not know, or deviations that fit nothing.
    """
    found = _unknown(plan, scene)
    if found:
        raise PlanProblem("\n".join(found))
    if plan.campaign.problems == 0:
        if plan.deviations:
            raise PlanProblem("deviations: a plan without problems cannot have any.")
        return ()
    draw = random.Random(f"{plan.campaign.seed}:{code}")  # noqa: S311 - a drawing that can be repeated
    problems = _deviating(plan, list(_regular(plan, scene, code, draw)), draw)
    return tuple(replace(problem, number=number) for number, problem in enumerate(problems, start=1))


def route(scene: Scene, category: str, target_type: TargetType, place: Place) -> PowerRule | None:
    """Return the rule that applies: of those that match the city's own first, then the one that narrows the most.

    Raises:
        PlanProblem: when that is one which holds at some times only: who will be competent nobody can say beforehand.
    """
    own = [rule for rule in scene.routing.overrides if rule.system == scene.catalogue.system]
    matching = [
        rule
        for rule in (*own, *scene.catalogue.power_list)
        if rule.category == category
        and (not rule.target_types or target_type in rule.target_types)
        and ((not rule.streets and not rule.communities) or _lies_in(place, rule))
    ]
    won = max(matching, key=_narrowness, default=None)
    if won is not None and (won.when or won.valid_from or won.valid_until):
        raise PlanProblem(f"Rule {won.rule} for {category} holds at some times only: a plan cannot count on it.")
    return won


def _lies_in(place: Place, rule: PowerRule) -> bool:
    return place.street in rule.streets or place.community in rule.communities


def _narrowness(rule: PowerRule) -> tuple[bool, ...]:
    own = isinstance(rule, LocalOverride)
    return own, bool(rule.communities), bool(rule.streets), bool(rule.target_types), rule.when is not None


def _unknown(plan: Plan, scene: Scene) -> list[str]:
    """Name everything in the plan that the published documents do not know."""
    categories = {category.code for category in scene.catalogue.categories}
    areas = {area.code for area in scene.places.areas}
    units = {unit.code for unit in scene.units.units}
    sources = {source.code for source in scene.units.sources}
    trusted = {source.code for source in scene.units.sources if source.trusted}
    found = [
        f"area.communities: no community {code} is published." for code in plan.area.communities if code not in areas
    ]
    for report in plan.reports:
        if report.source not in sources:
            found.append(f"reports: no source {report.source} is published; there are {', '.join(sorted(sources))}.")
        found += [
            f"reports.{report.source}.categories: catalogue {scene.catalogue.system} has no category {category}."
            for category in report.categories
            if category not in categories
        ]
    for deviation in plan.deviations:
        named = (getattr(deviation, "unit", None), getattr(deviation, "to_unit", None))
        found += [
            f"deviations: no unit {unit} is published." for unit in named if unit is not None and unit not in units
        ]
        if isinstance(deviation, Unaccepted) and deviation.source in trusted:
            found.append(f"deviations.unaccepted: {deviation.source} is trusted, its reports need no acceptor.")
    if not _outline(scene.places).contains(shapely.Point(plan.area.centre).buffer(_degrees(plan))):
        found.append(f"area: the circle of {plan.area.radius_metres:.0f} m leaves the outline of {scene.places.name}.")
    return found


def _outline(places: Places) -> shapely.Polygon:
    return shapely.Polygon(places.outline)


def _degrees(plan: Plan) -> float:
    return plan.area.radius_metres / (_METRES_PER_DEGREE * math.cos(math.radians(plan.area.centre[1])))


def _regular(plan: Plan, scene: Scene, code: str, draw: random.Random) -> Iterator[Problem]:
    """Yield the problems without deviations, in the order in which they will be reported."""
    total = plan.campaign.problems
    by_source = {report.source: report for report in plan.reports}
    counts = share_out(total, {source: report.weight for source, report in by_source.items()})
    communities = iter(_shuffled(share_out(total, plan.area.communities), draw))
    positions = _positions(plan, draw)
    for source, count in counts.items():
        report = by_source[source]
        targets = iter(_shuffled(share_out(count, report.target_types), draw))
        for category in _shuffled(share_out(count, report.categories), draw):
            where = _place(next(positions), next(communities))
            yield _problem(scene, code, report, category, next(targets), where, draw)


def _shuffled(counts: Mapping[T, int], draw: random.Random) -> list[T]:
    drawn = [key for key, count in counts.items() for _ in range(count)]
    draw.shuffle(drawn)
    return drawn


def _positions(plan: Plan, draw: random.Random) -> Iterator[tuple[float, float]]:
    """Yield positions within the plan's circle, none twice."""
    longitude, latitude = plan.area.centre
    taken: set[tuple[float, float]] = set()
    while True:
        angle, distance = draw.uniform(0, math.tau), math.sqrt(draw.random()) * plan.area.radius_metres
        north = distance * math.sin(angle) / _METRES_PER_DEGREE
        east = distance * math.cos(angle) / (_METRES_PER_DEGREE * math.cos(math.radians(latitude)))
        position = round(longitude + east, _DECIMALS), round(latitude + north, _DECIMALS)
        if position not in taken:
            taken.add(position)
            yield position


def _place(position: tuple[float, float], community: str) -> Place:
    return Place(longitude=position[0], latitude=position[1], street=community[:9], community=community)


def _problem(
    scene: Scene,
    code: str,
    report: Reporting,
    category_code: str,
    target_type: TargetType,
    place: Place,
    draw: random.Random,
) -> Problem:
    category = _category(scene.catalogue, category_code)
    rule = route(scene, category_code, target_type, place)
    if rule is None:
        raise PlanProblem(f"No rule names anybody for {category_code} at {target_type} in {place.street}.")
    support = tuple(f"street-{place.street}" if unit == "@street" else unit for unit in rule.support)
    lead = f"street-{place.street}" if rule.lead == "@street" else rule.lead
    condition = draw.choice(category.conditions)
    trusted = {source.code: source.trusted for source in scene.units.sources}[report.source]
    community = next(area.name for area in scene.places.areas if area.code == place.community)
    return Problem(
        number=0,
        campaign=code,
        source=report.source,
        trusted=trusted,
        mode=report.mode,
        category=CategoryCode(
            system=scene.catalogue.system,
            version=scene.catalogue_version,
            code=category_code,
            condition=condition.code,
        ),
        place=place,
        target_type=target_type,
        description=f"{community}: {category.name_zh} ({condition.name_zh}) / {category.name_en}",
        minutes_ago=draw.randrange(1, 240),
        lead=lead,
        support=tuple(dict.fromkeys(unit for unit in support if unit != lead)),
    )


def _category(catalogue: Catalogue, code: str) -> Category:
    return next(category for category in catalogue.categories if category.code == code)


def _deviating(plan: Plan, problems: list[Problem], draw: random.Random) -> list[Problem]:
    """Give every deviation of the plan to so many problems that it fits and that have none yet."""
    for deviation in plan.deviations:
        fitting = [
            index for index, problem in enumerate(problems) if problem.deviation is None and _fits(deviation, problem)
        ]
        if len(fitting) < deviation.count:
            raise PlanProblem(
                f"deviations: {deviation} fits only {len(fitting)} problems that have no other deviation; "
                "lower `count`, or let more such problems be reported."
            )
        for index in draw.sample(fitting, deviation.count):
            problems[index] = replace(problems[index], deviation=deviation)
    return problems


def _fits(deviation: AnyDeviation, problem: Problem) -> bool:
    if deviation.category not in {None, problem.category.code}:
        return False
    match deviation:
        case Unaccepted(source=source):
            return problem.source == source
        case FailedCheck(unit=unit) | Unchecked(unit=unit):
            return problem.lead == unit
        case ReturnRequested(unit=unit, role=role, to_unit=to_unit):
            return _has_role(problem, unit, role) and to_unit not in problem.units
        case Silent(unit=unit, role=role) | Unfinished(unit=unit, role=role):
            return _has_role(problem, unit, role)


def _has_role(problem: Problem, unit: str, role: str) -> bool:
    return problem.lead == unit if role == "lead" else unit in problem.support


def units_of(problems: Sequence[Problem]) -> tuple[str, ...]:
    """Return every unit that may get a leg in this campaign, sorted."""
    return tuple(sorted({unit for problem in problems for unit in problem.units}))
