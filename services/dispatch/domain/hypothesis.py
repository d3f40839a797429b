"""What would happen to a case: the input of routing for something that has not been reported, every error named."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from services.dispatch.domain.document_errors import error
from services.dispatch.domain.routing import RoutingDocuments
from services.dispatch.domain.rule_fit import Matter
from shared.contracts.common import CategoryCode, TargetType
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Calendar, Catalogue, Kind, LimitPolicy, Places, Routing, Units
from shared.kernel.errors import FieldError, Refusal

YEARS: Final = range(1970, 2200)
"""At the ends of the calendar there is no local time."""

D = TypeVar("D", Catalogue, Units, Routing, Calendar, LimitPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Which version of each document is wanted; None: the one in force."""

    catalogue: int | None = None
    units: int | None = None
    routing: int | None = None
    calendar: int | None = None
    limit_policy: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """A problem that might be reported, named by codes. The street of a community need not be said."""

    system: str
    code: str
    condition: str
    street: str | None
    community: str | None
    target_type: TargetType
    at: datetime
    versions: Versions


def suppose(library: ReferenceLibrary, city: str, supposed: Hypothesis) -> tuple[RoutingDocuments, Matter] | Refusal:
    """Return what routing would be asked and by which documents, or the refusal that names every field."""
    shelf, versions, system = _Shelf(library), supposed.versions, supposed.system
    catalogue = shelf.find("catalogue", system, versions.catalogue, Catalogue)
    units = shelf.find("units", city, versions.units, Units)
    routing = shelf.find("routing", city, versions.routing, Routing)
    calendar = shelf.find("calendar", city, versions.calendar, Calendar)
    policy = shelf.find("limit_policy", city, versions.limit_policy, LimitPolicy)
    places = library.places(city)
    errors = [
        *shelf.errors,
        *_category_errors(supposed, catalogue),
        *_place_errors(supposed, places),
        *_instant_errors(supposed.at),
    ]
    if errors or catalogue is None or units is None:
        return Refusal(code="invalid", detail="The question has fields that are not valid.", errors=tuple(errors))
    matter = Matter(
        category=CategoryCode(system=system, version=catalogue[0], code=supposed.code, condition=supposed.condition),
        street=supposed.street or _street_of(supposed.community, places),
        community=supposed.community,
        target_type=supposed.target_type,
        at=supposed.at,
    )
    documents = RoutingDocuments(catalogue=catalogue, units=units, routing=routing, calendar=calendar, policy=policy)
    return documents, matter


class _Shelf:
    """Finds documents, and keeps what is wrong with the versions that were wanted."""

    def __init__(self, library: ReferenceLibrary) -> None:
        self._library = library
        self.errors: list[FieldError] = []

    def find(self, kind: Kind, name: str, version: int | None, shape: type[D]) -> tuple[int, D] | None:
        """Return the wanted version of the document, or the one in force; None where there is none."""
        if version is None:
            current = self._library.current(kind, name)
            if current is not None and isinstance(current[1], shape):
                return current[0], current[1]
        else:
            document = self._library.get(kind, name, version)
            if isinstance(document, shape):
                return version, document
        self._miss(kind, name, version)
        return None

    def _miss(self, kind: Kind, name: str, version: int | None) -> None:
        if version is not None:
            message = f"There is no version {version} of {kind}/{name}."
            self.errors.append(error(f"versions.{kind}", "unknown_version", message))
        elif kind == "catalogue":
            message = f"There is no catalogue of a code system {name}."
            self.errors.append(error("category.system", "unknown_system", message))
        elif kind == "units":
            self.errors.append(error("versions.units", "unknown_version", f"{kind}/{name} has not been published."))


def _category_errors(supposed: Hypothesis, found: tuple[int, Catalogue] | None) -> Iterator[FieldError]:
    if found is None:
        return
    version, catalogue = found
    category = catalogue.by_code.get(supposed.code)
    if category is None:
        message = f"{supposed.system} {version} has no category {supposed.code}."
        yield error("category.code", "unknown_category", message)
    elif all(condition.code != supposed.condition for condition in category.conditions):
        message = f"{supposed.code} has no filing condition {supposed.condition}."
        yield error("category.condition", "unknown_condition", message)


def _place_errors(supposed: Hypothesis, found: tuple[int, Places] | None) -> Iterator[FieldError]:
    if found is None:
        return
    parents = {area.code: area.parent for area in found[1].areas}
    street, community = supposed.street, supposed.community
    if street is not None and (street not in parents or parents[street] is not None):
        yield error("place.street", "unknown_street", f"The city has no street {street}.")
    if community is None:
        return
    if parents.get(community) is None:
        yield error("place.community", "unknown_community", f"The city has no community {community}.")
    elif street is not None and parents[community] != street:
        yield error("place.community", "other_street", f"{community} belongs to {parents[community]}, not to {street}.")


def _instant_errors(at: datetime) -> Iterator[FieldError]:
    if at.year not in YEARS:
        message = f"Ask about an instant of the years {YEARS.start} to {YEARS.stop - 1}."
        yield error("at", "out_of_range", message)


def _street_of(community: str | None, places: tuple[int, Places] | None) -> str | None:
    if community is None or places is None:
        return None
    return next((area.parent for area in places[1].areas if area.code == community), None)
