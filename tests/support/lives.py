"""Stories that tell every event of a case between them, and every one of a merge before that."""

from datetime import timedelta

from shared.contracts.report_merges import (
    ReportMergeAbandoned,
    ReportMergeAdmitted,
    ReportMergeConfirmed,
    ReportMerged,
    ReportMergeDeclined,
    ReportMergeReleased,
    ReportMergeRequested,
)
from shared.kernel.identifiers import new_id
from tests.support.long_stories import LongStory
from tests.support.stories import START, Story

SPRING = START + timedelta(days=120)
MASTER = new_id()
"""The case, or report, into which others are merged."""


def dispatched(*units: str) -> LongStory:
    """A case whose legs are dispatched to these units."""
    return LongStory().filed().opened().dispatched(*(units or ("ecology", "housing")))


def whole_lives() -> list[LongStory]:
    """Return them; each can be what it tells."""
    adjusted = dispatched("ecology").redispatched("health").counted_as_signed().legs_added("housing").warned()
    adjusted.extension_requested().extension_refused().extension_requested().extended().recomputed()
    adjusted.suspension_requested(SPRING).suspension_refused().suspension_requested(SPRING).suspension_endorsed()
    adjusted.suspended(SPRING).resumed().breached().rectified(2).signed(2).fed_back(2).fed_back(1).sent_back(
        1
    ).fed_back(1)
    adjusted.check_assigned().check_passed().supervised().supervision_answered().closed()
    adjusted.appealed().appeal_reviewed(last=False).appeal_reviewed().reopened(1)
    ruled = dispatched().return_requested().ruled("health").escalated("street", "city")
    voided = dispatched().void_proposed().void_refused().void_proposed().voided()
    merged = dispatched().merge_requested(MASTER).merge_abandoned(MASTER).merge_requested(MASTER).merged(MASTER)
    merged.unmerged(MASTER)
    master = dispatched().merge_admitted(merged.id).merge_released(merged.id).merge_declined(merged.id)
    return [adjusted, ruled, voided, merged, master]


def asking() -> Story:
    """Return a report that asks to go on as another one."""
    return Story().of_merge(ReportMergeRequested, master=MASTER, reason="the same heap")


def merged_report() -> Story:
    """Return one that does."""
    return asking().accepted().of_merge(ReportMerged, master=MASTER)


def merges_of_reports() -> list[Story]:
    """Return reports that are merged, are not, and take others on; the last two wait."""
    stays = asking().of_merge(ReportMergeAbandoned, master=MASTER, reason="closed", admitted=False)
    master, other = Story(), new_id()
    master.of_merge(ReportMergeAdmitted, merged=MASTER).of_merge(ReportMergeReleased, merged=MASTER)
    master.of_merge(ReportMergeDeclined, merged=other, reason="merging")
    master.of_merge(ReportMergeAdmitted, merged=other).of_merge(ReportMergeConfirmed, merged=other)
    return [merged_report(), stays, master]
