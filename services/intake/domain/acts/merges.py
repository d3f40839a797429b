"""并案: a report that says the same as another goes on as that one, by what each says to the other (ADR 0020).

No chains: a report that carries others is not merged, and one that is merged, or asks to be, carries none. A report
that asks is worked on as ever: where it does not wait for acceptance or filing when the master admits it, it stays by
itself.
"""

from typing import Final

from services.intake.domain.clocks import breach_before
from services.intake.domain.commands import Merge
from services.intake.domain.merging import (
    AbandonMerge,
    AdmitMerge,
    CompleteMerge,
    ConfirmMerge,
    MergeCommand,
    ReleaseMerge,
)
from services.intake.domain.refusals import wrong_state
from services.intake.domain.report import INTAKE_ITSELF, Report, ReportEvent, Status
from shared.contracts.decisions import Context, Decision
from shared.contracts.report_merges import (
    ReportMergeAbandoned,
    ReportMergeAdmitted,
    ReportMergeConfirmed,
    ReportMerged,
    ReportMergeDeclined,
    ReportMergeObstacle,
    ReportMergeReleased,
    ReportMergeRequested,
)
from shared.kernel.errors import Refusal

_MERGEABLE: Final[frozenset[Status]] = frozenset({"reported", "accepted"})
"""Once it is filed, dispatch merges its case (design: until then intake does)."""


def request(state: Report, command: Merge, context: Context) -> Decision:
    """提请并案: the master answers."""
    if state.status not in _MERGEABLE:
        return wrong_state(state.status, "Only a report that waits for acceptance or filing can be merged.")
    if command.master == command.report_id:
        return Refusal(code="same_report", detail="A report is not merged into itself.")
    if state.carries:
        return wrong_state("carries_others", "Other reports are merged into this one: no chains.")
    if state.merging is not None:
        return wrong_state("merging", f"It is about to be merged into {state.merging}.")
    return [ReportMergeRequested(at=context.at, by=context.actor, master=command.master, reason=command.reason)]


def answer(state: Report, command: MergeCommand, context: Context) -> list[ReportEvent]:
    """Answer what the other report of a merge says: in every state, and never with a refusal."""
    at, by = context.at, context.actor
    match command:
        case AdmitMerge():
            obstacle = _obstacle(state)
            if obstacle is not None:
                return [ReportMergeDeclined(at=at, by=by, merged=command.merged, reason=obstacle)]
            return [ReportMergeAdmitted(at=at, by=by, merged=command.merged)]
        case CompleteMerge():
            if state.merging == command.master and state.status in _MERGEABLE:
                late = breach_before(state.clocks, context, INTAKE_ITSELF)
                return [*late, ReportMerged(at=at, by=by, master=command.master)]
            return [ReportMergeAbandoned(at=at, by=by, master=command.master, reason=state.status, admitted=True)]
        case AbandonMerge():
            reason = command.reason
            return [ReportMergeAbandoned(at=at, by=by, master=command.master, reason=reason, admitted=False)]
        case ConfirmMerge():
            return [ReportMergeConfirmed(at=at, by=by, merged=command.merged)]
        case ReleaseMerge():
            return [ReportMergeReleased(at=at, by=by, merged=command.merged)]


def _obstacle(state: Report) -> ReportMergeObstacle | None:
    if state.status in {"rejected", "merged"}:
        return state.status
    if state.merging is not None and state.status != "filed":  # what is filed stays by itself, whatever it asked
        return "merging"
    if state.told is not None and state.told.state != "open":
        return state.told.state
    return None
