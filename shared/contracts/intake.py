"""What intake reads and publishes: submissions, `Report` events, contents."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from msgspec import Meta, Struct

from shared.contracts.clocks import Clock, ClockStage
from shared.contracts.common import (
    CategoryCode,
    Code,
    Digest,
    Event,
    Instant,
    Message,
    Number,
    Place,
    ShortText,
    Slug,
    TargetType,
)

RejectionReason = Literal["not_found", "duplicate", "not_ours", "below_condition", "incomplete", "other"]
"""Why a report ends before it becomes a case: 查无此事, 重复上报, 非本部门职责, 不符合立案条件, 信息不全, 其他."""

VerificationResult = Literal["exists", "absent", "undetermined"]
"""What 核实 found on site: 属实, 现场未发现, 无法核实."""

CaseOutcome = Literal["closed", "reopened", "voided"]
"""What a reporter waits to hear of the case: 结案, 重开, 作废."""


class Stranger(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message of an outside party: a field that we do not know is an error, said by name."""


class SubmittedCategory(Stranger, frozen=True, kw_only=True):
    """The category as the source names it; without `version` the current catalogue is meant.

    Without `condition` the category's only filing condition is meant; where it has several, the report waits.
    """

    system: Slug
    code: Code
    version: Number | None = None
    condition: Code | None = None


class SubmittedPlace(Stranger, frozen=True, kw_only=True):
    """Where the problem is, WGS-84 degrees. `address` is private: it never enters an event (I-14)."""

    longitude: Annotated[float, Meta(ge=-180, le=180)]
    latitude: Annotated[float, Meta(ge=-90, le=90)]
    street: Annotated[str, Meta(pattern="^[0-9]{9}$", description="9-digit street code")] | None = None
    community: Annotated[str, Meta(pattern="^[0-9]{12}$", description="12-digit community code")] | None = None
    grid: Code | None = None
    address: ShortText | None = None


class Contact(Stranger, frozen=True, kw_only=True):
    """Whom to ask. Private: stays encrypted in intake and can be forgotten (I-14)."""

    name: Annotated[str, Meta(max_length=80)] | None = None
    phone: Annotated[str, Meta(max_length=40)] | None = None


class ReportSubmission(Stranger, frozen=True, kw_only=True):
    """A problem that somebody reports: `jointenforcement.report.submitted.v1`, or the body of POST /v1/reports."""

    type: ClassVar[str] = "jointenforcement.report.submitted.v1"
    category: SubmittedCategory
    place: SubmittedPlace
    observed_at: Instant
    description: Annotated[str, Meta(min_length=1, max_length=4000)]
    target_type: TargetType = "public_space"
    campaign: Code | None = None
    contact: Contact | None = None
    photos: Annotated[tuple[Annotated[str, Meta(max_length=400)], ...], Meta(max_length=20)] = ()


class Reported(Event, frozen=True, kw_only=True, omit_defaults=True):
    """上报: a problem was reported. Free text, address, contact and photos are elsewhere: here is their digest.

    `accept_clock` says by when it has to be accepted; there is none for what is accepted as it comes in.
    """

    type: ClassVar[str] = "jointenforcement.report.reported.v1"
    source: str
    channel: Literal["topic", "http"]
    category: CategoryCode | None
    named_category: SubmittedCategory
    place: Place
    observed_at: Instant
    target_type: TargetType
    campaign: str | None
    content_digest: Digest
    missing: tuple[str, ...]
    """What must be added before it can be filed: field names."""
    places_version: Number
    accept_clock: Clock | None = None


class VerificationAssigned(Event, frozen=True, kw_only=True):
    """派核实: collectors of `unit` are to look on site whether the problem is there, before anybody accepts it.

    `clock` says by when. As long as it runs the clock of acceptance stands still.
    """

    type: ClassVar[str] = "jointenforcement.report.verification_assigned.v1"
    unit: str
    clock: Clock


class Verified(Event, frozen=True, kw_only=True, omit_defaults=True):
    """核实: what was found on site; the report waits for acceptance again.

    `accept_clock` is the clock of acceptance as it goes on: the time of the verification is a pause. None for a report
    of before there were clocks.
    """

    type: ClassVar[str] = "jointenforcement.report.verified.v1"
    unit: str
    result: VerificationResult
    finding: str
    evidence: tuple[Digest, ...] = ()
    accept_clock: Clock | None = None


