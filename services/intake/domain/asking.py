"""并案: what an event of one report asks of another, and what the other one is to do then (ADR 0020).

It travels on a topic of its own. Its key is the report that is asked, which thus hears everything in order.
"""

from collections.abc import Sequence
from typing import assert_never
from uuid import UUID

from services.intake.domain.commands import Merge
from services.intake.domain.merging import (
    AbandonMerge,
    AdmitMerge,
    CompleteMerge,
    ConfirmMerge,
    MergeCommand,
    ReleaseMerge,
)
from shared.contracts.common import Event
from shared.contracts.decisions import Publish
from shared.contracts.registry import INTAKE_MERGES
from shared.contracts.report_merges import (
    ReportMergeAbandoned,
    ReportMergeAdmitted,
    ReportMergeAsk,
    ReportMergeAsked,
    ReportMerged,
    ReportMergeDeclined,
    ReportMergeObstacle,
    ReportMergeRequested,
)
from shared.kernel.errors import Unreadable


def merge_messages(event: Event, command: object) -> Sequence[Publish]:
    """Return what the event, to which this command has led, asks of another report; most ask nothing."""
    match event, command:
        case ReportMergeRequested(), Merge():
            return [_ask(event.master, "admit", command.report_id)]
        case ReportMergeAdmitted(), AdmitMerge():
            return [_ask(event.merged, "complete", command.report_id)]
        case ReportMergeDeclined(), AdmitMerge():
            return [_ask(event.merged, "abandon", command.report_id, event.reason)]
        case ReportMerged(), CompleteMerge():
            return [_ask(event.master, "confirm", command.report_id)]
        case ReportMergeAbandoned(admitted=True), CompleteMerge():
            return [_ask(event.master, "release", command.report_id)]
        case _:
            return ()


def command_of(asked: ReportMergeAsked) -> MergeCommand:
    """Return what the report that is asked has to do.

    Raises:
        Unreadable: if a merge is to be abandoned and nothing says why.
    """
    report_id, asking = asked.report_id, asked.asking
    match asked.asks:
        case "admit":
            return AdmitMerge(report_id=report_id, merged=asking)
        case "complete":
            return CompleteMerge(report_id=report_id, master=asking)
        case "abandon":
            if asked.obstacle is None:
                raise Unreadable("invalid", "Nothing says why the merge is to be abandoned.")
            return AbandonMerge(report_id=report_id, master=asking, reason=asked.obstacle)
        case "confirm":
            return ConfirmMerge(report_id=report_id, merged=asking)
        case "release":
            return ReleaseMerge(report_id=report_id, merged=asking)
        case _:
            assert_never(asked.asks)


def _ask(report_id: UUID, asks: ReportMergeAsk, asking: UUID, obstacle: ReportMergeObstacle | None = None) -> Publish:
    asked = ReportMergeAsked(report_id=report_id, asking=asking, asks=asks, obstacle=obstacle)
    return Publish(topic=INTAKE_MERGES, key=str(report_id).encode(), message=asked)
