"""What the API answers. Every figure carries its parts as integers, and the address of the cases behind it (I-16)."""

from datetime import datetime
from uuid import UUID

from services.analytics.domain.facts import Again, AppealStage, LegState, SuspensionStage
from services.analytics.domain.marks import MarkKind
from services.analytics.domain.openness import ReasonCode
from shared.contracts.adjustments import VoidReason
from shared.contracts.common import Instant, Level, Message
from shared.contracts.dispatch import LegRole


class CountingRuleView(Message, frozen=True, kw_only=True):
    """口径: what the figure counts, by name and version."""

    name: str
    version: int
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str


class PartitionView(Message, frozen=True, kw_only=True):
    """One partition: everything before `next_offset` is counted, but for what is held; `events` counts each once."""

    partition: int
    next_offset: int
    events: int


class TopicView(Message, frozen=True, kw_only=True):
    """One topic that the figure counts."""

    topic: str
    events: int
    partitions: tuple[PartitionView, ...]


class CountedView(Message, frozen=True, kw_only=True):
    """Up to where the figure counts (I-15).

    `held_streams` wait behind a missing or unreadable message; `cases_without_report` are known from dispatch while
    their report has not arrived, and count nowhere; `latest_event_at` is when the latest counted event happened.
    """

    topics: tuple[TopicView, ...]
    held_streams: int
    cases_without_report: int
    latest_event_at: datetime | None


class BesideView(Message, frozen=True, kw_only=True):
    """What is shown beside a figure: to how many of its problems something happened, and how often in all.

    Add `&counted=` and this `counted` to the figure's `cases` for those problems; `times` are the marks of that kind
    that they show.
    """

    counted: str
    name_zh: str
    name_en: str
    cases: int
    times: int


class FigureView(Message, frozen=True, kw_only=True):
    """`numerator` closed of `denominator` reported; `percentage` is rounded half-up to 2 decimals, `—` for 0/0.

    `denominator` = `numerator` + `open` + `voided` + `merged` + `rejected`. `key` is empty for what has no such value.
    `cases` is the address of the problems behind the figure; add `&counted=closed`, `open`, `voided`, `merged` or
    `rejected` for a part of them. Those of `beside` are among them too, whichever of these they are; `overdue` less
    `exempted` is what counts as overdue.
    """

    key: str
    name_zh: str
    name_en: str
    numerator: int
    denominator: int
    percentage: str
    open: int
    voided: int
    merged: int
    rejected: int
    beside: tuple[BesideView, ...]
    cases: str


class LegFigureView(Message, frozen=True, kw_only=True):
    """What a unit has to do in these cases, as lead or support: `assigned` = `fed_back` + `waived` + `open`.

    `suspended` ones are open; `overdue` ones stay so when an appeal exempts them (`exempted`). `legs` is the address of
    the legs behind it; add `&counted=` and one of these names for a part of them.
    """

    unit: str
    name_zh: str
    name_en: str
    assigned: int
    fed_back: int
    waived: int
    open: int
    suspended: int
    overdue: int
    exempted: int
    legs: str


class ClosureView(Message, frozen=True, kw_only=True):
    """累计办结率, in total and by group. `cut_off` is what was asked for, or when the latest counted event happened.

    `legs` is there for the group `department` alone: a case is counted with its lead, a leg with its own unit.
    """

    rule: CountingRuleView
    cut_off: datetime | None
    total: FigureView
    group: str | None
    groups: tuple[FigureView, ...]
    legs: tuple[LegFigureView, ...]
    counted: CountedView


class ReasonView(Message, frozen=True, kw_only=True):
    """One thing that an open case waits for; `unit` and `leg` say who must act, where that is a leg's unit."""

    code: ReasonCode
    zh: str
    en: str
    unit: str | None
    leg: int | None


class MarkView(Message, frozen=True, kw_only=True):
    """What happened beyond the normal course; where it has an `until`, it counts before that instant alone."""

    number: int
    kind: MarkKind
    at: Instant
    until: Instant | None
    leg: int | None
    unit: str | None


class LegView(Message, frozen=True, kw_only=True):
    """One department's part of a case, as it stands now.

    `due_at` is the handling deadline as it stands, `overdue_at` the first that passed. `again` says why the unit
    handles it once more.
    """

    leg: int
    unit: str
    name_zh: str
    name_en: str
    role: LegRole
    state: LegState
    reworks: int
    again: Again | None
    again_reason: str | None
    extension_requested: bool
    suspension: SuspensionStage | None
    suspended_until: Instant | None
    appeal: AppealStage | None
    assigned_at: Instant
    due_at: Instant | None
    overdue_at: Instant | None
    exempted_at: Instant | None
    signed_at: Instant | None
    fed_back_at: Instant | None
    waived_at: Instant | None


class CaseView(Message, frozen=True, kw_only=True):
    """One problem. `counted_as` is what it counts as at the cut-off; `reasons` say what it waits for now.

    `level` is where it is to be solved and, when it is closed, where it was.
    """

    case_id: UUID
    number: str | None
    counted_as: str
    source: str
    category_system: str
    category: str
    category_zh: str
    category_en: str
    street: str | None
    street_name: str | None
    community: str | None
    community_name: str | None
    campaign: str | None
    department: str | None
    level: Level | None
    observed_at: Instant
    reported_at: Instant
    filed_at: Instant | None
    dispatched_at: Instant | None
    closed_at: Instant | None
    voided_at: Instant | None
    void_reason: VoidReason | None
    merged_at: Instant | None
    merged_into: UUID | None
    rejected_at: Instant | None
    rejection: str | None
    reasons: tuple[ReasonView, ...]
    marks: tuple[MarkView, ...]
    legs: tuple[LegView, ...]


class CasesView(Message, frozen=True, kw_only=True):
    """A page of cases; `next` is the `cursor` of the page after it, None on the last."""

    items: tuple[CaseView, ...]
    next: str | None


class UnitLegView(Message, frozen=True, kw_only=True):
    """A leg and its case."""

    case_id: UUID
    leg: LegView


class LegsView(Message, frozen=True, kw_only=True):
    """A page of legs; `next` is the `cursor` of the page after it, None on the last."""

    items: tuple[UnitLegView, ...]
    next: str | None