class Accepted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """受理: the report is complete and ours.

    `file_clock` says by when it has to be filed; there is none for what is filed with it. `reason` says why it was
    accepted though the verification found nothing.
    """

    type: ClassVar[str] = "jointenforcement.report.accepted.v1"
    file_clock: Clock | None = None
    reason: str | None = None


class Filed(Event, frozen=True, kw_only=True):
    """立案: the report meets a filing condition and becomes a case. Carries every fact that dispatch needs."""

    type: ClassVar[str] = "jointenforcement.report.filed.v1"
    source: str
    category: CategoryCode
    place: Place
    observed_at: Instant
    reported_at: Instant
    target_type: TargetType
    campaign: str | None


class Rejected(Event, frozen=True, kw_only=True, omit_defaults=True):
    """不予受理 or 不予立案: the report ends here, with the reason that the reporter is told.

    The reporters of `merged_reports`, which were merged into this one, are told the same.
    """

    type: ClassVar[str] = "jointenforcement.report.rejected.v1"
    stage: Literal["acceptance", "filing"]
    reason_code: RejectionReason
    reason: ShortText
    merged_reports: tuple[UUID, ...] = ()


class Completed(Event, frozen=True, kw_only=True):
    """补正: category and place of a waiting report were made complete by an acceptor."""

    type: ClassVar[str] = "jointenforcement.report.completed.v1"
    category: CategoryCode
    place: Place


class ReportContentForgotten(Event, frozen=True, kw_only=True):
    """What may have to be forgotten was forgotten (I-14): free text, address, contact and photo references."""

    type: ClassVar[str] = "jointenforcement.report.content_forgotten.v1"
    reason: ShortText


class ReportClockWarned(Event, frozen=True, kw_only=True):
    """预警: half, or four fifths, of the time in which the report has to be accepted, verified or filed is used."""

    type: ClassVar[str] = "jointenforcement.report.clock_warned.v1"
    stage: ClockStage
    percent: Literal[50, 80]
    due_at: Instant


class ReportClockBreached(Event, frozen=True, kw_only=True):
    """超期: the report should have been accepted, verified or filed by now. The fact stays, whatever follows."""

    type: ClassVar[str] = "jointenforcement.report.clock_breached.v1"
    stage: ClockStage
    due_at: Instant


class ReportClockRecomputed(Event, frozen=True, kw_only=True):
    """时限重算: a calendar or limit policy was published: the clock that runs follows it, and was due at `due_was`."""

    type: ClassVar[str] = "jointenforcement.report.clock_recomputed.v1"
    due_was: Instant
    clock: Clock


class CaseTold(Event, frozen=True, kw_only=True, omit_defaults=True):
    """告知: something that the reporter waits for happened to the case; `case_sequence` is its event there.

    The reporters of `merged_reports`, which are merged, or about to be, into this one, are told the same.
    """

    case_sequence: Number
    happened_at: Instant
    merged_reports: tuple[UUID, ...] = ()


class MergeTold(CaseTold, frozen=True, kw_only=True):
    """并案告知: the report's case goes on as `master`, which the reporter follows from now on."""

    type: ClassVar[str] = "jointenforcement.report.merge_told.v1"
    master: UUID


class UnmergeTold(CaseTold, frozen=True, kw_only=True):
    """撤销并案告知: the report's case goes on by itself, and its reporter follows it again and no longer `master`."""

    type: ClassVar[str] = "jointenforcement.report.unmerge_told.v1"
    master: UUID


class OutcomeTold(CaseTold, frozen=True, kw_only=True):
    """办理结果告知: the report's case was closed, reopened or voided."""

    type: ClassVar[str] = "jointenforcement.report.outcome_told.v1"
    outcome: CaseOutcome


class Content(Message, frozen=True, kw_only=True):
    """What may have to be forgotten, as far as other services need it; on `intake.contents`, key = report id.

    A tombstone on the same key forgets it.
    """

    type: ClassVar[str] = "jointenforcement.content.recorded.v1"
    report_id: UUID
    description: str
    address: str | None
    photos: tuple[str, ...]


class ContentForgotten(Message, frozen=True, kw_only=True):
    """The type of a tombstone on `intake.contents`; its value is null."""

    type: ClassVar[str] = "jointenforcement.content.forgotten.v1"
