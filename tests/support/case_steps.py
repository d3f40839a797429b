"""What anybody might ask of a case, and what honest actors might do next: for the state machine of its test."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import msgspec
from hypothesis import strategies as st

from services.dispatch.domain.case import CaseState
from services.dispatch.domain.commands import ActorCommand, LegCommand
from services.dispatch.domain.legs import LegState, find_leg
from services.dispatch.domain.merging import (
    AbandonMerge,
    AdmitMerge,
    CompleteMerge,
    LeaveVoidedMaster,
    MergeCommand,
    ReleaseMerge,
)
from services.dispatch.domain.transitions import TRANSITIONS
from shared.contracts.common import LEVELS, Actor, Post
from shared.contracts.reference import Units
from tests.support.adjusting import (
    add_legs,
    ask_extension,
    ask_suspension,
    decide_extension,
    decide_suspension,
    endorse,
    no_handling_needed,
    resume,
    rule_leg,
    send_back,
    uphold_not_needed,
)
from tests.support.cases import (
    CASE_ID,
    DEPARTMENTS,
    DISPATCHER,
    DUTY_LEADER,
    LEADER,
    NOON,
    STREET_UNIT,
    UNITS,
    actor,
    check_failed,
    check_passed,
    close,
    department,
    dispatch_by_hand,
    feed_back,
    refuse_return,
    request_return,
    sign,
    uphold,
    waive,
)
from tests.support.ends import (
    EVALUATOR,
    INSPECTOR,
    MASTER_ID,
    OTHER_ID,
    answer_supervision,
    appeal,
    approve_void,
    assign_check,
    close_on_papers,
    escalate,
    merge,
    propose_void,
    refuse_void,
    reject_appeal,
    reopen,
    supervise,
    unmerge,
    uphold_appeal,
)
from tests.support.lawful import claim, enforce, lawful_steps, order, reinspect

POSTS: tuple[Post, ...] = (
    "department",
    "collector",
    "duty_leader",
    "dispatcher",
    "leader",
    "street",
    "acceptor",
    "inspector",
    "evaluator",
)
EVERY_POST = Units(
    units=tuple(msgspec.structs.replace(unit, posts=POSTS) for unit in UNITS.units),
    sources=(),
)
"""Every unit may hold every post here, so that only the rules about handling units keep them apart."""

UNITS_OF_POSTS: Mapping[Post, str] = {
    "collector": "supervision-centre",
    "duty_leader": "supervision-centre",
    "evaluator": "supervision-centre",
    "dispatcher": "command-centre",
    "inspector": "command-centre",
    "leader": "city-leadership",
}
leg_numbers = st.integers(min_value=1, max_value=4)
revisions = st.one_of(st.none(), st.integers(min_value=1, max_value=5))
case_ids = st.sampled_from([MASTER_ID, OTHER_ID])
end_dates = st.integers(min_value=-1, max_value=400).map(lambda days: NOON + timedelta(days=days))
unit_codes = st.sampled_from([unit.code for unit in UNITS.units] + ["no-such-unit"])
commands: st.SearchStrategy[ActorCommand] = st.one_of(
    st.builds(sign, leg_numbers, revisions),
    st.builds(feed_back, leg_numbers, revisions),
    st.builds(request_return, leg_numbers),
    st.builds(uphold, leg_numbers, unit_codes),
    st.builds(refuse_return, leg_numbers),
    st.builds(waive, leg_numbers),
    st.builds(check_passed, revisions),
    st.builds(check_failed),
    st.builds(check_failed, leg_numbers),
    st.builds(close, revisions),
    st.builds(dispatch_by_hand, unit_codes, st.lists(unit_codes, max_size=2)),
    st.builds(assign_check, unit_codes),
    st.builds(close_on_papers),
    st.builds(propose_void),
    st.builds(approve_void),
    st.builds(refuse_void),
    st.builds(reopen),
    st.builds(reopen, leg_numbers),
    st.builds(supervise),
    st.builds(answer_supervision, leg_numbers),
    st.builds(escalate, st.sampled_from(LEVELS)),
    st.builds(appeal, leg_numbers),
    st.builds(uphold_appeal, leg_numbers),
    st.builds(reject_appeal, leg_numbers),
    st.builds(merge, case_ids),
    st.builds(unmerge),
    st.builds(add_legs, unit_codes, revision=revisions),
    st.builds(rule_leg, leg_numbers, unit_codes),
    st.builds(no_handling_needed, leg_numbers),
    st.builds(uphold_not_needed, leg_numbers),
    st.builds(ask_extension, leg_numbers, engineering=st.booleans(), revision=revisions),
    st.builds(decide_extension, leg_numbers, approved=st.booleans()),
    st.builds(ask_suspension, leg_numbers, end_dates),
    st.builds(endorse, leg_numbers, endorsed=st.booleans()),
    st.builds(decide_suspension, leg_numbers, approved=st.booleans()),
    st.builds(resume, leg_numbers),
    st.builds(send_back, leg_numbers),
    st.builds(order, leg_numbers, st.sampled_from([None, 1, 5]), revision=revisions),
    st.builds(claim, leg_numbers),
    st.builds(reinspect, leg_numbers, passed=st.booleans()),
    st.builds(enforce, leg_numbers),
)
policy_commands: st.SearchStrategy[MergeCommand] = st.one_of(
    st.builds(AdmitMerge, case_id=st.just(CASE_ID), merged=case_ids),
    st.builds(CompleteMerge, case_id=st.just(CASE_ID), master=case_ids),
    st.builds(AbandonMerge, case_id=st.just(CASE_ID), master=case_ids, reason=st.just("closed")),
    st.builds(ReleaseMerge, case_id=st.just(CASE_ID), merged=case_ids),
    st.builds(LeaveVoidedMaster, case_id=st.just(CASE_ID), master=case_ids),
)
persons = st.sampled_from([None, "wang-1", "li-2"])
actors = st.builds(
    lambda unit, post, person: Actor(client="random", unit=unit, post=post, person=person),
    unit_codes,
    st.sampled_from(POSTS),
    persons,
)


def entitled(command: ActorCommand, case: CaseState, choose: Callable[[Sequence[Post]], Post]) -> Actor:
    """Somebody whom the table allows the command, as far as posts and units go."""
    transition = TRANSITIONS[type(command)]
    post = choose(sorted(transition.posts))
    if post == "department":
        leg = find_leg(case.legs, command.leg) if isinstance(command, LegCommand) else None
        return department(leg.unit if leg else DEPARTMENTS[0], "wang-1")
    if post == "collector" and case.check is not None:
        return actor(case.check.unit, post)
    return actor(UNITS_OF_POSTS.get(post, STREET_UNIT), post, f"{post}-1")


def fitting_steps(case: CaseState) -> list[tuple[ActorCommand, Actor]]:
    """What an honest actor might do next; the decider may still refuse it."""
    steps: list[tuple[ActorCommand, Actor]] = []
    match case.state:
        case "filed":
            steps = [(dispatch_by_hand(DEPARTMENTS[0], DEPARTMENTS[1:3]), DISPATCHER), (propose_void(), DUTY_LEADER)]
        case "dispatched":
            steps = [(dispatch_by_hand(DEPARTMENTS[3], DEPARTMENTS[:2]), DISPATCHER)]
        case "feedback":
            steps = [(assign_check("supervision-centre"), DISPATCHER), (close_on_papers(), DUTY_LEADER)]
        case "checking" if case.check is not None:
            checker = actor(case.check.unit, "collector")
            steps = [(check_passed(), checker), (check_failed(), checker), (check_failed(1), checker)]
            steps.append((assign_check("city-leadership"), DISPATCHER))
        case "checked":
            steps = [(close(), DUTY_LEADER)]
        case "closed":
            late = [leg for leg in case.legs if leg.overdue_at is not None]
            steps = [(reopen(), DUTY_LEADER), (reopen(1), LEADER)]
            steps += [(appeal(leg.leg), department(leg.unit)) for leg in late]
        case "merged":
            steps = [(unmerge(), DUTY_LEADER)]
    return steps + [step for leg in case.legs for step in steps_on(leg)]


def steps_on(leg: LegState) -> list[tuple[ActorCommand, Actor]]:
    """What an honest actor might do next about a leg."""
    steps: list[tuple[ActorCommand, Actor]] = []
    own = department(leg.unit, f"person-of-{leg.unit}")
    match leg.state:
        case "assigned":
            steps += [(sign(leg.leg, leg.revision), own), (request_return(leg.leg), own)]
        case "handling" if leg.rectifying:
            steps += [(step, own) for step in lawful_steps(leg)]
        case "handling":
            steps += [(feed_back(leg.leg), own), (feed_back(leg.leg, leg.revision), own), *courses_of(leg)]
            steps.append((order(leg.leg), own))
        case "return_pending":
            steps += [
                (uphold(leg.leg), DUTY_LEADER),
                (uphold(leg.leg, STREET_UNIT), DUTY_LEADER),
                (refuse_return(leg.leg), DUTY_LEADER),
                (uphold_not_needed(leg.leg), DUTY_LEADER),
            ]
        case "suspended":
            steps += [(resume(leg.leg), own), *((step, own) for step in lawful_steps(leg))]
        case "fed_back":
            steps.append((send_back(leg.leg), DISPATCHER))
    if leg.returns > 1:
        steps.append((rule_leg(leg.leg, leg.unit), LEADER))
    if leg.role == "support" and not leg.done:
        steps.append((waive(leg.leg), LEADER))
    return steps


def side_steps(case: CaseState) -> list[tuple[ActorCommand, Actor]]:
    """What takes a case another way, or looks at it from outside."""
    steps: list[tuple[ActorCommand, Actor]] = []
    if case.void_proposal is not None:
        steps += [(refuse_void(), LEADER), (refuse_void(), LEADER), (approve_void(), LEADER)]
    if case.state in {"filed", "dispatched", "handling"}:
        steps += [(propose_void(), DUTY_LEADER), (merge(MASTER_ID), DUTY_LEADER)]
    if case.state in {"dispatched", "handling"}:
        steps += [(add_legs(STREET_UNIT), DISPATCHER), (add_legs("property-service"), DISPATCHER)]
    if case.state == "closed":
        for leg in case.legs:
            steps.append((appeal(leg.leg), department(leg.unit)))
            steps += [(uphold_appeal(leg.leg), EVALUATOR), (reject_appeal(leg.leg), LEADER)]
        return steps
    steps += [(supervise(), INSPECTOR), (escalate("street"), DUTY_LEADER), (escalate("city"), DUTY_LEADER)]
    for leg in case.legs:
        steps.append((answer_supervision(leg.leg), department(leg.unit)))
        if leg.extension is not None:
            steps.append((decide_extension(leg.leg, approved=False), DUTY_LEADER))
        if leg.suspension is not None:
            steps += [
                (endorse(leg.leg, endorsed=False), DISPATCHER),
                (decide_suspension(leg.leg, approved=False), LEADER),
            ]
    return steps


def courses_of(leg: LegState) -> list[tuple[ActorCommand, Actor]]:
    """What may change the course of a leg that is handled."""
    own = department(leg.unit, f"person-of-{leg.unit}")
    if leg.extension is not None:
        return [(decide_extension(leg.leg), DUTY_LEADER), (decide_extension(leg.leg), LEADER)]
    if leg.suspension is not None:
        return [(decide_suspension(leg.leg), LEADER)] if leg.suspension.endorsed else [(endorse(leg.leg), DISPATCHER)]
    return [
        (request_return(leg.leg), own),
        (no_handling_needed(leg.leg), own),
        (ask_extension(leg.leg), own),
        (ask_suspension(leg.leg, NOON + timedelta(days=90)), own),
    ]
