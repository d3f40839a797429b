"""The report 上报: its state. `evolve` says how events change it, `columns` what queries find it by."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, assert_never
from uuid import UUID

from msgspec.structs import replace

from services.intake.domain.clocks import (
    CLOCK_EVENTS,
    ClockEvent,
    Clocks,
    interrupted,
    next_stage,
    resumed,
    running_clock,
    tell_of_time,
    wakes_of,
)
from services.intake.domain.commands import Channel
from services.intake.domain.telling import TOLD, CaseAsTold, ToldEvent, as_told
from shared.contracts.common import Actor, CategoryCode, Digest, Instant, Message, Place, TargetType
from shared.contracts.intake import (
    Accepted,
    Completed,
    Filed,
    MergeTold,
    OutcomeTold,
    Rejected,
    ReportClockBreached,
    ReportClockRecomputed,
    ReportClockWarned,
    ReportContentForgotten,
    Reported,
    SubmittedCategory,
    UnmergeTold,
    VerificationAssigned,
    VerificationResult,
    Verified,
)
from shared.contracts.report_merges import (
    REPORT_MERGE_EVENTS,
    ReportMergeAbandoned,
    ReportMergeAdmitted,
    ReportMergeConfirmed,
    ReportMerged,
    ReportMergeDeclined,
    ReportMergeEvent,
    ReportMergeReleased,
    ReportMergeRequested,
)
from shared.kernel.decider import Wake

ReportEvent = (
    Reported
    | Completed
    | VerificationAssigned
    | Verified
    | Accepted
    | Filed
    | Rejected
    | ReportMergeEvent
    | ReportContentForgotten
    | ToldEvent
    | ClockEvent
)
EVENTS: Final = (
    Reported,
    Completed,
    VerificationAssigned,
    Verified,
    Accepted,
    Filed,
    Rejected,
    *REPORT_MERGE_EVENTS,
    ReportContentForgotten,
    *TOLD,
    *CLOCK_EVENTS,
)

AGGREGATE: Final = "report"
"""The aggregate's name in commands and in the ledger."""

INTAKE_ITSELF: Final = Actor(client="intake", unit="intake", post="system")
"""Who accepts and files what a trusted source reports completely, and tells reporters of their cases."""

Status = Literal["reported", "verifying", "accepted", "filed", "rejected", "merged"]
"""已上报, 核实中, 已受理, 已立案, 不予受理 or 不予立案, 并案."""


class Verification(Message, frozen=True, kw_only=True):
    """The latest 核实: which unit looks, or what it found.

    A report is verified again only where it could not tell, and by another unit where it has not told yet.
    """

    unit: str
    assigned_at: Instant
    result: VerificationResult | None = None
    finding: str | None = None
    evidence: tuple[Digest, ...] = ()
    verified_at: Instant | None = None


class Report(Message, frozen=True, kw_only=True):
    """The state of a report; `revision` counts what was done to it.

    Neither time, nor its case, nor another report makes one stale.
    """

    revision: int
    status: Status
    source: str
    channel: Channel
    category: CategoryCode | None
    named_category: SubmittedCategory
    place: Place
    observed_at: Instant
    reported_at: Instant
    target_type: TargetType
    campaign: str | None
    missing: tuple[str, ...]
    content_digest: str
    content_forgotten: bool = False
    clocks: Clocks = ()
    verification: Verification | None = None
    told: CaseAsTold | None = None
    """What the reporter was told of the case."""
    merging: UUID | None = None
    """The report that it asked to go on as, and that has not answered yet."""
    master: UUID | None = None
    """The report as which it goes on since it was merged."""
    carries: tuple[UUID, ...] = ()
    """The reports that are merged, or about to be, into this one."""
    expects: tuple[UUID, ...] = ()
    """Those of them that have not said yet whether they come."""


