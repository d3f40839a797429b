"""What somebody may mean by the text that they look for: names of categories and places, or one case."""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Catalogue

_NUMBER: Final = re.compile(r"\S+-je-\d{8}-\d{6,}")
_STREETS = frozenset({"street", "town", "township"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a text may mean, all of it empty where it means nothing. `categories` are (code system, code)."""

    case: UUID | None = None
    number: str | None = None
    categories: tuple[tuple[str, str], ...] = ()
    streets: tuple[str, ...] = ()
    communities: tuple[str, ...] = ()


def meaning_of(text: str, library: ReferenceLibrary, city: str) -> Meaning:
    """Return what the text means by the documents in force: a part of a name, a whole code, a case's number or id."""
    sought = text.strip().casefold()
    places = library.places(city)
    areas = [area for area in (places[1].areas if places else ()) if _found(sought, area.code, area.name)]
    return Meaning(
        case=_case_id(sought),
        number=sought.upper() if _NUMBER.fullmatch(sought) else None,
        categories=tuple(
            (system, category.code)
            for system in library.names("catalogue")
            if (current := library.current("catalogue", system)) and isinstance(current[1], Catalogue)
            for category in current[1].categories
            if _found(sought, category.code, category.name_zh, category.name_en)
        ),
        streets=tuple(area.code for area in areas if area.kind in _STREETS),
        communities=tuple(area.code for area in areas if area.kind not in _STREETS),
    )


def _found(sought: str, code: str, *names: str) -> bool:
    return sought == code.casefold() or any(sought in name.casefold() for name in names)


def _case_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
