"""How the events of `dispatch.cases` change what is known of a case."""

from collections.abc import Iterable
from typing import assert_never

from msgspec.structs import replace

from services.analytics.domain.facts import CaseFacts, ImpossibleEvent, LegFacts
from services.analytics.domain.leg_fold import LegEvent, assigned, evolve_leg, once_more, overdue
from services.analytics.domain.marking import evolve_marks
from shared.contracts import adjustments, clocks, dispatch, merges

EndEvent = (
    adjustments.CaseCheckAssigned
    | dispatch.CaseChecked
    | dispatch.CaseClosed
    | adjustments.CaseReopened
    | adjustments.CaseVoidProposed
    | adjustments.CaseVoidRefused
    | adjustments.CaseVoided
)
MergeEvent = (
    merges.CaseMergeRequested
    | merges.CaseMergeAdmitted
    | merges.CaseMergeDeclined
    | merges.CaseMerged
    | merges.CaseMergeAbandoned
    | merges.CaseUnmerged
    | merges.CaseMergeReleased
)
ClockEvent = clocks.ClockWarned | clocks.ClockBreached | clocks.ClocksRecomputed
OwnEvent = (
    dispatch.CaseOpeningDeclined
    | dispatch.CaseRoutingFailed
    | dispatch.CaseDispatched
    | adjustments.CaseRedispatched
    | adjustments.LegsAdded
    | adjustments.CaseSupervised
    | adjustments.CaseSupervisionAnswered
    | adjustments.CaseEscalated
)
CaseEvent = dispatch.CaseOpened | LegEvent | OwnEvent | EndEvent | MergeEvent | ClockEvent


def evolve_case(facts: CaseFacts | None, event: CaseEvent) -> CaseFacts:
    """Return the facts of a case after its next event.

    Raises:
        ImpossibleEvent: when a stream does not begin with the opening, or an event names a leg that was not assigned.
    """
    if isinstance(event, dispatch.CaseOpened):
        return CaseFacts(opened_at=event.at, number=event.number)
    if facts is None:
        raise ImpossibleEvent(f"{event.type} came before the case was opened.")
    evolved = _evolve(facts, event)
    marks = evolve_marks(facts, event)
    return evolved if marks is facts.marks else replace(evolved, marks=marks)


def _evolve(facts: CaseFacts, event: LegEvent | OwnEvent | EndEvent | MergeEvent | ClockEvent) -> CaseFacts:
    if isinstance(event, LegEvent):
        return _with_leg(facts, evolve_leg(_leg(facts, event.leg), event))
    if isinstance(event, EndEvent):
        return _evolve_end(facts, event)
    if isinstance(event, OwnEvent):
        return _evolve_own(facts, event)
    if isinstance(event, ClockEvent):
        return _evolve_clocks(facts, event)
    return _evolve_merge(facts, event)


def _evolve_own(facts: CaseFacts, event: OwnEvent) -> CaseFacts:
    match event:
        case dispatch.CaseOpeningDeclined():
            return facts
        case dispatch.CaseRoutingFailed():
            return replace(facts, unroutable=event.reason)
        case dispatch.CaseDispatched():
            if facts.legs:
                raise ImpossibleEvent("The case was dispatched twice.")
            return replace(_dispatched(facts, event), level=event.level)
        case adjustments.CaseRedispatched():
            return _dispatched(facts, event)
        case adjustments.LegsAdded():
            added = {leg.leg: assigned(leg, event.at, event.handle_clock) for leg in event.legs}
            return _with_legs(facts, facts.legs | added)
        case adjustments.CaseSupervised():
            return replace(facts, answer_awaited=True)
        case adjustments.CaseSupervisionAnswered():
            return replace(facts, answer_awaited=False)
        case adjustments.CaseEscalated():
            return replace(facts, level=event.to_level)
        case _:
            assert_never(event)


def _dispatched(facts: CaseFacts, event: dispatch.CaseDispatched | adjustments.CaseRedispatched) -> CaseFacts:
    legs = {leg.leg: assigned(leg, event.at, event.handle_clock) for leg in event.legs}
    lead = next((leg.unit for leg in event.legs if leg.role == "lead"), None)
    return replace(facts, dispatched_at=event.at, unroutable=None, lead=lead, legs=legs)


