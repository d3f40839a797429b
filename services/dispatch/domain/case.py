"""The case: its state, how events change it, and the columns that queries need. Every part is pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from services.dispatch.domain.events import EndEvent, MergeEvent, OwnEvent
from services.dispatch.domain.legs import LegEvent, Legs, evolve_legs, units_of
from services.dispatch.domain.pending import AssignedCheck, Supervision, VoidProposal
from shared.contracts.adjustments import (
    CaseCheckAssigned,
    CaseEscalated,
    CaseMergeAbandoned,
    CaseMergeAdmitted,
    CaseMerged,
    CaseMergeDeclined,
    CaseMergeReleased,
    CaseMergeRequested,
    CaseReopened,
    CaseSupervised,
    CaseSupervisionAnswered,
    CaseUnmerged,
    CaseVoided,
    CaseVoidProposed,
    CaseVoidRefused,
)
from shared.contracts.common import Actor, Message
from shared.contracts.dispatch import (
    CaseChecked,
    CaseClosed,
    CaseDispatched,
    CaseOpened,
    CaseOpeningDeclined,
    CaseRoutingFailed,
    Explanation,
    Level,
)

CaseStage = Literal["filed", "dispatched", "handling", "feedback", "checking", "checked", "closed", "voided", "merged"]
"""已立案 (waits for a dispatcher), 已派遣, 处置中, 已反馈 (waits for a checker), 核查中, 核查通过, 结案, 作废, 并案."""
CASE_STAGES: Final[tuple[CaseStage, ...]] = (
    "filed",
    "dispatched",
    "handling",
    "feedback",
    "checking",
    "checked",
    "closed",
    "voided",
    "merged",
)
ENDED: Final[frozenset[CaseStage]] = frozenset({"closed", "voided", "merged"})
"""Nothing runs and nothing is handled any more (unless a closed case is reopened, or a merged one unmerged)."""
_WITH_ALL_LEGS_DONE: Final[frozenset[CaseStage]] = frozenset({"feedback", "checking", "checked"})

CaseEvent = OwnEvent | LegEvent | CaseSupervisionAnswered


class CaseState(Message, frozen=True, kw_only=True):
    """One case. `revision` counts the changes of its own part; each leg has its own (design section 2)."""

    opened: CaseOpened
    state: CaseStage
    revision: int
    legs: Legs = ()
    explanation: Explanation | None = None
    """Why it was dispatched as it was, or why routing failed."""
    routing_problem: str | None = None
    dispatched_at: datetime | None = None
    checked_at: datetime | None = None
    checked_by: Actor | None = None
    """Who found the problem gone; None until a check has passed."""
    failed_checks: int = 0
    check: AssignedCheck | None = None
    """Who is to check; None while nobody is."""
    closed_at: datetime | None = None
    level: Level = "city"
    """Who has to solve it (domain 5); escalated only by an explicit act."""
    supervision: Supervision | None = None
    """The latest 督办."""
    void_proposal: VoidProposal | None = None
    merging: UUID | None = None
    """The case that this one asks to carry it, while that has not answered."""
    master: UUID | None = None
    """The case that this one is merged into."""
    before_merge: CaseStage | None = None
    carries: tuple[UUID, ...] = ()
    """The cases that are merged, or about to be, into this one."""

    @property
    def lead(self) -> str | None:
        """Return the unit of the lead leg (主办), if the case is dispatched."""
        return next((leg.unit for leg in self.legs if leg.role == "lead"), None)


def evolve(case: CaseState | None, event: CaseEvent) -> CaseState:
    """Return the state after the event.

    Raises:
        ValueError: if the first event is not `CaseOpened`, or a later one is.
    """
    if isinstance(event, CaseOpened):
        if case is not None:
            raise ValueError("A case is opened once.")
        return CaseState(opened=event, state="filed", revision=1)
    if case is None:
        raise ValueError(f"A case begins with CaseOpened, not with {type(event).__name__}.")
    match event:
        case CaseOpeningDeclined():
            return case
        case CaseRoutingFailed():
            return _own_part(case, explanation=event.explanation, routing_problem=event.detail)
        case CaseDispatched():
            return _own_part(
                case,
                legs=evolve_legs(case.legs, event),
                state="dispatched",
                explanation=event.explanation,
                routing_problem=None,
                dispatched_at=event.at,
            )
        case CaseSupervised() | CaseSupervisionAnswered() | CaseEscalated():
            return _evolve_oversight(case, event)
        case (
            CaseCheckAssigned()
            | CaseChecked()
            | CaseClosed()
            | CaseReopened()
            | CaseVoidProposed()
            | CaseVoidRefused()
            | CaseVoided()
        ):
            return _evolve_end(case, event)
        case (
            CaseMergeRequested()
            | CaseMergeAdmitted()
            | CaseMergeDeclined()
            | CaseMerged()
            | CaseMergeAbandoned()
            | CaseUnmerged()
            | CaseMergeReleased()
        ):
            return _evolve_merge(case, event)
        case _:
            return _with_legs(case, evolve_legs(case.legs, event))


def _evolve_end(case: CaseState, event: EndEvent) -> CaseState:
    match event:
        case CaseCheckAssigned():
            check = AssignedCheck(unit=event.unit, assigned_at=event.at, clock=event.clock)
            return _own_part(case, state="checking", check=check)
        case CaseChecked():
            if event.passed:
                return _own_part(case, state="checked", checked_at=event.at, checked_by=event.by)
            sent_back = _with_legs(case, evolve_legs(case.legs, event))
            return _own_part(sent_back, failed_checks=case.failed_checks + 1)
        case CaseClosed():
            return _own_part(case, state="closed", closed_at=event.at, void_proposal=None)
        case CaseReopened():
            reopened = msgspec.structs.replace(case, state="handling", closed_at=None)
            return _own_part(_with_legs(reopened, evolve_legs(case.legs, event)))
        case CaseVoidProposed():
            proposal = VoidProposal(by=event.by, proposed_at=event.at, reason=event.reason, ground=event.ground)
            return _own_part(case, void_proposal=proposal)
        case CaseVoidRefused():
            return _own_part(case, void_proposal=None)
        case CaseVoided():
            return _own_part(case, state="voided", void_proposal=None)


def _evolve_merge(case: CaseState, event: MergeEvent) -> CaseState:
    """Fold what two cases say of their merge; what the other one says is no change that an operator made here."""
    match event:
        case CaseMergeRequested():
            return _own_part(case, merging=event.master)
        case CaseMergeAdmitted():
            return msgspec.structs.replace(case, carries=(*case.carries, event.merged))
        case CaseMergeDeclined():
            return case
        case CaseMerged():
            return _own_part(case, state="merged", merging=None, master=event.master, before_merge=case.state)
        case CaseMergeAbandoned():
            return _own_part(case, merging=None) if case.merging == event.master else case
        case CaseUnmerged():
            return _own_part(case, state=case.before_merge or "filed", master=None, before_merge=None)
        case CaseMergeReleased():
            return msgspec.structs.replace(case, carries=tuple(one for one in case.carries if one != event.merged))


def _evolve_oversight(case: CaseState, event: CaseSupervised | CaseSupervisionAnswered | CaseEscalated) -> CaseState:
    match event:
        case CaseSupervised():
            asked = Supervision(by=event.by, supervised_at=event.at, reason=event.reason, reply_by=event.reply_by)
            return _own_part(case, supervision=asked)
        case CaseSupervisionAnswered():
            asked = case.supervision
            if asked is not None:
                asked = msgspec.structs.replace(asked, answered=(*asked.answered, event.leg))
            return msgspec.structs.replace(case, legs=evolve_legs(case.legs, event), supervision=asked)
        case CaseEscalated():
            return _own_part(case, level=event.to_level)


def _with_legs(case: CaseState, legs: Legs) -> CaseState:
    """Return the case with these legs: a leg that goes on takes the check with it."""
    state = stage_after(case.state, legs)
    if state == case.state or case.check is None:
        return msgspec.structs.replace(case, legs=legs, state=state)
    return msgspec.structs.replace(case, legs=legs, state=state, check=None, checked_at=None, checked_by=None)


def stage_after(stage: CaseStage, legs: Legs) -> CaseStage:
    """Return what the legs make of a case that was in this stage."""
    if stage in ENDED:
        return stage
    if all(leg.done for leg in legs):
        return stage if stage in _WITH_ALL_LEGS_DONE else "feedback"
    if all(leg.state in {"assigned", "waived"} for leg in legs):
        return "dispatched"
    return "handling"


def columns(case: CaseState) -> Mapping[str, object]:
    """Return the typed columns of the table `cases` beside the ledger's own."""
    opened = case.opened
    return {
        "status": case.state,
        "revision": case.revision,
        "source": opened.source,
        "category_system": opened.category.system,
        "category": opened.category.code,
        "street": opened.place.street,
        "community": opened.place.community,
        "campaign": opened.campaign,
        "lead_unit": case.lead,
        "units": sorted(units_of(case.legs)),
        "legs": [{"unit": leg.unit, "role": leg.role, "state": leg.state} for leg in case.legs],
        "reported_at": opened.reported_at,
        "filed_at": opened.filed_at,
        "opened_at": opened.at,
        "dispatched_at": case.dispatched_at,
        "closed_at": case.closed_at,
    }


def _own_part(case: CaseState, **changes: object) -> CaseState:
    return msgspec.structs.replace(case, revision=case.revision + 1, **changes)
