"""What people call units, places, categories and sources, from the reference documents; a code where none names it."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What something is called in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names of one city, each by its code. `categories` are by `<code system>:<code>`."""

    units: Mapping[str, Name]
    areas: Mapping[str, Name]
    categories: Mapping[str, Name]
    sources: Mapping[str, Name]


def named(names: Mapping[str, Name], code: str) -> Name:
    """Return the name of a code, or the code itself."""
    return names.get(code) or Name(zh=code, en=code)


def names_in(library: ReferenceLibrary, city: str) -> Names:
    """Return the names that the current documents give."""
    units, places = library.units(city), library.places(city)
    return Names(
        units={unit.code: Name(zh=unit.name_zh, en=unit.name_en) for unit in units[1].units} if units else {},
        areas={area.code: Name(zh=area.name, en=area.name) for area in places[1].areas} if places else {},
        categories={
            f"{system}:{category.code}": Name(zh=category.name_zh, en=category.name_en)
            for system in library.names("catalogue")
            if (current := library.current("catalogue", system)) and isinstance(current[1], Catalogue)
            for category in current[1].categories
        },
        sources={source.code: Name(zh=source.name_zh, en=source.name_en) for source in units[1].sources}
        if units
        else {},
    )
