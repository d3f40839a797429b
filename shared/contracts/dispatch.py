"""What dispatch reads and publishes: departments' actions, `Case` events, tasks."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from msgspec import Meta

from shared.contracts.clocks import Clock, MovedClock
from shared.contracts.common import (
    CategoryCode,
    Digest,
    Event,
    Instant,
    Level,
    Message,
    Number,
    Place,
    ShortText,
    TargetType,
)
from shared.contracts.intake import Stranger
from shared.contracts.reference import Criterion, Limit

LegRole = Literal["lead", "support"]
"""主办, 协办."""
ReturnReason = Literal["not_our_duty", "no_handling_needed"]
"""The two honest reasons to return a task (domain 1.4): 派遣有误, 无需处置."""


class LegAction(Stranger, frozen=True, kw_only=True):
    """An act of a department on its own leg, by topic or by HTTP.

    `expected_revision` is that of the leg; where it is given and stale, the act is refused with the current one.
    """

    case_id: UUID
    leg: Number
    expected_revision: int | None = None


class SignLeg(LegAction, frozen=True, kw_only=True):
    """签收: the department takes the task."""

    type: ClassVar[str] = "jointenforcement.leg.signed.v1"


class FeedBackLeg(LegAction, frozen=True, kw_only=True):
    """反馈: the department reports its part done and claims the closing condition."""

    type: ClassVar[str] = "jointenforcement.leg.fed_back.v1"
    closing_condition: ShortText
    evidence: Annotated[tuple[Digest, ...], Meta(max_length=20)] = ()
    """Digests of photos and documents that the department keeps."""


class RequestLegReturn(LegAction, frozen=True, kw_only=True):
    """申请回退: the department says that the task is not for it, with reason and ground."""

    type: ClassVar[str] = "jointenforcement.leg.return_requested.v1"
    reason: ReturnReason
    ground: ShortText


class Leg(Message, frozen=True, kw_only=True):
    """One department's part of a case (处置任务) as it is dispatched."""

    leg: Number
    unit: str
    role: LegRole
    limit: Limit


Verdict = Literal[
    "won", "less_specific", "overridden", "other_place", "other_target", "other_time", "time_unknown", "not_in_force"
]
"""Fits and won; fits, but another rule is more specific, or is the city's own; does not fit.

`time_unknown`: the rule asks for working time, and the city's calendar or limit policy has not been published.
"""


class ConsideredRule(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A rule that routing looked at, and what became of it.

    `outdone_in` is the first criterion of the precedence in which the winner is narrower. `reason` is why the city has
    this rule of its own.
    """

    rule: str
    verdict: Verdict
    origin: Literal["power_list", "local_override"] = "power_list"
    outdone_in: Criterion | None = None
    reason: str | None = None


class Explanation(Message, frozen=True, kw_only=True):
    """Why a case went where it went: rule, document versions, and what else was considered, in order of precedence.

    The versions of calendar and limit policy are there where a rule asked for working time. What was written before
    there were local overrides has no `routing_version`.
    """

    rule: str | None
    catalogue_version: Number
    units_version: Number
    legal_basis: str
    considered: tuple[ConsideredRule, ...]
    decided_by: Literal["power_list", "local_override", "dispatcher", "ruling"]
    reason: str | None = None
    overrides: str | None = None
    """The rule that a dispatcher did not follow: counted, so that a bad rule shows."""
    routing_version: Number | None = None
    calendar_version: Number | None = None
    policy_version: Number | None = None


class CaseOpened(Event, frozen=True, kw_only=True):
    """A filed report became a case; the case id is the report's.

    `number` is the one that people see (案卷号); a case of before there were numbers has none.
    """

    type: ClassVar[str] = "jointenforcement.case.opened.v1"
    source: str
    category: CategoryCode
    place: Place
    observed_at: Instant
    reported_at: Instant
    filed_at: Instant
    target_type: TargetType
    campaign: str | None
    limit: Limit
    closing_condition_zh: str
    closing_condition_en: str
    number: str | None = None


class CaseOpeningDeclined(Event, frozen=True, kw_only=True):
    """A report was filed under the id of a case that exists already: nothing changed, an operator sees it."""

    type: ClassVar[str] = "jointenforcement.case.opening_declined.v1"
    reason: Literal["case_exists"]
    report_sequence: int


class CaseRoutingFailed(Event, frozen=True, kw_only=True):
    """No rule of the power list gives this case a lead that exists: a dispatcher must dispatch it by hand."""

    type: ClassVar[str] = "jointenforcement.case.routing_failed.v1"
    explanation: Explanation
    reason: Literal["no_rule", "unknown_unit"]
    detail: str
    clock: Clock | None = None
    """派遣 by hand has a limit."""


class CaseDispatched(Event, frozen=True, kw_only=True):
    """派遣: one lead leg and its support legs; the clocks of all legs start, and are the same."""

    type: ClassVar[str] = "jointenforcement.case.dispatched.v1"
    legs: tuple[Leg, ...]
    explanation: Explanation
    level: Level = "city"
    sign_clock: Clock | None = None
    handle_clock: Clock | None = None


class LegSigned(Event, frozen=True, kw_only=True):
    """签收."""

    type: ClassVar[str] = "jointenforcement.case.leg_signed.v1"
    leg: Number
    unit: str


class LegFedBack(Event, frozen=True, kw_only=True):
    """反馈: the unit claims that its part is done."""

    type: ClassVar[str] = "jointenforcement.case.leg_fed_back.v1"
    leg: Number
    unit: str
    closing_condition: str
    evidence: tuple[Digest, ...]


class LegReturnRequested(Event, frozen=True, kw_only=True):
    """回退申请: waits for a ruling of the centre."""

    type: ClassVar[str] = "jointenforcement.case.leg_return_requested.v1"
    leg: Number
    unit: str
    reason: ReturnReason
    ground: str


class LegReturnRefused(Event, frozen=True, kw_only=True):
    """回退不予批准: the unit goes on handling; its clock never stopped."""

    type: ClassVar[str] = "jointenforcement.case.leg_return_refused.v1"
    leg: Number
    unit: str
    reason: str


class LegReturnUpheld(Event, frozen=True, kw_only=True):
    """回退批准: the task goes to another unit with a new clock; the old one is not scored."""

    type: ClassVar[str] = "jointenforcement.case.leg_return_upheld.v1"
    leg: Number
    unit: str
    to_unit: str
    explanation: Explanation
    sign_clock: Clock | None = None
    handle_clock: Clock | None = None


class LegWaived(Event, frozen=True, kw_only=True):
    """免办: a support leg is no longer needed, said by someone entitled."""

    type: ClassVar[str] = "jointenforcement.case.leg_waived.v1"
    leg: Number
    unit: str
    reason: str


class CaseChecked(Event, frozen=True, kw_only=True):
    """核查: somebody of another unit looked on site. A failed check sends `rework` legs back to their units.

    `resumed` are their handling clocks as they go on: the time since each feedback is a pause.
    """

    type: ClassVar[str] = "jointenforcement.case.checked.v1"
    passed: bool
    rework: tuple[Number, ...]
    reason: str | None
    resumed: tuple[MovedClock, ...] = ()


class CaseClosed(Event, frozen=True, kw_only=True):
    """结案: the closure gate was passed (I-11). `level` is where the case was solved and counts.

    `on_papers`: without a check on site, as its category allows (domain 9.2, row 22).
    """

    type: ClassVar[str] = "jointenforcement.case.closed.v1"
    level: Level = "city"
    on_papers: bool = False
    reason: str | None = None
