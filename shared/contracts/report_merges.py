"""并案 before filing: what two reports say when one goes on as the other; each is the other's answer (ADR 0020)."""

from typing import ClassVar, Final, Literal
from uuid import UUID

from shared.contracts.common import Event, Message, ShortText

ReportMergeObstacle = Literal["rejected", "merged", "merging", "closed", "voided"]
"""Why a report cannot take another one on: it, or the case that it became, has ended or goes on as a third (no chains).

`rejected` 不予受理 or 不予立案; `merged` 已并案, itself or its case; `merging` it asks to be; its case is `closed`
已结案 or `voided` 已作废.
"""
ReportMergeAsk = Literal["admit", "complete", "abandon", "confirm", "release"]
"""What a report asks of another: to carry it, to come, to go on by itself, to know that it came, to let it go."""


class ReportMergeRequested(Event, frozen=True, kw_only=True):
    """提请并案: this report says the same as `master`, which has not answered yet."""

    type: ClassVar[str] = "jointenforcement.report.merge_requested.v1"
    master: UUID
    reason: ShortText


class ReportMergeAdmitted(Event, frozen=True, kw_only=True):
    """The master takes `merged` on: from now on its reporter hears what this one's hears.

    That one says next whether it comes. Until then the master is not rejected.
    """

    type: ClassVar[str] = "jointenforcement.report.merge_admitted.v1"
    merged: UUID


class ReportMergeDeclined(Event, frozen=True, kw_only=True):
    """The master cannot take `merged` on; nothing of it changed."""

    type: ClassVar[str] = "jointenforcement.report.merge_declined.v1"
    merged: UUID
    reason: ReportMergeObstacle


class ReportMerged(Event, frozen=True, kw_only=True):
    """并案: the report ends here, and its reporter follows `master`: the report, and the case of the same id."""

    type: ClassVar[str] = "jointenforcement.report.merged.v1"
    master: UUID


class ReportMergeConfirmed(Event, frozen=True, kw_only=True):
    """The master knows that `merged` has come."""

    type: ClassVar[str] = "jointenforcement.report.merge_confirmed.v1"
    merged: UUID


class ReportMergeAbandoned(Event, frozen=True, kw_only=True):
    """The merge did not happen: the master declined, or, where `admitted`, this report had moved on meanwhile.

    `reason` is why the master declined, or where this report stands. It goes on as if nobody had asked.
    """

    type: ClassVar[str] = "jointenforcement.report.merge_abandoned.v1"
    master: UUID
    reason: str
    admitted: bool


class ReportMergeReleased(Event, frozen=True, kw_only=True):
    """The master no longer carries `merged`."""

    type: ClassVar[str] = "jointenforcement.report.merge_released.v1"
    merged: UUID


class ReportMergeAsked(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What `asking` asks of the report `report_id`, with the event that it follows from, on intake's own topic.

    It is answered by an event on `intake.reports`, in every state. `obstacle` is why a merge is to be abandoned.
    """

    type: ClassVar[str] = "jointenforcement.report.merge_asked.v1"
    report_id: UUID
    asking: UUID
    asks: ReportMergeAsk
    obstacle: ReportMergeObstacle | None = None


ReportMergeEvent = (
    ReportMergeRequested
    | ReportMergeAdmitted
    | ReportMergeDeclined
    | ReportMerged
    | ReportMergeConfirmed
    | ReportMergeAbandoned
    | ReportMergeReleased
)
REPORT_MERGE_EVENTS: Final = (
    ReportMergeRequested,
    ReportMergeAdmitted,
    ReportMergeDeclined,
    ReportMerged,
    ReportMergeConfirmed,
    ReportMergeAbandoned,
    ReportMergeReleased,
)
"""What reports say of merges, in the order in which it happens."""
