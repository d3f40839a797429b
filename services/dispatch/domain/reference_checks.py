"""What a reference document must keep to beyond its schema; every error is named, with the path of its field."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, assert_never

from shapely import Polygon

from services.dispatch.domain.document_errors import duplicates, error
from services.dispatch.domain.rule_checks import check_overrides, check_power_list
from services.dispatch.domain.time_checks import check_calendar, check_limit, check_limit_policy
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import (
    Calendar,
    Catalogue,
    Category,
    Document,
    LimitPolicy,
    Places,
    Routing,
    Units,
)
from shared.kernel.errors import FieldError

_SLUG: Final = re.compile("[a-z0-9-]{1,40}")
_AREA_DIGITS: Final = {"street": 9, "town": 9, "township": 9, "community": 12, "village": 12}
_UPPER_AREAS: Final = frozenset({"street", "town", "township"})
_SMALLEST_RING: Final = 3


def check_document(document: Document, *, name: str, city: str, library: ReferenceLibrary) -> tuple[FieldError, ...]:
    """Return everything that is wrong with the document, nothing when it may be published under `name`.

    What a rule names is checked against the documents of `city` that the library knows (`rule_checks`).
    """
    return tuple(_errors(document, name=name, city=city, library=library))


def _errors(document: Document, *, name: str, city: str, library: ReferenceLibrary) -> Iterator[FieldError]:
    if not _SLUG.fullmatch(name):
        yield error("", "bad_name", f"A document's name is a-z, 0-9 and -, at most 40; {name!r} is not.")
    match document:
        case Catalogue():
            yield from _catalogue(document, name)
            yield from check_power_list(document, city, library)
        case Routing():
            yield from _city(document.city, name)
            yield from check_overrides(document, city, library)
        case Units():
            yield from _units(document)
        case Places():
            yield from _places(document, name)
        case Calendar():
            yield from _city(document.city, name)
            in_force = library.calendar(name)
            yield from check_calendar(document, in_force[1] if in_force else None)
        case LimitPolicy():
            yield from _city(document.city, name)
            yield from check_limit_policy(document)
        case _:
            assert_never(document)


def _city(city: str, name: str) -> Iterator[FieldError]:
    if city != name:
        yield error("city", "other_name", f"The city must be called {name}, like the document.")


# -------------------------------------------------------------------------------------------------- catalogue


def _catalogue(catalogue: Catalogue, name: str) -> Iterator[FieldError]:
    if catalogue.system != name:
        yield error("system", "other_name", f"The code system must be called {name}, like the document.")
    yield from duplicates("categories", "code", [category.code for category in catalogue.categories])
    ruled = {rule.category for rule in catalogue.power_list}
    for index, category in enumerate(catalogue.categories):
        path = f"categories.{index}"
        if category.code not in ruled:
            yield error(path, "category_without_rule", f"No rule of the power list is about {category.code}.")
        yield from _category(path, category)


def _category(path: str, category: Category) -> Iterator[FieldError]:
    if not category.conditions:
        yield error(f"{path}.conditions", "no_condition", f"{category.code} has no filing condition.")
    yield from duplicates(f"{path}.conditions", "code", [condition.code for condition in category.conditions])
    for index, condition in enumerate(category.conditions):
        yield from check_limit(condition.limit, f"{path}.conditions.{index}.limit")


# -------------------------------------------------------------------------------------------- units and places


def _units(units: Units) -> Iterator[FieldError]:
    yield from duplicates("units", "code", [unit.code for unit in units.units])
    yield from duplicates("sources", "code", [source.code for source in units.sources])
    codes = [(f"units.{index}.code", unit.code) for index, unit in enumerate(units.units)]
    codes += [(f"sources.{index}.code", source.code) for index, source in enumerate(units.sources)]
    for field, code in codes:
        if not _SLUG.fullmatch(code):
            yield error(field, "bad_code", f"{code!r} names topics: a-z, 0-9 and -, at most 40.")
    for index, unit in enumerate(units.units):
        if (unit.kind == "street") != (unit.street is not None):
            yield error(f"units.{index}.street", "bad_street", "A street's unit names its street, and no other does.")
    yield from duplicates("units", "street", [unit.street for unit in units.units])


def _places(places: Places, name: str) -> Iterator[FieldError]:
    yield from _city(places.city, name)
    yield from _outline(places.outline)
    yield from duplicates("areas", "code", [area.code for area in places.areas])
    upper = {area.code for area in places.areas if area.kind in _UPPER_AREAS}
    for index, area in enumerate(places.areas):
        digits = _AREA_DIGITS[area.kind]
        if not (area.code.isascii() and area.code.isdigit() and len(area.code) == digits):
            yield error(f"areas.{index}.code", "bad_code", f"The code of a {area.kind} has {digits} digits.")
        if area.kind in _UPPER_AREAS and area.parent is not None:
            yield error(f"areas.{index}.parent", "bad_parent", f"A {area.kind} has no parent.")
        if area.kind not in _UPPER_AREAS and area.parent not in upper:
            yield error(f"areas.{index}.parent", "bad_parent", f"The parent of a {area.kind} is a street of the city.")


def _outline(outline: Sequence[tuple[float, float]]) -> Iterator[FieldError]:
    for index, (longitude, latitude) in enumerate(outline):
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):  # noqa: PLR2004 - the bounds of WGS-84
            yield error(f"outline.{index}", "bad_point", "A point is [longitude, latitude] in degrees.")
    if len(set(outline)) < _SMALLEST_RING:
        yield error("outline", "no_ring", "The outline is a ring of at least three points.")
    elif not Polygon(outline).is_valid:
        yield error("outline", "crossing_ring", "The outline crosses itself.")
