"""What the API answers. Every figure carries its parts as integers, and the address of the cases behind it (I-16)."""

from datetime import datetime
from uuid import UUID

from services.analytics.domain.facts import LegState
from services.analytics.domain.openness import ReasonCode
from shared.contracts.common import Instant, Message
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


class FigureView(Message, frozen=True, kw_only=True):
    """`numerator` closed of `denominator` reported; `percentage` is rounded half-up to 2 decimals, `—` for 0/0.

    `denominator` = `numerator` + `open` + `rejected`. `key` is empty for what has no such value. `cases` is the
    address of the problems behind the figure; add `&counted=closed`, `open` or `rejected` for a part of them.
    """

    key: str
    name_zh: str
    name_en: str
    numerator: int
    denominator: int
    percentage: str
    open: int
    rejected: int
    cases: str


class LegFigureView(Message, frozen=True, kw_only=True):
    """What a unit has to do in these cases, as lead or support: `assigned` = `fed_back` + `waived` + `open`.

    `legs` is the address of the legs behind it; add `&counted=fed_back`, `waived` or `open` for a part of them.
    """

    unit: str
    name_zh: str
    name_en: str
    assigned: int
    fed_back: int
    waived: int
    open: int
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


class LegView(Message, frozen=True, kw_only=True):
    """One department's part of a case, as it stands now."""

    leg: int
    unit: str
    name_zh: str
    name_en: str
    role: LegRole
    state: LegState
    reworks: int
    assigned_at: Instant
    signed_at: Instant | None
    fed_back_at: Instant | None
    waived_at: Instant | None


class CaseView(Message, frozen=True, kw_only=True):
    """One problem. `counted_as` is what it counts as at the cut-off; `reasons` say what it waits for now."""

    case_id: UUID
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
    observed_at: Instant
    reported_at: Instant
    filed_at: Instant | None
    dispatched_at: Instant | None
    closed_at: Instant | None
    rejected_at: Instant | None
    rejection: str | None
    reasons: tuple[ReasonView, ...]
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
