"""What the API shows of a report."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from services.intake.domain.commands import Channel
from services.intake.domain.contents import PrivateContent
from services.intake.domain.report import Status, Verification
from services.intake.domain.telling import CaseState
from services.intake.queries import KnownReport
from shared.contracts.common import CategoryCode, Message, Place, TargetType
from shared.contracts.intake import Contact, SubmittedCategory
from shared.web.clockviews import ClockView, Watch


class FollowedCase(Message, frozen=True, kw_only=True):
    """The case that the reporter follows since the report's own was merged into it; `state` where it is known here."""

    case_id: UUID
    state: CaseState | None


class ReportedCase(Message, frozen=True, kw_only=True):
    """What the report became: its case, how that stands, and while it is merged, the case to follow instead."""

    case_id: UUID
    state: CaseState
    follows: FollowedCase | None


class MasterReport(Message, frozen=True, kw_only=True):
    """The report as which a merged one goes on: where it stands, and what it became."""

    report_id: UUID
    state: Status
    case: ReportedCase | None


class ReportSummary(Message, frozen=True, kw_only=True):
    """The facts of a report; `revision` is what `expected_revision` takes. `case` is there once it is filed.

    `verification` is the latest 核实: in the state `verifying` without a result. `asked` is the report that is to say
    whether this one may be merged into it 并案, `master` the one that its reporter follows since it was, `carries` are
    those that are merged, or about to be, into this one.
    """

    report_id: UUID
    revision: int
    state: Status
    source: str
    channel: Channel
    category: CategoryCode | None
    named_category: SubmittedCategory
    place: Place
    observed_at: datetime
    reported_at: datetime
    changed_at: datetime
    target_type: TargetType
    campaign: str | None
    missing: tuple[str, ...]
    verification: Verification | None
    case: ReportedCase | None
    asked: UUID | None
    master: MasterReport | None
    carries: tuple[UUID, ...]


class ReportPage(Message, frozen=True, kw_only=True):
    """Reports, newest first; `next` is the `cursor` of the following page, absent on the last one."""

    items: tuple[ReportSummary, ...]
    next: UUID | None = None


class ReportContent(Message, frozen=True, kw_only=True):
    """What may have to be forgotten (I-14); `contact` is null too for who is to verify the report 核实."""

    description: str
    address: str | None
    contact: Contact | None
    photos: tuple[str, ...]


class ReportView(Message, frozen=True, kw_only=True):
    """One report; `content` is there only where `content_state` is `shown`.

    `clocks` say by when it has to be accepted, verified and filed, and why; it has none where that was done as it came
    in.
    """

    report: ReportSummary
    clocks: tuple[ClockView, ...]
    content_state: Literal["shown", "withheld", "forgotten"]
    content: ReportContent | None = None


def summary(known: KnownReport) -> ReportSummary:
    """Return the facts of a report."""
    report = known.report
    return ReportSummary(
        report_id=known.id,
        revision=report.revision,
        state=report.status,
        source=report.source,
        channel=report.channel,
        category=report.category,
        named_category=report.named_category,
        place=report.place,
        observed_at=report.observed_at,
        reported_at=report.reported_at,
        changed_at=known.changed_at,
        target_type=report.target_type,
        campaign=report.campaign,
        missing=report.missing,
        verification=report.verification,
        case=_case(known),
        asked=report.merging,
        master=_master(known),
        carries=report.carries,
    )


def _master(known: KnownReport) -> MasterReport | None:
    master = known.master
    if master is None:
        return None
    return MasterReport(report_id=master.id, state=master.report.status, case=_case(master))


def _case(known: KnownReport) -> ReportedCase | None:
    told = known.report.told
    if told is None:
        return ReportedCase(case_id=known.id, state="open", follows=None) if known.report.status == "filed" else None
    follows = None
    if told.follows is not None:
        follows = FollowedCase(case_id=told.follows, state=known.followed.state if known.followed else None)
    return ReportedCase(case_id=known.id, state=told.state, follows=follows)


def clocks_of(known: KnownReport, watch: Watch) -> tuple[ClockView, ...]:
    """Return the clocks of a report in the order of its stages."""
    return tuple(
        watch.view(one.clock, one.stopped_at, breached=one.breached, paused=one.paused_at)
        for one in known.report.clocks
    )


def content_of(private: PrivateContent, *, with_contact: bool) -> ReportContent:
    """Return what a reader may see of the private part: never the salt, and who reported it not everybody."""
    return ReportContent(
        description=private.description,
        address=private.address,
        contact=private.contact if with_contact else None,
        photos=private.photos,
    )
