"""What changes the course of a case between its dispatch and its archive: `Adjustment` of domain 9.1.

Departments ask, the centres decide; every request, decision and refusal is an event.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from msgspec import Meta

from shared.contracts.clocks import Clock, MovedClock
from shared.contracts.common import Event, Instant, Level, Number, ShortText
from shared.contracts.dispatch import Explanation, Leg, LegAction

SuspensionReason = Literal["engineering_work", "wrong_season", "conditions_missing", "legal_process"]
"""Why a leg may be put on the books (domain 1.4): 工程施工, 季节不宜, 条件不具备, 法律程序中."""
ReopenGround = Literal["false_closing", "recurrence"]
"""虚假结案, 问题复发."""
VoidReason = Literal["not_found", "not_ours", "no_handling_needed", "duplicate"]
"""作废: 现场未发现, 不属管理范围, 无需处置, 重复."""


# ---------------------------------------------------------------------------- what departments ask for, by topic too


class RequestLegExtension(LegAction, frozen=True, kw_only=True):
    """申请延期: before the leg is overdue; `engineering` work is for the leader to decide at once."""

    type: ClassVar[str] = "jointenforcement.leg.extension_requested.v1"
    reason: ShortText
    engineering: bool = False


class RequestLegSuspension(LegAction, frozen=True, kw_only=True):
    """申请挂账: with a plan and an end date, at most a year away; once a leg."""

    type: ClassVar[str] = "jointenforcement.leg.suspension_requested.v1"
    reason: SuspensionReason
    plan: Annotated[str, Meta(min_length=1, max_length=2000)]
    until: Instant


class ResumeLeg(LegAction, frozen=True, kw_only=True):
    """恢复处置 before the end date."""

    type: ClassVar[str] = "jointenforcement.leg.resumed.v1"
    reason: ShortText


class AppealLeg(LegAction, frozen=True, kw_only=True):
    """申诉 against being counted as overdue: once, after the case was closed (domain 1.4)."""

    type: ClassVar[str] = "jointenforcement.leg.appealed.v1"
    ground: ShortText


class AnswerSupervision(LegAction, frozen=True, kw_only=True):
    """督办答复: the unit of a leg answers a supervision."""

    type: ClassVar[str] = "jointenforcement.leg.supervision_answered.v1"
    answer: ShortText


# ------------------------------------------------------------------------------------------------------ dispatching


class CaseRedispatched(Event, frozen=True, kw_only=True):
    """改派: a dispatcher sends an unsigned case elsewhere than the power list did; the old legs are not scored.

    `withdrawn` are the legs of units that have none any more.
    """

    type: ClassVar[str] = "jointenforcement.case.redispatched.v1"
    legs: tuple[Leg, ...]
    withdrawn: tuple[Leg, ...]
    explanation: Explanation
    sign_clock: Clock
    handle_clock: Clock


class LegsAdded(Event, frozen=True, kw_only=True):
    """增派协办: support legs beside those that there are, such as after an escalation."""

    type: ClassVar[str] = "jointenforcement.case.legs_added.v1"
    legs: tuple[Leg, ...]
    explanation: Explanation
    sign_clock: Clock
    handle_clock: Clock


class LegRuled(Event, frozen=True, kw_only=True):
    """裁定: after two returns the leader says who handles; this leg cannot be returned any more."""

    type: ClassVar[str] = "jointenforcement.case.leg_ruled.v1"
    leg: Number
    unit: str
    to_unit: str
    explanation: Explanation
    sign_clock: Clock
    handle_clock: Clock


class LegSentBack(Event, frozen=True, kw_only=True):
    """退回补充: the feedback is obviously insufficient; counts as rework (domain 9.2, row 18).

    `resumed` is its handling clock as it goes on: the time since the feedback is a pause.
    """

    type: ClassVar[str] = "jointenforcement.case.leg_sent_back.v1"
    leg: Number
    unit: str
    reason: str
    resumed: MovedClock | None = None


# -------------------------------------------------------------------------------------------------------- extensions


class LegExtensionRequested(Event, frozen=True, kw_only=True):
    """延期申请."""

    type: ClassVar[str] = "jointenforcement.case.leg_extension_requested.v1"
    leg: Number
    unit: str
    reason: str
    engineering: bool


class LegExtended(Event, frozen=True, kw_only=True):
    """延期批准: one original limit is added to the current deadline; `clock` is the leg's as it runs from now on."""

    type: ClassVar[str] = "jointenforcement.case.leg_extended.v1"
    leg: Number
    unit: str
    reason: str
    due_was: Instant
    clock: Clock


class LegExtensionRefused(Event, frozen=True, kw_only=True):
    """延期不予批准; does not count as one of the two."""

    type: ClassVar[str] = "jointenforcement.case.leg_extension_refused.v1"
    leg: Number
    unit: str
    reason: str


