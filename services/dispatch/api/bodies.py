"""What a request's body may say: the acts of departments and of the centres, without what the path says already."""

from typing import Annotated

from msgspec import Meta

from shared.contracts.common import Digest, Number, ShortText, Slug
from shared.contracts.dispatch import ReturnReason
from shared.contracts.intake import Stranger


class Act(Stranger, frozen=True, kw_only=True):
    """`expected_revision`: refused with the current one where the leg, or the case's own part, has moved on."""

    expected_revision: int | None = None


class Signing(Act, frozen=True, kw_only=True):
    """签收."""


class Feedback(Act, frozen=True, kw_only=True):
    """反馈: the department reports its part done and claims the closing condition.

    `evidence` are SHA-256 digests of photos and documents that the department keeps.
    """

    closing_condition: ShortText
    evidence: Annotated[tuple[Digest, ...], Meta(max_length=20)] = ()


class ReturnRequest(Act, frozen=True, kw_only=True):
    """申请回退, for one of the two honest reasons."""

    reason: ReturnReason
    ground: ShortText


class ReturnDecision(Act, frozen=True, kw_only=True):
    """The ruling on a return request; an upheld one names the unit that takes the task."""

    upheld: bool
    reason: ShortText
    to_unit: Slug | None = None


class Waiver(Act, frozen=True, kw_only=True):
    """免办 of a support leg."""

    reason: ShortText


class HandDispatch(Act, frozen=True, kw_only=True):
    """派遣 by hand of a case that waits for a dispatcher."""

    lead: Slug
    support: Annotated[tuple[Slug, ...], Meta(max_length=20)] = ()
    reason: ShortText


class Check(Act, frozen=True, kw_only=True):
    """核查. A failed check says why, and may name the legs to rework; without names all that were fed back."""

    passed: bool
    rework: Annotated[tuple[Number, ...], Meta(max_length=40)] = ()
    reason: ShortText | None = None


class Closing(Act, frozen=True, kw_only=True):
    """结案."""
