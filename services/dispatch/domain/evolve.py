"""How events change a case: `evolve`, the fold of its stream. Needs no document and no calendar."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from services.dispatch.domain.case import ENDED, CaseEvent, CaseStage, CaseState, LaterEvent
from services.dispatch.domain.events import EndEvent, MergeEvent
from services.dispatch.domain.leg_changes import ClockEvent, evolve_legs, move_leg_clocks, tell_leg_clocks
from services.dispatch.domain.legs import Legs, find_leg
from services.dispatch.domain.pending import AssignedCheck, Supervision, VoidProposal
from shared.contracts.adjustments import (
    CaseCheckAssigned,
    CaseEscalated,
    CaseRedispatched,
    CaseReopened,
    CaseSupervised,
    CaseSupervisionAnswered,
    CaseVoided,
    CaseVoidProposed,
    CaseVoidRefused,
    LegsAdded,
)
from shared.contracts.clocks import Clock, ClockBreached, ClocksRecomputed, ClockWarned, MovedClock
from shared.contracts.dispatch import (
    CaseChecked,
    CaseClosed,
    CaseDispatched,
    CaseOpened,
    CaseOpeningDeclined,
    CaseRoutingFailed,
    LegFedBack,
    LegReturnUpheld,
    LegSigned,
)
from shared.contracts.merges import (
    CaseMergeAbandoned,
    CaseMergeAdmitted,
    CaseMerged,
    CaseMergeDeclined,
    CaseMergeReleased,
    CaseMergeRequested,
    CaseUnmerged,
)
from shared.deadlines.telling import Told, told_after

_WITH_ALL_LEGS_DONE: Final[frozenset[CaseStage]] = frozenset({"feedback", "checking", "checked"})


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
    return _evolve(case, event)


def _evolve(case: CaseState, event: LaterEvent) -> CaseState:
    match event:
        case LegSigned() | LegFedBack():  # most of what happens, so looked at first
            return _with_legs(_handled_by(case, event), evolve_legs(case.legs, event))
        case CaseDispatched() | CaseRedispatched():
            return _dispatched(case, event)
        case ClockWarned() | ClockBreached() | ClocksRecomputed():
            return _evolve_clocks(case, event)
        case CaseOpeningDeclined() | CaseRoutingFailed():
            return _not_dispatched(case, event)
        case LegReturnUpheld():
            return _with_legs(_returned(case, event), evolve_legs(case.legs, event))
        case LegsAdded():
            return _own_part(_with_legs(case, evolve_legs(case.legs, event)))
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


def _handled_by(case: CaseState, event: LegSigned | LegFedBack) -> CaseState:
    """Return the case with who fed back: whoever did so once neither checks nor closes, whatever came later (I-10)."""
    person = event.by.person
    if person is None or isinstance(event, LegSigned) or person in case.handlers:
        return case
    return msgspec.structs.replace(case, handlers=(*case.handlers, person))


def _not_dispatched(case: CaseState, event: CaseOpeningDeclined | CaseRoutingFailed) -> CaseState:
    if isinstance(event, CaseOpeningDeclined):
        return case
    rule = event.explanation.rule
    failed = _own_part(case, explanation=event.explanation, routing_problem=event.detail, rule=rule)
    return msgspec.structs.replace(failed, dispatch_clock=event.clock, **_versions(event.clock))


def _dispatched(case: CaseState, event: CaseDispatched | CaseRedispatched) -> CaseState:
    by_hand = event.explanation.decided_by == "dispatcher"
    return _own_part(
        case,
        rule=case.rule if by_hand else event.explanation.rule,
        overridden=by_hand and case.rule is not None,
        level=event.level if isinstance(event, CaseDispatched) else case.level,
        legs=evolve_legs(case.legs, event),
        state="dispatched",
        explanation=event.explanation,
        routing_problem=None,
        dispatched_at=event.at,
        sign_clock=event.sign_clock,
        handle_clock=event.handle_clock,
        **_versions(event.handle_clock),
    )


def _returned(case: CaseState, event: LegReturnUpheld) -> CaseState:
    """Return the case as misdirected by its rule, if it was the rule that gave this leg to the unit that returns it."""
    leg = find_leg(case.legs, event.leg)
    by_rule = case.rule is not None and not case.overridden and leg is not None and leg.ruling is None
    return msgspec.structs.replace(case, misdirected=True) if by_rule else case


def _evolve_end(case: CaseState, event: EndEvent) -> CaseState:
    match event:
        case CaseCheckAssigned():
            check = AssignedCheck(unit=event.unit, assigned_at=event.at, clock=event.clock)
            return _own_part(case, state="checking", check=check, check_told=0)
        case CaseChecked():
            if event.passed:
                return _own_part(case, state="checked", checked_at=event.at, checked_by=event.by)
            sent_back = _with_legs(case, evolve_legs(case.legs, event))
            return _own_part(sent_back, failed_checks=case.failed_checks + 1)
        case CaseClosed():
            return _own_part(case, state="closed", closed_at=event.at, void_proposal=None)
        case CaseReopened():
            return _reopened(case, event)
        case CaseVoidProposed():
            proposal = VoidProposal(by=event.by, proposed_at=event.at, reason=event.reason, ground=event.ground)
            return _own_part(case, void_proposal=proposal)
        case CaseVoidRefused():
            return _own_part(case, void_proposal=None)
        case CaseVoided():
            return _own_part(case, state="voided", void_proposal=None)


def _reopened(case: CaseState, event: CaseReopened) -> CaseState:
    return _own_part(
        case,
        legs=evolve_legs(case.legs, event),
        state="handling",
        closed_at=None,
        check=None,
        checked_at=None,
        checked_by=None,
        **_versions(event.handle_clock),
    )


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
            merged = _own_part(case, state="merged", merging=None, master=event.master)
            return msgspec.structs.replace(merged, merged_at=event.at, before_merge=case.state)
        case CaseMergeAbandoned():
            return _own_part(case, merging=None) if case.merging == event.master else case
        case CaseUnmerged():
            unmerged = _own_part(
                case, state=case.before_merge or "filed", master=None, merged_at=None, before_merge=None
            )
            return _with_moved_clocks(unmerged, event.resumed, event.at)
        case CaseMergeReleased():
            return msgspec.structs.replace(case, carries=tuple(one for one in case.carries if one != event.merged))


def _evolve_oversight(case: CaseState, event: CaseSupervised | CaseSupervisionAnswered | CaseEscalated) -> CaseState:
    match event:
        case CaseSupervised():
            asked = Supervision(by=event.by, supervised_at=event.at, reason=event.reason, reply_by=event.reply_by)
            return _own_part(case, supervision=asked)
        case CaseSupervisionAnswered():
            answered = case.supervision
            if answered is not None:
                answered = msgspec.structs.replace(answered, answered=(*answered.answered, event.leg))
            return msgspec.structs.replace(case, legs=evolve_legs(case.legs, event), supervision=answered)
        case CaseEscalated():
            return _own_part(case, level=event.to_level)


def _evolve_clocks(case: CaseState, event: ClockEvent) -> CaseState:
    """Fold what time did to clocks; it makes no operator's revision stale."""
    replace = msgspec.structs.replace
    match event:
        case ClockWarned() | ClockBreached() if event.leg is not None:
            return replace(case, legs=tell_leg_clocks(case.legs, event))
        case ClockWarned() | ClockBreached():
            told: Told = event.percent if isinstance(event, ClockWarned) else 100
            return replace(case, **{f"{event.stage}_told": told})
        case ClocksRecomputed():
            versions = {"calendar_version": event.calendar_version, "policy_version": event.policy_version}
            return _with_moved_clocks(replace(case, **versions), event.moved, event.at)


def _with_moved_clocks(case: CaseState, moved: Sequence[MovedClock], at: datetime) -> CaseState:
    replace = msgspec.structs.replace
    case = replace(case, legs=move_leg_clocks(case.legs, moved, at))
    for one in moved:
        if one.leg is None and one.clock.stage == "dispatch":
            told = told_after(case.dispatch_told, one.due_was, one.clock, at)
            case = replace(case, dispatch_clock=one.clock, dispatch_told=told)
        elif one.leg is None and case.check is not None:
            told = told_after(case.check_told, one.due_was, one.clock, at)
            case = replace(case, check=replace(case.check, clock=one.clock), check_told=told)
    return case


def _versions(clock: Clock | None) -> dict[str, object]:
    if clock is None:
        return {}
    return {"calendar_version": clock.calendar_version, "policy_version": clock.policy_version}


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


def _own_part(case: CaseState, **changes: object) -> CaseState:
    return msgspec.structs.replace(case, revision=case.revision + 1, **changes)
