"""Rules of a small city's own, beside the power list."""

from collections.abc import Sequence

from shared.contracts.reference import LocalOverride
from tests.support.cases import CITY, URBAN


def own_rule(
    name: str,
    lead: str = URBAN,
    support: Sequence[str] = (),
    *,
    category: str = "E0406",
    system: str = CITY,
    reason: str = "the mayor's office decided",
) -> LocalOverride:
    """Return a rule of the city's own for all cases of a category."""
    return LocalOverride(
        rule=name,
        system=system,
        category=category,
        lead=lead,
        support=tuple(support),
        legal_basis=f"minutes about {name}",
        reason=reason,
    )
