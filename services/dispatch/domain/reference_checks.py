"""What a reference document must keep to beyond its schema; every error is named, with the path of its field."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Final, assert_never

from shapely import Polygon

from services.dispatch.domain.routing import AT_THE_STREET, HANDLING_KINDS
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import (
    Calendar,
    Catalogue,
    Category,
    Document,
    Limit,
    LimitPolicy,
    Places,
    PowerRule,
    Units,
)
from shared.kernel.errors import FieldError

_SLUG: Final = re.compile("[a-z0-9-]{1,40}")
_AREA_DIGITS: Final = {"street": 9, "town": 9, "township": 9, "community": 12, "village": 12}
_UPPER_AREAS: Final = frozenset({"street", "town", "township"})
_SMALLEST_RING: Final = 3


def check_document(document: Document, *, name: str, city: str, library: ReferenceLibrary) -> tuple[FieldError, ...]:
    """Return everything that is wrong with the document, nothing when it may be published under `name`.

    Units and streets that a catalogue names are checked against the documents of `city` that the library knows; where
    it knows none yet, that part waits: a case whose lead does not exist goes to a dispatcher.
    """
    return tuple(_errors(document, name=name, city=city, library=library))


def _errors(document: Document, *, name: str, city: str, library: ReferenceLibrary) -> Iterator[FieldError]:
    if not _SLUG.fullmatch(name):
        yield _error("", "bad_name", f"A document's name is a-z, 0-9 and -, at most 40; {name!r} is not.")
    match document:
        case Catalogue():
            yield from _catalogue(document, name, _known_units(city, library), _known_streets(city, library))
        case Units():
            yield from _units(document)
        case Places():
            yield from _places(document, name)
        case Calendar() | LimitPolicy():
            if document.city != name:
                yield _error("city", "other_name", f"The city must be called {name}, like the document.")
        case _:
            assert_never(document)


def _known_units(city: str, library: ReferenceLibrary) -> frozenset[str] | None:
    found = library.units(city)
    if found is None:
        return None
    return frozenset(unit.code for unit in found[1].units if unit.kind in HANDLING_KINDS) | {AT_THE_STREET}


def _known_streets(city: str, library: ReferenceLibrary) -> frozenset[str] | None:
    found = library.places(city)
    if found is None:
        return None
    return frozenset(area.code for area in found[1].areas if area.kind in _UPPER_AREAS)


# -------------------------------------------------------------------------------------------------- catalogue


def _catalogue(
    catalogue: Catalogue, name: str, units: frozenset[str] | None, streets: frozenset[str] | None
) -> Iterator[FieldError]:
    if catalogue.system != name:
        yield _error("system", "other_name", f"The code system must be called {name}, like the document.")
    yield from _duplicates("categories", "code", [category.code for category in catalogue.categories])
    yield from _duplicates("power_list", "rule", [rule.rule for rule in catalogue.power_list])
    ruled = {rule.category for rule in catalogue.power_list}
    for index, category in enumerate(catalogue.categories):
        path = f"categories.{index}"
        if category.code not in ruled:
            yield _error(path, "category_without_rule", f"No rule of the power list is about {category.code}.")
        yield from _category(path, category)
    categories = {category.code for category in catalogue.categories}
    for index, rule in enumerate(catalogue.power_list):
        yield from _rule(f"power_list.{index}", rule, categories, units, streets)
    yield from _equal_rules(catalogue.power_list)


def _category(path: str, category: Category) -> Iterator[FieldError]:
    if not category.conditions:
        yield _error(f"{path}.conditions", "no_condition", f"{category.code} has no filing condition.")
    yield from _duplicates(f"{path}.conditions", "code", [condition.code for condition in category.conditions])
    for index, condition in enumerate(category.conditions):
        if not _is_possible(condition.limit):
            message = "A limit is a positive amount, and 0 for at_once."
            yield _error(f"{path}.conditions.{index}.limit.amount", "bad_amount", message)


def _is_possible(limit: Limit) -> bool:
    return limit.amount == 0 if limit.unit == "at_once" else limit.amount > 0


def _rule(
    path: str, rule: PowerRule, categories: set[str], units: frozenset[str] | None, streets: frozenset[str] | None
) -> Iterator[FieldError]:
    if rule.category not in categories:
        yield _error(f"{path}.category", "unknown_category", f"The catalogue has no category {rule.category}.")
    named = [(f"{path}.lead", rule.lead)]
    named += [(f"{path}.support.{index}", unit) for index, unit in enumerate(rule.support)]
    for field, unit in named:
        if unit.startswith("@") and unit != AT_THE_STREET:
            yield _error(field, "unknown_unit", f"{unit} is resolved by nothing; only {AT_THE_STREET} is.")
        elif units is not None and unit not in units:
            yield _error(field, "unknown_unit", f"There is no unit {unit} that handles cases.")
    yield from _duplicates(f"{path}.support", "", rule.support)
    if rule.lead in rule.support:
        yield _error(f"{path}.support", "lead_supports", f"{rule.lead} leads and cannot support itself.")
    for index, street in enumerate(rule.streets):
        if streets is not None and street not in streets:
            yield _error(f"{path}.streets.{index}", "unknown_street", f"The city has no street {street}.")


def _equal_rules(rules: Sequence[PowerRule]) -> Iterator[FieldError]:
    for (_, first), (index, second) in combinations(enumerate(rules), 2):
        if first.category == second.category and _compete(first, second):
            message = f"{first.rule} and {second.rule} are equally specific and fit the same cases."
            yield _error(f"power_list.{index}", "equal_rules", message)


def _compete(first: PowerRule, second: PowerRule) -> bool:
    """Tell whether routing could not choose: both narrow the same things and share a street and a target type."""
    return _overlap(first.streets, second.streets) and _overlap(first.target_types, second.target_types)


def _overlap(first: Sequence[str], second: Sequence[str]) -> bool:
    if not first or not second:
        return not first and not second
    return not set(first).isdisjoint(second)


# -------------------------------------------------------------------------------------------- units and places


def _units(units: Units) -> Iterator[FieldError]:
    yield from _duplicates("units", "code", [unit.code for unit in units.units])
    yield from _duplicates("sources", "code", [source.code for source in units.sources])
    codes = [(f"units.{index}.code", unit.code) for index, unit in enumerate(units.units)]
    codes += [(f"sources.{index}.code", source.code) for index, source in enumerate(units.sources)]
    for field, code in codes:
        if not _SLUG.fullmatch(code):
            yield _error(field, "bad_code", f"{code!r} names topics: a-z, 0-9 and -, at most 40.")
    for index, unit in enumerate(units.units):
        if (unit.kind == "street") != (unit.street is not None):
            yield _error(f"units.{index}.street", "bad_street", "A street's unit names its street, and no other does.")
    yield from _duplicates("units", "street", [unit.street for unit in units.units])


def _places(places: Places, name: str) -> Iterator[FieldError]:
    if places.city != name:
        yield _error("city", "other_name", f"The city must be called {name}, like the document.")
    yield from _outline(places.outline)
    yield from _duplicates("areas", "code", [area.code for area in places.areas])
    upper = {area.code for area in places.areas if area.kind in _UPPER_AREAS}
    for index, area in enumerate(places.areas):
        digits = _AREA_DIGITS[area.kind]
        if not (area.code.isascii() and area.code.isdigit() and len(area.code) == digits):
            yield _error(f"areas.{index}.code", "bad_code", f"The code of a {area.kind} has {digits} digits.")
        if area.kind in _UPPER_AREAS and area.parent is not None:
            yield _error(f"areas.{index}.parent", "bad_parent", f"A {area.kind} has no parent.")
        if area.kind not in _UPPER_AREAS and area.parent not in upper:
            yield _error(f"areas.{index}.parent", "bad_parent", f"The parent of a {area.kind} is a street of the city.")


def _outline(outline: Sequence[tuple[float, float]]) -> Iterator[FieldError]:
    for index, (longitude, latitude) in enumerate(outline):
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):  # noqa: PLR2004 - the bounds of WGS-84
            yield _error(f"outline.{index}", "bad_point", "A point is [longitude, latitude] in degrees.")
    if len(set(outline)) < _SMALLEST_RING:
        yield _error("outline", "no_ring", "The outline is a ring of at least three points.")
    elif not Polygon(outline).is_valid:
        yield _error("outline", "crossing_ring", "The outline crosses itself.")


# ------------------------------------------------------------------------------------------------------ common


def _duplicates(path: str, field: str, values: Iterable[str | None]) -> Iterator[FieldError]:
    seen: Counter[str] = Counter()
    for index, value in enumerate(values):
        if value is None:
            continue
        seen[value] += 1
        if seen[value] > 1:
            place = f"{path}.{index}.{field}".rstrip(".")
            yield _error(place, "duplicate", f"{value} stands here more than once.")


def _error(field: str, code: str, message: str) -> FieldError:
    return FieldError(field=field, code=code, message=message)
