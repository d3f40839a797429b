"""What is wrong with a report and what is still missing before it can be filed: pure, every field error at once.

What is wrong refuses the report (it is never stored); what is missing lets it wait for an acceptor.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from shapely import Polygon, intersects_xy, prepare

from shared.contracts.common import CategoryCode, Place
from shared.contracts.intake import SubmittedCategory, SubmittedPlace
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Area, Category, Places
from shared.kernel.errors import FieldError, Refusal, Unavailable

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far a reporter's clock may run before ours."""

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Before this nothing was observed that a city still handles; such a time is a mistake of the sender's."""

_STREETS: Final = frozenset({"street", "town", "township"})
_COMMUNITIES: Final = frozenset({"community", "village"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A report with nothing wrong in it. `category` is None while its filing condition is not chosen.

    `missing` names the fields without which it cannot be filed; `places_version` is the version of the city's
    places document that was looked at.
    """

    category: CategoryCode | None
    place: Place
    missing: tuple[str, ...]
    places_version: int


@dataclass(slots=True)
class _Findings:
    """What was found so far, in the order in which the fields were looked at."""

    errors: list[FieldError] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def wrong(self, name: str, code: str, message: str) -> None:
        self.errors.append(FieldError(field=name, code=code, message=message))


def admit(
    category: SubmittedCategory,
    place: Place,
    observed_at: datetime,
    *,
    at: datetime,
    city: str,
    library: ReferenceLibrary,
) -> Admission | tuple[FieldError, ...]:
    """Judge category, place and time of a report as of the instant `at`.

    Returns:
        The admission, or every field error.

    Raises:
        Unavailable: if the city's places document has not arrived yet.
    """
    found = library.places(city)
    if found is None:
        raise Unavailable(f"The places document of {city} has not arrived yet.")
    places_version, places = found
    findings = _Findings()
    code = _category_code(category, library, findings)
    located = _located(place, places, findings)
    if observed_at > at + CLOCK_TOLERANCE:
        findings.wrong("observed_at", "in_the_future", "The time of observation lies in the future.")
    if observed_at < EARLIEST:
        findings.wrong("observed_at", "too_long_ago", f"The time of observation lies before {EARLIEST.year}.")
    if findings.errors:
        return tuple(findings.errors)
    return Admission(category=code, place=located, missing=tuple(findings.missing), places_version=places_version)


def missing_documents(library: ReferenceLibrary, city: str) -> str | None:
    """Return which reference documents have not arrived yet, for an operator to read, or None.

    Before they are here nothing can be decided: a new system must not refuse reports because its own catalogue is
    still on the way.
    """
    found = {
        "units": library.units(city),
        "places": library.places(city),
        "catalogue": library.names("catalogue"),
        "calendar": library.calendar(city),
        "limit_policy": library.limit_policy(city),
    }
    missing = [name for name, document in found.items() if not document]
    return f"Reference documents of {city} have not arrived yet: {', '.join(missing)}." if missing else None


def public_place(place: SubmittedPlace) -> Place:
    """Return what of a submitted place may stand in an event: everything but the address (I-14)."""
    return Place(
        longitude=place.longitude,
        latitude=place.latitude,
        street=place.street,
        community=place.community,
        grid=place.grid,
    )


def invalid(errors: Sequence[FieldError]) -> Refusal:
    """Return the refusal of a report with something wrong in it."""
    return Refusal(code="invalid", detail="The report has fields that are not valid.", errors=tuple(errors))


def incomplete(missing: Sequence[str]) -> Refusal:
    """Return the refusal of an act on a report in which something is missing."""
    errors = tuple(FieldError(field=name, code="required", message="The field is missing.") for name in missing)
    return Refusal(code="incomplete", detail="The report is not complete yet.", errors=errors)


def _category_code(named: SubmittedCategory, library: ReferenceLibrary, findings: _Findings) -> CategoryCode | None:
    current = library.current("catalogue", named.system)
    if current is None:
        known = ", ".join(library.names("catalogue")) or "none"
        findings.wrong(
            "category.system", "unknown_code_system", f"There is no code system {named.system}; known: {known}."
        )
        return None
    version = named.version or current[0]
    catalogue = library.catalogue(named.system, version)
    if catalogue is None:
        findings.wrong(
            "category.version",
            "catalogue_version_not_published",
            f"Version {version} of {named.system} is not published; the newest is {current[0]}.",
        )
        return None
    category = next((category for category in catalogue.categories if category.code == named.code), None)
    if category is None:
        findings.wrong(
            "category.code", "unknown_category", f"{named.system} version {version} has no category {named.code}."
        )
        return None
    condition = _condition(named.condition, category, findings)
    if condition is None:
        return None
    return CategoryCode(system=named.system, version=version, code=named.code, condition=condition)


def _condition(named: str | None, category: Category, findings: _Findings) -> str | None:
    known = [condition.code for condition in category.conditions]
    if named in known:
        return named
    if named is not None:
        findings.wrong(
            "category.condition",
            "unknown_condition",
            f"{category.code} has no filing condition {named}; it has: {', '.join(known)}.",
        )
        return None
    if len(known) == 1:
        return known[0]
    findings.missing.append("category.condition")
    return None


def _located(place: Place, places: Places, findings: _Findings) -> Place:
    """Return the place with its street filled in from its community, where only that was given."""
    if not intersects_xy(_polygon(places.outline), place.longitude, place.latitude):
        findings.wrong(
            "place", "outside_city", f"{place.longitude}, {place.latitude} (WGS-84) lies outside {places.name}."
        )
    street = _area(place.street, _STREETS, places)
    if street is None and place.street is not None:
        findings.wrong("place.street", "unknown_street", f"{places.name} has no street {place.street}.")
    community = _area(place.community, _COMMUNITIES, places)
    if community is None and place.community is not None:
        findings.wrong("place.community", "unknown_community", f"{places.name} has no community {place.community}.")
    if street is not None and community is not None and community.parent != street.code:
        findings.wrong(
            "place.community",
            "community_not_in_street",
            f"{community.name} ({community.code}) does not belong to {street.name} ({street.code}).",
        )
    located = msgspec.structs.replace(place, street=place.street or (community.parent if community else None))
    if located.street is None:
        findings.missing.append("place.street")
    if located.community is None:
        findings.missing.append("place.community")
    return located


def _area(code: str | None, kinds: frozenset[str], places: Places) -> Area | None:
    return next((area for area in places.areas if area.code == code and area.kind in kinds), None)


@functools.lru_cache(maxsize=8)
def _polygon(outline: tuple[tuple[float, float], ...]) -> Polygon:
    polygon = Polygon(outline)
    prepare(polygon)
    return polygon
