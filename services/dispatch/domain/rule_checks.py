"""What rules must keep to, those of a catalogue's power list and the city's own; every error is named.

Units and areas are checked against the documents of the city that are known; where there is none yet, that part waits:
a case whose lead does not exist goes to a dispatcher.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Final

from services.dispatch.domain.document_errors import duplicates, error
from services.dispatch.domain.routing import AT_THE_STREET, HANDLING_KINDS
from services.dispatch.domain.rule_fit import falls_in
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Catalogue, LocalOverride, PowerRule, Routing, When
from shared.kernel.errors import FieldError

_UPPER_AREAS: Final = frozenset({"street", "town", "township"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNames:
    """What rules may name in the city; None where the document has not been published yet."""

    units: frozenset[str] | None
    streets: frozenset[str] | None
    communities: frozenset[str] | None


def known_names(city: str, library: ReferenceLibrary) -> KnownNames:
    """Return what the documents in force say."""
    units, places = library.units(city), library.places(city)
    areas = places[1].areas if places else ()
    return KnownNames(
        units=frozenset(unit.code for unit in units[1].units if unit.kind in HANDLING_KINDS) if units else None,
        streets=frozenset(area.code for area in areas if area.kind in _UPPER_AREAS) if places else None,
        communities=frozenset(area.code for area in areas if area.kind not in _UPPER_AREAS) if places else None,
    )


def check_power_list(catalogue: Catalogue, city: str, library: ReferenceLibrary) -> Iterator[FieldError]:
    """Name what is wrong with the power list of a catalogue."""
    names, categories = known_names(city, library), set(catalogue.by_code)
    yield from duplicates("power_list", "rule", [rule.rule for rule in catalogue.power_list])
    found = library.routing(city)
    taken = {own.rule for own in found[1].overrides if own.system == catalogue.system} if found else set()
    for index, rule in enumerate(catalogue.power_list):
        path = f"power_list.{index}"
        if rule.category not in categories:
            yield error(f"{path}.category", "unknown_category", f"The catalogue has no category {rule.category}.")
        if rule.rule in taken:
            yield error(f"{path}.rule", "rule_of_the_city", f"The city's own rule is called {rule.rule} already.")
        yield from _rule(path, rule, names)
    yield from _equal_rules("power_list", catalogue.power_list)


def check_overrides(routing: Routing, city: str, library: ReferenceLibrary) -> Iterator[FieldError]:
    """Name what is wrong with the city's own rules."""
    names = known_names(city, library)
    yield from duplicates("overrides", "rule", [rule.rule for rule in routing.overrides])
    for index, rule in enumerate(routing.overrides):
        path = f"overrides.{index}"
        yield from _system(path, rule, library)
        yield from _rule(path, rule, names)
    yield from _equal_rules("overrides", routing.overrides)


def _system(path: str, rule: LocalOverride, library: ReferenceLibrary) -> Iterator[FieldError]:
    systems = library.names("catalogue")
    found = library.current_catalogue(rule.system)
    if found is None:
        if systems:
            yield error(f"{path}.system", "unknown_system", f"There is no catalogue of a code system {rule.system}.")
        return
    catalogue = found[1]
    if rule.category not in catalogue.by_code:
        yield error(f"{path}.category", "unknown_category", f"{rule.system} has no category {rule.category}.")
    if any(rule.rule == listed.rule for listed in catalogue.power_list):
        yield error(f"{path}.rule", "rule_of_the_power_list", f"A rule of the power list is called {rule.rule}.")


# --------------------------------------------------------------------------------------------------- one rule


def _rule(path: str, rule: PowerRule, names: KnownNames) -> Iterator[FieldError]:
    yield from _units(path, rule, names.units)
    yield from _areas(path, rule, names)
    if rule.when is not None:
        yield from _when(f"{path}.when", rule.when)
    if rule.valid_from and rule.valid_until and rule.valid_until < rule.valid_from:
        yield error(f"{path}.valid_until", "never_valid", "A rule ends no earlier than it begins.")


