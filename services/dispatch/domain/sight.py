"""Who may see what of a case: facts are for everybody who works with cases, private content for fewer (I-14)."""

from typing import Final

from services.dispatch.domain.case import CaseState
from services.dispatch.domain.legs import units_of
from shared.contracts.common import Actor, Post

CONTENT_READERS: Final[frozenset[Post]] = frozenset(
    {"acceptor", "duty_leader", "dispatcher", "inspector", "collector", "leader", "administrator"}
)
"""The posts of the centres that need to know what was said and where exactly."""


def may_read_content(actor: Actor, case: CaseState) -> bool:
    """Return whether the actor may read what may have to be forgotten: the centres, and units that handle the case."""
    return actor.post in CONTENT_READERS or actor.unit in units_of(case.legs)


def sees_only(actor: Actor) -> str | None:
    """Return the one source whose cases the actor may see; None means everybody's."""
    return actor.client if actor.post == "source" else None
