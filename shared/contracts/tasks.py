"""What departments hear of their legs: a task for them, or news of one."""

from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.clocks import ClockStage
from shared.contracts.common import CategoryCode, Instant, Message, Number, Place
from shared.contracts.dispatch import LegRole
from shared.contracts.reference import Limit

TaskChange = Literal[
    "assigned",
    "signed",
    "counted_as_signed",
    "fed_back",
    "sent_back",
    "return_requested",
    "return_refused",
    "return_upheld",
    "ruled",
    "withdrawn",
    "waived",
    "extension_requested",
    "extended",
    "extension_refused",
    "suspension_requested",
    "suspension_endorsed",
    "suspension_refused",
    "suspended",
    "resumed",
    "rectification_ordered",
    "rectification_claimed",
    "rectification_expired",
    "reinspection_passed",
    "reinspection_failed",
    "enforced",
    "warned",
    "breached",
    "recomputed",
    "supervised",
    "supervision_answered",
    "rework",
    "closed",
    "appealed",
    "appeal_upheld",
    "appeal_rejected",
    "reopened",
    "voided",
    "merged",
    "unmerged",
]
"""派遣, 签收, 视同签收, 反馈, 退回补充, 申请回退, 回退不予批准, 回退批准, 裁定, 收回, 免办,
申请延期, 延期批准, 延期不予批准, 申请挂账, 挂账初审通过, 挂账不予批准, 挂账, 恢复处置,
责令改正, 报改正, 限改期满, 复查通过, 复查未通过, 处罚或强制执行, 预警, 超期, 时限重算,
督办, 督办答复, 返工, 结案, 申诉, 申诉成立, 申诉不成立, 重开, 作废, 并案, 撤销并案."""


class TaskChanged(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What a department hears of its leg, on its receipts topic: a task for it, or news of one.

    `change` says what happened, the rest is the leg as it stands then; who no longer has the leg hears it with
    `withdrawn` or `return_upheld`. There may come to be more changes: a reader passes over those that it does not know.

    `case_number` is the one that people see (案卷号), so that those of a department and of a centre name a case alike;
    a case of before there were numbers has none.

    `due_at` is when the leg has to be handled by, while its clock runs; `sign_by` until when it is to be signed, while
    it is not. `rectify_by` is until when the party has to do as ordered, `reinspect_by` until when the unit has to look
    again. Of a warning or breach, `stage` names the clock and `percent` how much of it is used. `until` ends a
    suspension, or is when a supervision wants an answer. `master` is the case that this one is merged into.
    """

    type: ClassVar[str] = "jointenforcement.task.changed.v1"
    change: TaskChange
    case_id: UUID
    case_number: str | None = None
    leg: Number
    unit: str
    role: LegRole
    limit: Limit
    revision: int
    category: CategoryCode
    place: Place
    closing_condition_zh: str
    closing_condition_en: str
    at: Instant
    reason: str | None = None
    due_at: Instant | None = None
    sign_by: Instant | None = None
    rectify_by: Instant | None = None
    reinspect_by: Instant | None = None
    stage: ClockStage | None = None
    percent: Literal[50, 80, 100] | None = None
    until: Instant | None = None
    master: UUID | None = None
