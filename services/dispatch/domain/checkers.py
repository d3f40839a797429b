"""Who checks a case (核查): chosen by a rule that everybody can repeat, so that nobody picks their own checker."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.contracts.reference import Units


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The unit that checks, and those that the rule chose it from."""

    unit: str
    rule: Literal["nearest", "rotating"]
    candidates: tuple[str, ...]


def candidates(units: Units, handling: frozenset[str]) -> tuple[str, ...]:
    """Return the units that could check: they have collectors and no part in the handling (I-10), sorted."""
    return tuple(sorted(unit.code for unit in units.units if "collector" in unit.posts and unit.code not in handling))


def choose(units: Units, handling: frozenset[str], case_id: UUID, street: str | None) -> Chosen | None:
    """Return the checker: a unit of the place's street, else one of all others in turn by the case's id.

    The same documents and case always give the same one. None where every unit with collectors handles the case.
    """
    able = candidates(units, handling)
    if not able:
        return None
    streets = {unit.code: unit.street for unit in units.units}
    nearest = tuple(code for code in able if street is not None and streets[code] == street)
    among = nearest or able
    return Chosen(unit=among[case_id.int % len(among)], rule="nearest" if nearest else "rotating", candidates=among)
