"""并案: what an event of one case asks of another, and what the other one is to do then (design section 2).

It travels on a topic of its own (ADR 0018). Its key is the case that is asked, which thus hears everything in order.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, assert_never
from uuid import UUID

from services.dispatch.domain.case import CaseEvent
from services.dispatch.domain.merging import (
    AbandonMerge,
    AdmitMerge,
    CompleteMerge,
    LeaveVoidedMaster,
    MergeCommand,
    ReleaseMerge,
)
from shared.contracts.adjustments import CaseVoided
from shared.contracts.decisions import Publish
from shared.contracts.merges import (
    CaseMergeAbandoned,
    CaseMergeAdmitted,
    CaseMergeDeclined,
    CaseMergeRequested,
    CaseUnmerged,
    MergeAsk,
    MergeAsked,
    MergeObstacle,
)
from shared.contracts.registry import DISPATCH_MERGES
from shared.kernel.errors import Unreadable


def merge_messages(case_id: UUID, event: CaseEvent) -> Sequence[Publish]:
    """Return what the event of this case asks of others; most ask nothing."""
    asked = _ASKED.get(type(event))
    if asked is None:
        return ()
    return [Publish(topic=DISPATCH_MERGES, key=str(one.case_id).encode(), message=one) for one in asked(case_id, event)]


def command_of(asked: MergeAsked) -> MergeCommand:
    """Return what the case that is asked has to do.

    Raises:
        Unreadable: if a merge is to be abandoned and nothing says why.
    """
    case_id, asking = asked.case_id, asked.asking
    match asked.asks:
        case "admit":
            return AdmitMerge(case_id=case_id, merged=asking)
        case "complete":
            return CompleteMerge(case_id=case_id, master=asking)
        case "abandon":
            if asked.obstacle is None:
                raise Unreadable("invalid", "Nothing says why the merge is to be abandoned.")
            return AbandonMerge(case_id=case_id, master=asking, reason=asked.obstacle)
        case "release":
            return ReleaseMerge(case_id=case_id, merged=asking)
        case "leave":
            return LeaveVoidedMaster(case_id=case_id, master=asking)
        case _:
            assert_never(asked.asks)


def _ask(case_id: UUID, asks: MergeAsk, asking: UUID, obstacle: MergeObstacle | None = None) -> MergeAsked:
    return MergeAsked(case_id=case_id, asking=asking, asks=asks, obstacle=obstacle)


def _abandoned(case_id: UUID, event: CaseMergeAbandoned) -> list[MergeAsked]:
    return [_ask(event.master, "release", case_id)] if event.admitted else []


_ASKED: Final[dict[type[CaseEvent], Callable[[UUID, Any], list[MergeAsked]]]] = {
    CaseMergeRequested: lambda case_id, event: [_ask(event.master, "admit", case_id)],
    CaseMergeAdmitted: lambda case_id, event: [_ask(event.merged, "complete", case_id)],
    CaseMergeDeclined: lambda case_id, event: [_ask(event.merged, "abandon", case_id, event.reason)],
    CaseMergeAbandoned: _abandoned,
    CaseUnmerged: lambda case_id, event: [_ask(event.master, "release", case_id)],
    CaseVoided: lambda case_id, event: [_ask(carried, "leave", case_id) for carried in event.unmerges],
}