def _units(path: str, rule: PowerRule, units: frozenset[str] | None) -> Iterator[FieldError]:
    named = [(f"{path}.lead", rule.lead)]
    named += [(f"{path}.support.{index}", unit) for index, unit in enumerate(rule.support)]
    for field, unit in named:
        if unit == AT_THE_STREET:
            continue
        if unit.startswith("@"):
            yield error(field, "unknown_unit", f"{unit} is resolved by nothing; only {AT_THE_STREET} is.")
        elif units is not None and unit not in units:
            yield error(field, "unknown_unit", f"There is no unit {unit} that handles cases.")
    yield from duplicates(f"{path}.support", "", rule.support)
    if rule.lead in rule.support:
        yield error(f"{path}.support", "lead_supports", f"{rule.lead} leads and cannot support itself.")


def _areas(path: str, rule: PowerRule, names: KnownNames) -> Iterator[FieldError]:
    if rule.streets and rule.communities:
        yield error(f"{path}.communities", "two_areas", "A rule is for streets or for communities, not for both.")
    for index, street in enumerate(rule.streets):
        if names.streets is not None and street not in names.streets:
            yield error(f"{path}.streets.{index}", "unknown_street", f"The city has no street {street}.")
    for index, community in enumerate(rule.communities):
        if names.communities is not None and community not in names.communities:
            message = f"The city has no community {community}."
            yield error(f"{path}.communities.{index}", "unknown_community", message)


def _when(path: str, when: When) -> Iterator[FieldError]:
    if when == When():
        yield error(path, "no_time", "Say a season, weekdays or working time; or leave `when` out, for any time.")
    yield from duplicates(f"{path}.weekdays", "", [str(day) for day in when.weekdays])
    if when.season is not None:
        for name, day in (("first", when.season.first), ("last", when.season.last)):
            if not _exists(day):
                yield error(f"{path}.season.{name}", "bad_day", f"No year has a day {day}.")


def _exists(day_of_year: str) -> bool:
    try:
        date.fromisoformat(f"2024-{day_of_year}")
    except ValueError:
        return False
    return True


# -------------------------------------------------------------------------------------------- one beside another


def _equal_rules(path: str, rules: Sequence[PowerRule]) -> Iterator[FieldError]:
    for (_, first), (index, second) in combinations(enumerate(rules), 2):
        if _compete(first, second):
            message = f"{first.rule} and {second.rule} are equally specific and fit the same cases."
            yield error(f"{path}.{index}", "equal_rules", message)


def _compete(first: PowerRule, second: PowerRule) -> bool:
    """Tell whether routing could not choose: neither is narrower, and there may be a case that both fit."""
    return (
        _subject(first) == _subject(second)
        and first.criteria == second.criteria
        and _share(first.streets, second.streets)
        and _share(first.communities, second.communities)
        and _share(first.target_types, second.target_types)
        and _share_days(first, second)
        and _share_time(first.when or When(), second.when or When())
    )


def _subject(rule: PowerRule) -> tuple[str, str]:
    return rule.system if isinstance(rule, LocalOverride) else "", rule.category


def _share(first: Sequence[object], second: Sequence[object]) -> bool:
    return not first or not second or not set(first).isdisjoint(second)


def _share_days(first: PowerRule, second: PowerRule) -> bool:
    begin = max(first.valid_from or date.min, second.valid_from or date.min)
    return begin <= min(first.valid_until or date.max, second.valid_until or date.max)


def _share_time(first: When, second: When) -> bool:
    """Tell whether both may fit an instant. Working time falls on any weekday: make-up days are Sundays too."""
    if first.season is not None and second.season is not None:
        apart = not falls_in(first.season, second.season.first) and not falls_in(second.season, first.season.first)
        if apart:
            return False
    if not _share(first.weekdays, second.weekdays):
        return False
    return first.working_time is None or second.working_time in {None, first.working_time}
