"""What an act knows beside the case and its command, and the small things that several acts say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypedDict

from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.legs import LegState, find_leg
from shared.contracts.common import Actor, Instant
from shared.contracts.decisions import Context
from shared.contracts.dispatch import Explanation
from shared.contracts.reference import Category, Units
from shared.deadlines.timing import Timing, timing_of
from shared.kernel.errors import FieldError, Refusal

DISPATCH_ITSELF: Final = Actor(client="dispatch", unit="dispatch", post="system")
"""Who does what follows from an act or from time by rule."""

CaseDecision = list[CaseEvent] | Refusal


class Stamp(TypedDict):
    """What every event says of its act."""

    at: Instant
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """One act: its context, and the units in force with their version."""

    city: str
    context: Context
    units_version: int
    units: Units

    @property
    def at(self) -> datetime:
        """Return when the act counts as done."""
        return self.context.at

    @property
    def by(self) -> Actor:
        """Return who acts."""
        return self.context.actor

    @property
    def stamp(self) -> Stamp:
        """Return what every event says of the act."""
        return Stamp(at=self.context.at, by=self.context.actor)

    @property
    def by_rule(self) -> Stamp:
        """Return what an event says that follows from the act by rule, and was nobody's choice."""
        return Stamp(at=self.context.at, by=DISPATCH_ITSELF)

    @property
    def timing(self) -> Timing:
        """Return what clocks run by.

        Raises:
            LookupError: if the calendar or the limit policy is not in the library: our fault, not the actor's.
        """
        timing = timing_of(self.context.library, self.city)
        if timing is None:
            raise LookupError(f"The calendar and the limit policy of {self.city} have not both been published.")
        return timing

    def by_hand(
        self,
        case: CaseState,
        decided_by: Literal["dispatcher", "ruling"],
        reason: str,
        *,
        instead_of_rule: bool = True,
    ) -> Explanation:
        """Return why a unit has a leg that a person gave to it, `instead_of_rule` or beside what the rule says."""
        return Explanation(
            rule=None,
            catalogue_version=case.opened.category.version,
            units_version=self.units_version,
            legal_basis="",
            considered=(),
            decided_by=decided_by,
            reason=reason,
            overrides=case.rule if instead_of_rule else None,
        )


def leg_of(case: CaseState, number: int) -> LegState:
    """Return the leg, which the table of transitions has found.

    Raises:
        LookupError: if there is none: our bug.
    """
    leg = find_leg(case.legs, number)
    if leg is None:
        raise LookupError(f"No leg {number}: the table of transitions let it pass.")
    return leg


def category_of(case: CaseState, acting: Acting) -> Category:
    """Return what the catalogue that the case was filed by says of its category.

    Raises:
        LookupError: if it does not know it: our bug, the case was opened by it.
    """
    code = case.opened.category
    catalogue = acting.context.library.catalogue(code.system, code.version)
    for category in catalogue.categories if catalogue else ():
        if category.code == code.code:
            return category
    raise LookupError(f"Catalogue {code.system} {code.version} has no {code.code}.")


def same_person(one: Actor, other: Actor) -> bool:
    """Are they one person, as far as their tokens tell? Where one names nobody, the client tells."""
    return one.person == other.person if one.person and other.person else one.client == other.client


def unknown_unit(field: str, unit: str) -> FieldError:
    """Return what is wrong with a unit that handles no cases."""
    return FieldError(field=field, code="unknown_unit", message=f"There is no unit {unit} that handles cases.")


def refuse(detail: str, errors: Sequence[FieldError]) -> Refusal:
    """Return the refusal that names these errors; of one error it takes the name."""
    return Refusal(code=errors[0].code if len(errors) == 1 else "invalid", detail=detail, errors=tuple(errors))
