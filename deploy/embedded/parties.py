"""The outside parties of a city: who may publish reports, and which departments act over topics."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from deploy.embedded.errors import SystemFailure
from deploy.embedded.home import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy.embedded.home import Home

_SLUG: Final = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, kw_only=True)
class Parties:
    """Slugs, sorted; each is part of topic names and of a Kafka user's name."""

    sources: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()

    def with_more(self, sources: Iterable[str] = (), departments: Iterable[str] = ()) -> Parties:
        """Return these parties and the given ones.

        Raises:
            SystemFailure: if a name cannot be a slug.
        """
        for slug in (*sources, *departments):
            if not _SLUG.fullmatch(slug):
                raise SystemFailure(
                    f"{slug!r} cannot be the name of a party.",
                    remedy="Use 1 to 40 characters of a-z, 0-9 and the hyphen.",
                )
        return Parties(
            sources=tuple(sorted({*self.sources, *sources})),
            departments=tuple(sorted({*self.departments, *departments})),
        )


def load_parties(home: Home) -> Parties:
    """Return the parties known so far."""
    if not home.parties.exists():
        return Parties()
    stored = json.loads(home.parties.read_text())
    return Parties(sources=tuple(stored["sources"]), departments=tuple(stored["departments"]))


def save_parties(home: Home, parties: Parties) -> None:
    """Remember the parties for every later start."""
    if parties != load_parties(home):
        write_private(home.parties, json.dumps(vars(parties), indent=2) + "\n")
