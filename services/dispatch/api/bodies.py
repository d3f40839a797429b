"""What a request's body may say: the acts of departments and of the centres, without what the path says already.

A body has the fields of its command, by the same names; a test holds them together.
"""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from shared.contracts.adjustments import ReopenGround, SuspensionReason, VoidReason
from shared.contracts.common import Digest, Instant, Level, Number, ShortText, Slug
from shared.contracts.dispatch import ReturnReason
from shared.contracts.intake import Stranger
from shared.contracts.rectification import EnforcementMeasure, Evidence, RectificationUnit


class Act(Stranger, frozen=True, kw_only=True):
    """`expected_revision`: refused with the current one where the leg, or the case's own part, has moved on."""

    expected_revision: int | None = None


class Reasoned(Act, frozen=True, kw_only=True):
    """An act that says no more than why."""

    reason: ShortText


# ------------------------------------------------------------------------------------------------- of departments


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


class ExtensionRequest(Reasoned, frozen=True, kw_only=True):
    """申请延期. `engineering`: it is engineering work, which the leader decides at once."""

    engineering: bool = False


class SuspensionRequest(Act, frozen=True, kw_only=True):
    """申请挂账, with a plan and an end date that is at most a year away."""

    reason: SuspensionReason
    plan: Annotated[str, Meta(min_length=1, max_length=2000)]
    until: Instant


class Resumption(Reasoned, frozen=True, kw_only=True):
    """恢复处置 before the end date."""


class SupervisionAnswer(Act, frozen=True, kw_only=True):
    """督办答复."""

    answer: ShortText


class Appealing(Act, frozen=True, kw_only=True):
    """申诉 against being counted as overdue."""

    ground: ShortText


class RectificationOrder(Act, frozen=True, kw_only=True):
    """责令改正 within so many `days` (限期), or at once (立即) where none are given."""

    legal_basis: ShortText
    document_number: ShortText
    days: Annotated[int, Meta(ge=1, le=365)] | None = None
    unit: RectificationUnit = "statutory_working_day"


class RectificationClaim(Act, frozen=True, kw_only=True):
    """报改正: what the party says that it has done."""

    statement: ShortText
    evidence: Evidence = ()


class Reinspection(Act, frozen=True, kw_only=True):
    """复查: what the department found."""

    passed: bool
    finding: ShortText
    evidence: Evidence = ()


class Enforcement(Act, frozen=True, kw_only=True):
    """处罚 or 强制执行; its own file lives on elsewhere."""

    measure: EnforcementMeasure
    legal_basis: ShortText
    document_number: ShortText


# ------------------------------------------------------------------------------------------ of the centres, on legs


class ReturnDecision(Reasoned, frozen=True, kw_only=True):
    """回退审批; an upheld wrong dispatch names the unit that takes the task."""

    upheld: bool
    to_unit: Slug | None = None


class Ruling(Reasoned, frozen=True, kw_only=True):
    """裁定 after two returns; the unit may be the one that has the leg."""

    to_unit: Slug


class ExtensionDecision(Reasoned, frozen=True, kw_only=True):
    """延期审批."""

    approved: bool


class SuspensionEndorsement(Reasoned, frozen=True, kw_only=True):
    """挂账初审; not endorsed, the request ends here."""

    endorsed: bool


class SuspensionDecision(Reasoned, frozen=True, kw_only=True):
    """挂账审批."""

    approved: bool


class SendingBack(Reasoned, frozen=True, kw_only=True):
    """退回补充 of an obviously insufficient feedback."""


class Waiver(Reasoned, frozen=True, kw_only=True):
    """免办 of a support leg."""


class AppealReview(Reasoned, frozen=True, kw_only=True):
    """申诉审核 by one of two reviewers."""

    upheld: bool


# --------------------------------------------------------------------------------- of the centres, on the case itself


class HandDispatch(Reasoned, frozen=True, kw_only=True):
    """派遣 by hand of a case that waits for a dispatcher, or 改派 of one that nobody has signed."""

    lead: Slug
    support: Annotated[tuple[Slug, ...], Meta(max_length=20)] = ()


class MoreLegs(Reasoned, frozen=True, kw_only=True):
    """增派协办."""

    units: Annotated[tuple[Slug, ...], Meta(max_length=20)]


class CheckAssignment(Reasoned, frozen=True, kw_only=True):
    """派核查 to another unit than the rule chose."""

    unit: Slug


class Check(Act, frozen=True, kw_only=True):
    """核查. A failed check says why, and may name the legs to rework; without names all that were fed back."""

    passed: bool
    rework: Annotated[tuple[Number, ...], Meta(max_length=40)] = ()
    reason: ShortText | None = None


class Closing(Act, frozen=True, kw_only=True):
    """结案. `on_papers`: without a check on site, as the category allows; then it says on which papers."""

    on_papers: bool = False
    reason: ShortText | None = None


class VoidProposal(Act, frozen=True, kw_only=True):
    """提请作废."""

    reason: VoidReason
    ground: ShortText


class VoidDecision(Reasoned, frozen=True, kw_only=True):
    """作废审批."""

    approved: bool


class Reopening(Reasoned, frozen=True, kw_only=True):
    """重开 within 30 days. `legs` go on with their units; without names all that were fed back."""

    ground: ReopenGround
    legs: Annotated[tuple[Number, ...], Meta(max_length=40)] = ()


class Supervising(Reasoned, frozen=True, kw_only=True):
    """督办. `reply_by`: until when the units of the legs have to answer."""

    reply_by: Instant | None = None


class Escalation(Reasoned, frozen=True, kw_only=True):
    """升级."""

    to_level: Level


class Merging(Reasoned, frozen=True, kw_only=True):
    """并案: the case goes on as `master`."""

    master: UUID


class Unmerging(Reasoned, frozen=True, kw_only=True):
    """撤销并案."""
