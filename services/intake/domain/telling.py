"""告知: what a reporter is told of the case that the report became, and which case that is after a merge.

What happens to a case is dispatch's to decide: every state of the report answers it with an event, and never refuses.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypedDict
from uuid import UUID

from shared.contracts.adjustments import CaseReopened, CaseVoided
from shared.contracts.common import Actor, Instant, Message
from shared.contracts.decisions import Context
from shared.contracts.dispatch import CaseClosed
from shared.contracts.intake import MergeTold, OutcomeTold, UnmergeTold
from shared.contracts.merges import CaseMerged, CaseUnmerged

CaseNews = CaseMerged | CaseUnmerged | CaseClosed | CaseReopened | CaseVoided
NEWS: Final = (CaseMerged, CaseUnmerged, CaseClosed, CaseReopened, CaseVoided)
"""What of a case its reporter waits for."""

ToldEvent = MergeTold | UnmergeTold | OutcomeTold
TOLD: Final = (MergeTold, UnmergeTold, OutcomeTold)

CaseState = Literal["open", "closed", "voided", "merged"]
"""办理中, 已结案, 已作废, 已并案."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfCase:
    """`news` happened to the case that this report became. Answered in every state."""

    report_id: UUID
    case_sequence: int
    news: CaseNews


class CaseAsTold(Message, frozen=True, kw_only=True):
    """How the case stands as far as its reporter was told; once merged, the reporter follows another."""

    state: CaseState
    follows: UUID | None = None


class _Stamp(TypedDict):
    at: Instant
    by: Actor
    case_sequence: int
    happened_at: Instant
    merged_reports: tuple[UUID, ...]


def tell(command: TellOfCase, context: Context, carries: tuple[UUID, ...]) -> list[ToldEvent]:
    """Return what the reporter is told, and with it those of the reports that were merged into this one."""
    news = command.news
    stamp = _Stamp(
        at=context.at,
        by=context.actor,
        case_sequence=command.case_sequence,
        happened_at=news.at,
        merged_reports=carries,
    )
    match news:
        case CaseMerged():
            return [MergeTold(**stamp, master=news.master)]
        case CaseUnmerged():
            return [UnmergeTold(**stamp, master=news.master)]
        case CaseClosed():
            return [OutcomeTold(**stamp, outcome="closed")]
        case CaseReopened():
            return [OutcomeTold(**stamp, outcome="reopened")]
        case CaseVoided():
            return [OutcomeTold(**stamp, outcome="voided")]


def as_told(event: ToldEvent) -> CaseAsTold:
    """Return how the case stands after this."""
    match event:
        case MergeTold():
            return CaseAsTold(state="merged", follows=event.master)
        case UnmergeTold():
            return CaseAsTold(state="open")
        case OutcomeTold():
            return CaseAsTold(state="open" if event.outcome == "reopened" else event.outcome)
