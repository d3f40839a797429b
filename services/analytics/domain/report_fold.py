"""How the events of `intake.reports` change what is known of a report."""

from typing import assert_never

from msgspec.structs import replace

from services.analytics.domain.facts import ImpossibleEvent, ReportFacts
from shared.contracts import intake, report_merges

ReportEvent = (
    intake.Reported
    | intake.Completed
    | intake.VerificationAssigned
    | intake.Verified
    | intake.Accepted
    | intake.Filed
    | intake.Rejected
    | intake.ReportContentForgotten
    | intake.ReportClockWarned
    | intake.ReportClockBreached
    | intake.ReportClockRecomputed
    | intake.MergeTold
    | intake.UnmergeTold
    | intake.OutcomeTold
    | report_merges.ReportMergeEvent
)


def evolve_report(facts: ReportFacts | None, event: ReportEvent) -> ReportFacts:  # noqa: C901 - one arm an event
    """Return the facts of a report after its next event.

    Raises:
        ImpossibleEvent: when a stream does not begin with the report.
    """
    if isinstance(event, intake.Reported):
        return _reported(event)
    if facts is None:
        raise ImpossibleEvent(f"{event.type} came before the report itself.")
    match event:
        case intake.Completed():
            return replace(
                facts,
                category_system=event.category.system,
                category_code=event.category.code,
                street=event.place.street,
                community=event.place.community,
                missing=(),
            )
        case intake.VerificationAssigned():
            return replace(facts, verify_unit=event.unit)
        case intake.Verified():
            return replace(facts, verify_unit=None, verified=event.result)
        case intake.Accepted():
            return replace(facts, accepted_at=event.at)
        case intake.Filed():
            return _filed(facts, event)
        case intake.Rejected():
            return replace(facts, rejected_at=event.at, rejection=event.reason_code, verify_unit=None)
        case intake.ReportContentForgotten() | intake.MergeTold() | intake.UnmergeTold() | intake.OutcomeTold():
            # What became of its case the case says itself.
            return facts
        case intake.ReportClockWarned() | intake.ReportClockBreached() | intake.ReportClockRecomputed():
            # No figure counts yet by when a report should have been accepted, verified and filed.
            return facts
        case _:
            return _of_merge(facts, event)


def _of_merge(facts: ReportFacts, event: report_merges.ReportMergeEvent) -> ReportFacts:
    match event:
        case report_merges.ReportMergeRequested():
            return replace(facts, report_merge_requested=event.master)
        case report_merges.ReportMerged():
            return replace(
                facts, report_merge_requested=None, report_merged_at=event.at, report_merged_into=event.master
            )
        case report_merges.ReportMergeAbandoned():
            asks = facts.report_merge_requested
            return replace(facts, report_merge_requested=None) if asks == event.master else facts
        case (
            report_merges.ReportMergeAdmitted()
            | report_merges.ReportMergeDeclined()
            | report_merges.ReportMergeConfirmed()
            | report_merges.ReportMergeReleased()
        ):
            # What a report carries is counted by itself.
            return facts
        case _:
            assert_never(event)


def _reported(event: intake.Reported) -> ReportFacts:
    category = event.category or event.named_category
    return ReportFacts(
        reported_at=event.at,
        observed_at=event.observed_at,
        source=event.source,
        category_system=category.system,
        category_code=category.code,
        target_type=event.target_type,
        campaign=event.campaign,
        street=event.place.street,
        community=event.place.community,
        missing=event.missing,
    )


def _filed(facts: ReportFacts, event: intake.Filed) -> ReportFacts:
    return replace(
        facts,
        filed_at=event.at,
        category_system=event.category.system,
        category_code=event.category.code,
        street=event.place.street,
        community=event.place.community,
    )
