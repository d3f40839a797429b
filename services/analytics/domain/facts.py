"""What is known of a report and its case: two folds that share nothing but the id.

`ReportFacts` is the fold of a stream of `intake.reports` (`report_fold`), `CaseFacts` that of a stream of
`dispatch.cases` (`case_fold`). Neither reads the other, so the order in which events of one id arrive on the two topics
cannot matter. Facts are array-like: their values in this order are a row of the read model.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct, field

from services.analytics.domain.marks import Marks
from shared.contracts.adjustments import VoidReason
from shared.contracts.common import Level
from shared.contracts.dispatch import LegRole
from shared.contracts.intake import VerificationResult

LegState = Literal["assigned", "handling", "return_pending", "suspended", "fed_back", "waived"]
"""待签收, 处置中, 回退待审, 挂账, 已反馈, 免办."""
Again = Literal["check_failed", "sent_back", "false_closing", "recurrence"]
"""Why a unit handles its leg once more: 核查未通过, 退回补充, and the two grounds of a reopening."""
SuspensionStage = Literal["requested", "endorsed"]
"""挂账: asked for, and looked at by a dispatcher; the leader decides."""
AppealStage = Literal["pending", "upheld", "rejected"]
"""申诉: not decided yet, 成立, 不成立."""


class ImpossibleEvent(Exception):
    """An event that cannot be where it is in its stream, such as a signature on a leg that was never assigned."""


class ReportFacts(Struct, frozen=True, kw_only=True, array_like=True):
    """What intake says of one report. Instants are those of the events, UTC.

    The category is the one decided or, until then, the one that the source named; both with their code system.
    """

    reported_at: datetime
    observed_at: datetime
    source: str
    category_system: str
    category_code: str
    street: str | None
    community: str | None
    target_type: str
    campaign: str | None
    missing: tuple[str, ...] = ()
    accepted_at: datetime | None = None
    filed_at: datetime | None = None
    rejected_at: datetime | None = None
    rejection: str | None = None
    """Why it was rejected: the code."""
    verify_unit: str | None = None
    """Who is to verify it 核实; None while nobody is."""
    verified: VerificationResult | None = None
    """What the last verification found."""
    report_merge_requested: UUID | None = None
    """The report that it asked to go on as, and that has not answered yet."""
    report_merged_at: datetime | None = None
    """When it went on as another one, before it was filed; a case is merged by itself (`CaseFacts`)."""
    report_merged_into: UUID | None = None


class LegFacts(Struct, frozen=True, kw_only=True, array_like=True):
    """What dispatch says of one department's part of a case. Each instant is the last of its kind.

    `due_at` is the handling deadline as it stands; `overdue_at` the first of the unit's that passed: it stays, also
    when an upheld appeal exempts it from statistics (`exempted_at`). `again` and `again_reason` hold until the next
    feedback.
    """

    leg: int
    unit: str
    role: LegRole
    state: LegState
    assigned_at: datetime
    due_at: datetime | None = None
    signed_at: datetime | None = None
    fed_back_at: datetime | None = None
    waived_at: datetime | None = None
    again: Again | None = None
    again_reason: str | None = None
    reworks: int = 0
    extension_requested: bool = False
    suspension: SuspensionStage | None = None
    suspended_until: datetime | None = None
    overdue_at: datetime | None = None
    appeal: AppealStage | None = None
    exempted_at: datetime | None = None

    @property
    def done(self) -> bool:
        """Whether nothing more is expected of the unit."""
        return self.state in {"fed_back", "waived"}


class CaseFacts(Struct, frozen=True, kw_only=True, array_like=True):
    """What dispatch says of one case. `lead` is the lead leg's unit once there is one.

    At most one of `closed_at`, `voided_at` and `merged_at` is there, and only while that holds; what was undone since
    is among `marks`. `level` is who has to solve it and, when it is closed, where it counts as solved.
    """

    opened_at: datetime
    number: str | None = None
    """By which people name it; none of before dispatch gave numbers."""
    unroutable: str | None = None
    """Why no rule of the power list gave it a lead: the code; None once it was dispatched."""
    dispatched_at: datetime | None = None
    lead: str | None = None
    level: Level | None = None
    check_unit: str | None = None
    """Who is to check it."""
    checked_at: datetime | None = None
    check_passed: bool | None = None
    """What the last check found; None again when it was reopened."""
    closed_at: datetime | None = None
    voided_at: datetime | None = None
    void_reason: VoidReason | None = None
    merged_at: datetime | None = None
    merged_into: UUID | None = None
    void_proposed: VoidReason | None = None
    merge_requested: UUID | None = None
    """The master that has not answered yet."""
    answer_awaited: bool = False
    """Somebody entitled watches it, and no unit has answered yet."""
    legs: dict[int, LegFacts] = field(default_factory=dict)
    marks: Marks = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more is expected of anybody."""
        return not (self.closed_at is None and self.voided_at is None and self.merged_at is None)
