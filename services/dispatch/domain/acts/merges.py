"""并案: two cases that say the same become one, by what each says to the other over dispatch's own topic.

No chains: a case that carries others is not merged, and one that is merged, or asks to be, carries none.
"""

from uuid import UUID

from services.dispatch.domain.acting import Acting, CaseDecision
from services.dispatch.domain.adjustments import MergeCase, UnmergeCase
from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.clocks import resumed_after_merge
from services.dispatch.domain.merging import (
    AbandonMerge,
    AdmitMerge,
    CompleteMerge,
    LeaveVoidedMaster,
    MergeCommand,
    ReleaseMerge,
)
from services.dispatch.domain.transitions import BEFORE_FEEDBACK
from shared.contracts.merges import (
    CaseMergeAbandoned,
    CaseMergeAdmitted,
    CaseMerged,
    CaseMergeDeclined,
    CaseMergeReleased,
    CaseMergeRequested,
    CaseUnmerged,
    MergeObstacle,
)
from shared.kernel.errors import Refusal


def request(case: CaseState, command: MergeCase, acting: Acting) -> CaseDecision:
    """提请并案: the master answers."""
    if command.master == command.case_id:
        return Refusal(code="same_case", detail="A case is not merged into itself.")
    if case.carries:
        return Refusal(code="wrong_state_carries_others", detail="Other cases are merged into this one: no chains.")
    if case.merging is not None:
        return Refusal(code="wrong_state_merging", detail=f"It is about to be merged into {case.merging}.")
    if _rectifying(case):
        detail = "A re-inspection that was ordered has not passed: it would be lost from sight."
        return Refusal(code="wrong_state_reinspection_open", detail=detail)
    return [CaseMergeRequested(**acting.stamp, master=command.master, reason=command.reason)]


def unmerge(case: CaseState, command: UnmergeCase, acting: Acting) -> CaseDecision:
    """撤销并案: the case goes on from where it was; its master hears of it.

    Raises:
        LookupError: if the merged case has no master: our bug.
    """
    if case.master is None:
        raise LookupError("A merged case has no master.")
    return [_unmerged(case, case.master, command.reason, acting)]


def answer(case: CaseState, command: MergeCommand, acting: Acting) -> list[CaseEvent]:
    """Answer what the other case of a merge says: in every state, and never with a refusal."""
    stamp = acting.stamp
    match command:
        case AdmitMerge():
            obstacle = _obstacle(case)
            if obstacle is not None:
                return [CaseMergeDeclined(**stamp, merged=command.merged, reason=obstacle)]
            return [CaseMergeAdmitted(**stamp, merged=command.merged)]
        case CompleteMerge():
            if case.merging == command.master and case.state in BEFORE_FEEDBACK and not _rectifying(case):
                return [CaseMerged(**stamp, master=command.master)]
            return [CaseMergeAbandoned(**stamp, master=command.master, reason=case.state, admitted=True)]
        case AbandonMerge():
            reason = command.reason
            return [CaseMergeAbandoned(**stamp, master=command.master, reason=reason, admitted=False)]
        case ReleaseMerge():
            return [CaseMergeReleased(**stamp, merged=command.merged)]
        case LeaveVoidedMaster():
            if case.master == command.master:
                return [_unmerged(case, command.master, "The case that it was merged into is void.", acting)]
            return [CaseMergeAbandoned(**stamp, master=command.master, reason="voided", admitted=False)]


def _rectifying(case: CaseState) -> bool:
    return any(leg.rectifying for leg in case.legs)


def _obstacle(case: CaseState) -> MergeObstacle | None:
    if case.state in {"closed", "voided", "merged"}:
        return case.state
    return "merging" if case.merging is not None else None


def _unmerged(case: CaseState, master: UUID, reason: str, acting: Acting) -> CaseUnmerged:
    return CaseUnmerged(**acting.stamp, master=master, reason=reason, resumed=resumed_after_merge(case, acting))
