"""Who may do what to a report, by the city's units document (I-13): pure."""

from collections.abc import Mapping
from typing import Final

from services.intake.domain.commands import (
    Accept,
    Act,
    AssignVerification,
    Complete,
    File,
    Forget,
    Merge,
    Reject,
    Verify,
)
from services.intake.domain.report import Report
from shared.contracts.common import Actor, Post
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Units
from shared.kernel.errors import Refusal, Unavailable

POSTS: Final[Mapping[type[Act], tuple[Post, ...]]] = {
    Complete: ("acceptor",),
    AssignVerification: ("acceptor",),
    Verify: ("collector",),
    Accept: ("acceptor",),
    File: ("duty_leader",),
    Reject: ("acceptor", "duty_leader"),
    Merge: ("acceptor", "duty_leader"),
    Forget: ("administrator", "leader"),
}
"""The posts that may perform an act (domain 1.3)."""

CONTENT_READERS: Final[frozenset[Post]] = frozenset({"acceptor", "duty_leader", "administrator", "leader"})
"""The posts that may read what may have to be forgotten; so may the reporting client, and who is to verify (I-14)."""


def units_of(city: str, library: ReferenceLibrary) -> Units:
    """Return the city's current units document.

    Raises:
        Unavailable: if it has not arrived yet.
    """
    found = library.units(city)
    if found is None:
        raise Unavailable(f"The units document of {city} has not arrived yet.")
    return found[1]


def is_trusted(client: str, units: Units) -> bool | None:
    """Return whether a source's complete reports are filed at once; None if the client is no source."""
    return next((source.trusted for source in units.sources if source.code == client), None)


def has_collectors(unit: str, units: Units) -> bool:
    """Return whether somebody of this unit can look on site (核实)."""
    known = units.by_code.get(unit)
    return known is not None and "collector" in known.posts


def not_entitled(actor: Actor, posts: tuple[Post, ...], units: Units) -> Refusal | None:
    """Return why the actor may not act in one of these posts, or None."""
    if actor.post not in posts:
        return Refusal(code="not_entitled_post", detail=f"A {actor.post} may not do this; {' or '.join(posts)} may.")
    unit = next((unit for unit in units.units if unit.code == actor.unit), None)
    if unit is None or actor.post not in unit.posts:
        return Refusal(code="not_entitled_unit", detail=f"There is no {actor.post} in the unit {actor.unit}.")
    return None


def may_read_content(actor: Actor, report: Report) -> bool:
    """Return whether the actor may read the private content of the report; of the contact see `may_read_contact`."""
    return may_read_contact(actor, report) or is_to_verify(actor, report)


def may_read_contact(actor: Actor, report: Report) -> bool:
    """Return whether the actor may read who reported it: to look on site one needs the problem, not the person.

    Personal Information Protection Law 个人信息保护法, article 6: no more than the purpose needs.
    """
    return actor.post in CONTENT_READERS or actor.client == report.source


def is_to_verify(actor: Actor, report: Report) -> bool:
    """Return whether the actor is a collector of the unit that is to verify the report 核实 and has not yet."""
    looks = report.verification
    return actor.post == "collector" and report.status == "verifying" and looks is not None and looks.unit == actor.unit


def sees_only(actor: Actor) -> str | None:
    """Return the one source whose reports the actor may see; None means everybody's."""
    return actor.client if actor.post == "source" else None