def evolve(state: Report | None, event: ReportEvent) -> Report:  # noqa: C901 - one arm an event
    """Return the report after the event.

    Raises:
        ValueError: if the first event of a report is not `Reported`, or a later one is.
    """
    if isinstance(event, Reported):
        return _reported(state, event)
    if state is None:
        raise ValueError(f"A report begins with Reported, not with {type(event).__name__}.")
    revision = state.revision + 1
    match event:
        case Completed():
            return replace(state, revision=revision, category=event.category, place=event.place, missing=())
        case VerificationAssigned():
            assigned = Verification(unit=event.unit, assigned_at=event.at)
            clocks = interrupted(state.clocks, event.at, event.clock)
            return replace(state, revision=revision, status="verifying", verification=assigned, clocks=clocks)
        case Verified():
            clocks = resumed(state.clocks, event.at, event.accept_clock)
            return replace(
                state, revision=revision, status="reported", verification=_verified(state, event), clocks=clocks
            )
        case Accepted():
            clocks = next_stage(state.clocks, event.at, event.file_clock)
            return replace(state, revision=revision, status="accepted", clocks=clocks)
        case Filed() | Rejected():
            ended: Status = "filed" if isinstance(event, Filed) else "rejected"
            return replace(state, revision=revision, status=ended, clocks=next_stage(state.clocks, event.at))
        case ReportContentForgotten():
            return replace(state, revision=revision, content_forgotten=True)
        case MergeTold() | UnmergeTold() | OutcomeTold():
            return replace(state, told=as_told(event))
        case ReportClockWarned() | ReportClockBreached() | ReportClockRecomputed():
            return replace(state, clocks=tell_of_time(state.clocks, event))
        case _:
            return _of_merge(state, event)


def _of_merge(state: Report, event: ReportMergeEvent) -> Report:
    """Fold what two reports say of their merge; what the other one says is nothing that was done here."""
    match event:
        case ReportMergeRequested():
            return replace(state, revision=state.revision + 1, merging=event.master)
        case ReportMergeAdmitted():
            return replace(state, carries=(*state.carries, event.merged), expects=(*state.expects, event.merged))
        case ReportMergeConfirmed():
            return replace(state, expects=_without(state.expects, event.merged))
        case ReportMergeReleased():
            carries, expects = _without(state.carries, event.merged), _without(state.expects, event.merged)
            return replace(state, carries=carries, expects=expects)
        case ReportMergeDeclined():
            return state
        case ReportMerged():
            clocks = next_stage(state.clocks, event.at)
            return replace(state, status="merged", merging=None, master=event.master, clocks=clocks)
        case ReportMergeAbandoned():
            return replace(state, merging=None) if state.merging == event.master else state
        case _:
            assert_never(event)


def _without(reports: tuple[UUID, ...], gone: UUID) -> tuple[UUID, ...]:
    return tuple(one for one in reports if one != gone)


def _reported(state: Report | None, event: Reported) -> Report:
    if state is not None:
        raise ValueError("A report is reported once.")
    return Report(
        revision=1,
        status="reported",
        source=event.source,
        channel=event.channel,
        category=event.category,
        named_category=event.named_category,
        place=event.place,
        observed_at=event.observed_at,
        reported_at=event.at,
        target_type=event.target_type,
        campaign=event.campaign,
        missing=event.missing,
        content_digest=event.content_digest,
        clocks=next_stage((), event.at, event.accept_clock),
    )


def _verified(state: Report, event: Verified) -> Verification:
    if state.verification is None:
        raise ValueError("A report is verified by the unit to which that was assigned.")
    return replace(
        state.verification,
        result=event.result,
        finding=event.finding,
        evidence=event.evidence,
        verified_at=event.at,
    )


def columns(state: Report) -> Mapping[str, object]:
    """Return what queries search by."""
    category = state.category or state.named_category
    clock = running_clock(state.clocks)
    return {
        "status": state.status,
        "source": state.source,
        "street": state.place.street,
        "category_system": category.system,
        "category": category.code,
        "campaign": state.campaign,
        "reported_at": state.reported_at,
        "verify_unit": state.verification.unit if state.verification and state.status == "verifying" else None,
        "calendar_version": clock and clock.calendar_version,
        "policy_version": clock and clock.policy_version,
    }


def wakes(state: Report) -> Sequence[Wake]:
    """Return what should wake the report."""
    return wakes_of(state.clocks)