def _evolve_end(facts: CaseFacts, event: EndEvent) -> CaseFacts:
    match event:
        case adjustments.CaseCheckAssigned():
            return replace(facts, check_unit=event.unit)
        case dispatch.CaseChecked():
            return _checked(facts, event)
        case dispatch.CaseClosed():
            return replace(facts, closed_at=event.at, level=event.level, void_proposed=None)
        case adjustments.CaseReopened():
            again = [
                once_more(leg, event.ground, event.reason, event.handle_clock, rework=False)
                for leg in _legs(facts, event.legs)
            ]
            reopened = replace(facts, closed_at=None, check_passed=None)
            return _with_legs(reopened, facts.legs | {leg.leg: leg for leg in again})
        case adjustments.CaseVoidProposed():
            return replace(facts, void_proposed=event.reason)
        case adjustments.CaseVoidRefused():
            return replace(facts, void_proposed=None)
        case adjustments.CaseVoided():
            return replace(facts, voided_at=event.at, void_reason=event.reason, void_proposed=None)
        case _:
            assert_never(event)


def _checked(facts: CaseFacts, event: dispatch.CaseChecked) -> CaseFacts:
    resumed = {moved.leg: moved.clock for moved in event.resumed}
    again = [
        once_more(leg, "check_failed", event.reason, resumed.get(leg.leg), rework=True)
        for leg in _legs(facts, event.rework)
    ]
    checked = replace(facts, checked_at=event.at, check_passed=event.passed, check_unit=None)
    return _with_legs(checked, facts.legs | {leg.leg: leg for leg in again})


def _evolve_merge(facts: CaseFacts, event: MergeEvent) -> CaseFacts:
    """Fold a merge of this case into another; that it carries others changes nothing that is counted of it."""
    match event:
        case merges.CaseMergeRequested():
            return replace(facts, merge_requested=event.master)
        case merges.CaseMerged():
            return replace(facts, merged_at=event.at, merged_into=event.master, merge_requested=None)
        case merges.CaseMergeAbandoned():
            return replace(facts, merge_requested=None) if facts.merge_requested == event.master else facts
        case merges.CaseUnmerged():
            return _with_moved(replace(facts, merged_at=None, merged_into=None), event.resumed)
        case merges.CaseMergeAdmitted() | merges.CaseMergeDeclined() | merges.CaseMergeReleased():
            return facts
        case _:
            assert_never(event)


def _evolve_clocks(facts: CaseFacts, event: ClockEvent) -> CaseFacts:
    match event:
        case clocks.ClockWarned():
            return facts
        case clocks.ClockBreached():
            if event.stage != "handle" or event.leg is None:
                return facts
            return _with_leg(facts, overdue(_leg(facts, event.leg), event.due_at))
        case clocks.ClocksRecomputed():
            return _with_moved(facts, event.moved)
        case _:
            assert_never(event)


def _with_moved(facts: CaseFacts, moved: Iterable[clocks.MovedClock]) -> CaseFacts:
    """Return the case with these handling clocks of its legs."""
    due = {one.leg: one.clock.due_at for one in moved if one.clock.stage == "handle"}
    legs = {number: replace(leg, due_at=due.get(number, leg.due_at)) for number, leg in facts.legs.items()}
    return _with_legs(facts, legs)


def _legs(facts: CaseFacts, numbers: Iterable[int]) -> list[LegFacts]:
    return [_leg(facts, number) for number in numbers]


def _leg(facts: CaseFacts, number: int) -> LegFacts:
    leg = facts.legs.get(number)
    if leg is None:
        raise ImpossibleEvent(f"Leg {number} was never assigned.")
    return leg


def _with_leg(facts: CaseFacts, leg: LegFacts) -> CaseFacts:
    return _with_legs(facts, facts.legs | {leg.leg: leg})


def _with_legs(facts: CaseFacts, legs: dict[int, LegFacts]) -> CaseFacts:
    """Return the case with these legs: where one of them goes on, a check that was ordered or passed counts no more."""
    lead = next((leg.unit for leg in legs.values() if leg.role == "lead"), None)
    if not (facts.check_unit or facts.check_passed) or all(leg.done for leg in legs.values()):
        return replace(facts, legs=legs, lead=lead)
    return replace(facts, legs=legs, lead=lead, check_unit=None, check_passed=None)
