"""The reference documents that a service knows at a moment, as a value that deciders and policies read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from shared.contracts.reference import Calendar, Catalogue, Document, Kind, LimitPolicy, Places, Routing, Units

D = TypeVar("D", Catalogue, Units, Places, Calendar, LimitPolicy, Routing)


@dataclass(frozen=True, slots=True)
class ReferenceLibrary:
    """Every version of every document that has arrived. A decision names the versions it used."""

    documents: Mapping[tuple[Kind, str], Mapping[int, Document]] = field(default_factory=dict)

    def get(self, kind: Kind, name: str, version: int) -> Document | None:
        """Return that version of the document, or None if it has not arrived."""
        return self.documents.get((kind, name), {}).get(version)

    def current(self, kind: Kind, name: str) -> tuple[int, Document] | None:
        """Return the newest version that has arrived, with its number, or None."""
        versions = self.documents.get((kind, name))
        if not versions:
            return None
        version = max(versions)
        return version, versions[version]

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Return the names of the documents of a kind, sorted: the known code systems, for `catalogue`."""
        return tuple(sorted(name for known, name in self.documents if known == kind))

    def catalogue(self, system: str, version: int) -> Catalogue | None:
        """Return that version of a code system's catalogue, or None."""
        document = self.get("catalogue", system, version)
        return document if isinstance(document, Catalogue) else None

    def current_catalogue(self, system: str) -> tuple[int, Catalogue] | None:
        """Return the current catalogue of a code system."""
        return _typed(self.current("catalogue", system), Catalogue)

    def units(self, city: str) -> tuple[int, Units] | None:
        """Return the current units document of the city."""
        return _typed(self.current("units", city), Units)

    def places(self, city: str) -> tuple[int, Places] | None:
        """Return the current places document of the city."""
        return _typed(self.current("places", city), Places)

    def calendar(self, city: str) -> tuple[int, Calendar] | None:
        """Return the current calendar of the city."""
        return _typed(self.current("calendar", city), Calendar)

    def limit_policy(self, city: str) -> tuple[int, LimitPolicy] | None:
        """Return the current limit policy of the city."""
        return _typed(self.current("limit_policy", city), LimitPolicy)

    def routing(self, city: str) -> tuple[int, Routing] | None:
        """Return the current rules of the city's own."""
        return _typed(self.current("routing", city), Routing)

    def with_document(self, kind: Kind, name: str, version: int, document: Document) -> "ReferenceLibrary":
        """Return a library that knows this document too."""
        documents = {key: dict(versions) for key, versions in self.documents.items()}
        documents.setdefault((kind, name), {})[version] = document
        return ReferenceLibrary(documents)


def _typed(found: tuple[int, Document] | None, expected: type[D]) -> tuple[int, D] | None:
    if found is None or not isinstance(found[1], expected):
        return None
    return found[0], found[1]