# ------------------------------------------------------------------------------------------------------- suspensions


class LegSuspensionRequested(Event, frozen=True, kw_only=True):
    """挂账申请."""

    type: ClassVar[str] = "jointenforcement.case.leg_suspension_requested.v1"
    leg: Number
    unit: str
    reason: SuspensionReason
    plan: str
    until: Instant


class LegSuspensionEndorsed(Event, frozen=True, kw_only=True):
    """挂账初审通过: the dispatcher has looked at it first; the leader decides."""

    type: ClassVar[str] = "jointenforcement.case.leg_suspension_endorsed.v1"
    leg: Number
    unit: str
    reason: str


class LegSuspended(Event, frozen=True, kw_only=True):
    """挂账: nothing is handled and all clocks of the leg stand still, until the end date at the latest."""

    type: ClassVar[str] = "jointenforcement.case.leg_suspended.v1"
    leg: Number
    unit: str
    reason: SuspensionReason
    plan: str
    until: Instant


class LegSuspensionRefused(Event, frozen=True, kw_only=True):
    """挂账不予批准."""

    type: ClassVar[str] = "jointenforcement.case.leg_suspension_refused.v1"
    leg: Number
    unit: str
    reason: str


class LegResumed(Event, frozen=True, kw_only=True):
    """恢复处置; the pause has moved the deadline by the working time that it covered."""

    type: ClassVar[str] = "jointenforcement.case.leg_resumed.v1"
    leg: Number
    unit: str
    cause: Literal["end_date", "early"]
    reason: str | None
    due_was: Instant
    clock: Clock


# ------------------------------------------------------------------------------------------------ check and the end


class CaseCheckAssigned(Event, frozen=True, kw_only=True):
    """派核查: a unit that does not handle the case is to look on site, chosen by rule from `candidates`."""

    type: ClassVar[str] = "jointenforcement.case.check_assigned.v1"
    unit: str
    rule: Literal["nearest", "rotating", "by_hand"]
    candidates: tuple[str, ...]
    clock: Clock | None = None
    reason: str | None = None


class CaseVoidProposed(Event, frozen=True, kw_only=True):
    """提请作废."""

    type: ClassVar[str] = "jointenforcement.case.void_proposed.v1"
    reason: VoidReason
    ground: str


class CaseVoidRefused(Event, frozen=True, kw_only=True):
    """作废不予批准: the case goes on as it was; its clocks never stopped."""

    type: ClassVar[str] = "jointenforcement.case.void_refused.v1"
    reason: str


class CaseVoided(Event, frozen=True, kw_only=True):
    """作废, by somebody else than who proposed it. `unmerges` are the cases that hung on it and go on by themselves."""

    type: ClassVar[str] = "jointenforcement.case.voided.v1"
    reason: VoidReason
    ground: str
    unmerges: tuple[UUID, ...]


class CaseReopened(Event, frozen=True, kw_only=True):
    """重开: back to the same units with a new handling clock; reverses the closing counted at `closed_at`."""

    type: ClassVar[str] = "jointenforcement.case.reopened.v1"
    legs: tuple[Number, ...]
    ground: ReopenGround
    reason: str
    closed_at: Instant
    handle_clock: Clock | None = None


class CaseSupervised(Event, frozen=True, kw_only=True):
    """督办: somebody entitled watches this case and wants an answer."""

    type: ClassVar[str] = "jointenforcement.case.supervised.v1"
    reason: str
    reply_by: Instant | None


class CaseSupervisionAnswered(Event, frozen=True, kw_only=True):
    """督办答复."""

    type: ClassVar[str] = "jointenforcement.case.supervision_answered.v1"
    leg: Number
    unit: str
    answer: str


class CaseEscalated(Event, frozen=True, kw_only=True):
    """升级: only upwards, by an explicit act with a reason."""

    type: ClassVar[str] = "jointenforcement.case.escalated.v1"
    from_level: Level
    to_level: Level
    reason: str


class LegAppealed(Event, frozen=True, kw_only=True):
    """申诉: the unit says that it should not be counted as overdue. The overdue fact stays."""

    type: ClassVar[str] = "jointenforcement.case.leg_appealed.v1"
    leg: Number
    unit: str
    ground: str


class LegAppealReviewed(Event, frozen=True, kw_only=True):
    """申诉审核 by one of two reviewers. `decision` is there after the second, or the first who rejects."""

    type: ClassVar[str] = "jointenforcement.case.leg_appeal_reviewed.v1"
    leg: Number
    unit: str
    upheld: bool
    reason: str
    decision: Literal["upheld", "rejected"] | None
