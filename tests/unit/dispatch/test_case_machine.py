"""Random commands by random posts and units: after every step the invariants of a case hold."""

from datetime import timedelta

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.clocks import wakes
from services.dispatch.domain.commands import ActorCommand, LegCommand
from services.dispatch.domain.decide import decide
from services.dispatch.domain.evolve import evolve
from services.dispatch.domain.gate import obstacles
from services.dispatch.domain.legs import LegState
from services.dispatch.domain.merging import (
    AbandonMerge,
    AdmitMerge,
    CompleteMerge,
    LeaveVoidedMaster,
    MergeCommand,
    ReleaseMerge,
)
from services.dispatch.domain.tasks import task_messages
from services.dispatch.domain.transitions import TRANSITIONS
from shared.contracts.adjustments import CaseMergeAbandoned, CaseMergeDeclined, CaseMergeReleased, CaseVoided
from shared.contracts.common import LEVELS, Actor, Post
from shared.contracts.decisions import Context
from shared.contracts.dispatch import (
    CaseChecked,
    CaseClosed,
    CaseDispatched,
    CaseOpened,
    CaseOpeningDeclined,
    LegFedBack,
    LegReturnRequested,
    LegSigned,
)
from shared.contracts.reference import Units
from shared.contracts.registry import CASE_EVENTS
from shared.kernel.errors import Refusal
from tests.support.cases import (
    CASE_ID,
    CITY,
    DEPARTMENTS,
    DISPATCHER,
    DUTY_LEADER,
    JOINT_RULE,
    LEADER,
    NOON,
    SYSTEM,
    UNITS,
    actor,
    check_failed,
    check_passed,
    close,
    department,
    dispatch_by_hand,
    feed_back,
    library,
    open_case,
    refuse_return,
    request_return,
    sign,
    uphold,
    waive,
)
from tests.support.cases import rule as power_rule
from tests.support.ends import (
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

POSTS: tuple[Post, ...] = ("department", "collector", "duty_leader", "dispatcher", "leader", "street", "acceptor")
EVERY_POST = Units(
    units=tuple(msgspec.structs.replace(unit, posts=POSTS) for unit in UNITS.units),
    sources=(),
)
"""Every unit may hold every post here, so that only the rules about handling units keep them apart."""

leg_numbers = st.integers(min_value=1, max_value=4)
revisions = st.one_of(st.none(), st.integers(min_value=1, max_value=5))
case_ids = st.sampled_from([MASTER_ID, OTHER_ID])
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


def fitting_steps(case: CaseState) -> list[tuple[ActorCommand, Actor]]:
    """What an honest actor might do next; the decider may still refuse it."""
    steps: list[tuple[ActorCommand, Actor]] = []
    match case.state:
        case "filed":
            steps = [(dispatch_by_hand(DEPARTMENTS[0], DEPARTMENTS[1:3]), DISPATCHER)]
        case "feedback":
            steps = [(assign_check("supervision-centre"), DISPATCHER)]
        case "checking" if case.check is not None:
            checker = actor(case.check.unit, "collector")
            steps = [(check_passed(), checker), (check_failed(), checker), (check_failed(1), checker)]
        case "checked":
            steps = [(close(), DUTY_LEADER)]
        case "closed":
            steps = [(reopen(), DUTY_LEADER), (reopen(1), LEADER)]
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
        case "handling":
            steps += [(feed_back(leg.leg), own), (feed_back(leg.leg, leg.revision), own)]
        case "return_pending":
            steps += [(uphold(leg.leg), DUTY_LEADER), (refuse_return(leg.leg), DUTY_LEADER)]
    if leg.role == "support" and not leg.done:
        steps.append((waive(leg.leg), LEADER))
    return steps


ANSWERS = {CaseOpeningDeclined, CaseMergeDeclined, CaseMergeAbandoned, CaseMergeReleased}
"""What a case that has ended still says."""


class CaseMachine(RuleBasedStateMachine):
    """A case that anybody may try to change in any way."""

    def __init__(self) -> None:
        super().__init__()
        self.state: CaseState | None = None
        self.events: list[CaseEvent] = []
        self.now = NOON
        self.library = library()

    @initialize(routable=st.booleans())
    def file(self, routable: bool) -> None:
        lead = JOINT_RULE if routable else power_rule("ghost", "no-such-unit")
        self.library = library(lead, units=EVERY_POST)
        assert not isinstance(self.attempt(open_case(), SYSTEM), Refusal)

    @rule(command=commands, actor=actors)
    def anybody_asks_for_anything(self, command: ActorCommand, actor: Actor) -> None:
        before = self.state
        decision = self.attempt(command, actor)
        if isinstance(decision, Refusal):
            assert self.state == before
            return
        assert actor.post in TRANSITIONS[type(command)].posts
        self.nobody_crossed_a_line(before, command, actor, decision)

    @rule(data=st.data())
    def the_work_goes_on(self, data: st.DataObject) -> None:
        """Without this, random posts would rarely carry a case to its end."""
        assert self.state is not None
        for _step in range(data.draw(st.integers(min_value=1, max_value=6))):
            fitting = fitting_steps(self.state)
            if not fitting:
                return
            self.anybody_asks_for_anything(*data.draw(st.sampled_from(fitting)))

    @rule(sequence=st.integers(min_value=1, max_value=9))
    def the_report_is_filed_again(self, sequence: int) -> None:
        before = self.state
        decision = self.attempt(open_case(report_sequence=sequence), SYSTEM)
        assert not isinstance(decision, Refusal)
        assert self.state == before

    @rule(command=policy_commands)
    def another_case_says_something(self, command: MergeCommand) -> None:
        decision = self.attempt(command, SYSTEM)
        assert isinstance(decision, list)
        assert decision, "a policy is answered"

    def attempt(self, command: object, actor: Actor) -> list[CaseEvent] | Refusal:
        self.now += timedelta(seconds=1)
        context = Context(stream=CASE_ID, now=self.now, at=self.now, actor=actor, library=self.library)
        decision = decide(CITY, self.state, command, context)  # type: ignore[arg-type]
        if not isinstance(decision, Refusal):
            for event in decision:
                assert type(event) in CASE_EVENTS
                self.state = evolve(self.state, event)
                task_messages(self.state, event, command)  # type: ignore[arg-type]
            self.events += decision
        return decision

    def nobody_crossed_a_line(
        self, before: CaseState | None, command: ActorCommand, actor: Actor, events: list[CaseEvent]
    ) -> None:
        assert before is not None
        for event in events:
            if isinstance(event, LegSigned | LegFedBack | LegReturnRequested):
                assert isinstance(command, LegCommand)
                own = {leg.leg: leg.unit for leg in before.legs}
                assert own[event.leg] == actor.unit, "I-13: a department acts on its own leg"
            if isinstance(event, CaseChecked | CaseClosed):
                assert actor.unit not in {leg.unit for leg in before.legs}, "I-10: who handles never checks or closes"
            if isinstance(event, CaseClosed):
                assert all(leg.state in {"fed_back", "waived"} for leg in before.legs), "I-11: every leg is done"
                assert not obstacles(before)

    @invariant()
    def in_what_has_ended_nothing_is_due(self) -> None:
        if self.state is not None and self.state.state in {"closed", "voided", "merged"}:
            assert not wakes(self.state)

    @invariant()
    def a_voided_case_stays_void(self) -> None:
        kinds = [type(event) for event in self.events]
        if CaseVoided in kinds:
            assert self.state is not None
            assert self.state.state == "voided"
            assert set(kinds[kinds.index(CaseVoided) + 1 :]) <= ANSWERS

    @invariant()
    def a_merged_case_knows_its_master_and_where_it_was(self) -> None:
        if self.state is not None:
            assert (self.state.state == "merged") == (self.state.master is not None)
            assert (self.state.before_merge is None) == (self.state.master is None)

    @invariant()
    def a_dispatched_case_has_exactly_one_lead(self) -> None:
        if self.state is not None and self.state.legs:
            assert [leg.role for leg in self.state.legs].count("lead") == 1

    @invariant()
    def a_leg_keeps_the_limit_that_it_was_given(self) -> None:
        """I-12, as far as there are deadlines: nothing that happens later moves the limit of a dispatched leg."""
        if self.state is not None and self.state.legs:
            [dispatched] = [event for event in self.events if isinstance(event, CaseDispatched)]
            assert {leg.leg: leg.limit for leg in self.state.legs} == {leg.leg: leg.limit for leg in dispatched.legs}

    @invariant()
    def no_unit_has_two_legs(self) -> None:
        if self.state is not None:
            units = [leg.unit for leg in self.state.legs]
            assert len(units) == len(set(units))

    @invariant()
    def a_closed_case_was_checked_after_its_last_feedback(self) -> None:
        if self.state is None or self.state.state != "closed":
            return
        kinds = [type(event) for event in self.events if isinstance(event, LegFedBack | CaseChecked | CaseClosed)]
        assert kinds[-2:] == [CaseChecked, CaseClosed]
        last_check = [event for event in self.events if isinstance(event, CaseChecked)][-1]
        assert last_check.passed

    @invariant()
    def the_state_is_the_fold_of_the_events(self) -> None:
        state = None
        for event in self.events:
            state = evolve(state, event)
        assert state == self.state

    @invariant()
    def state_and_events_survive_their_json(self) -> None:
        if self.state is not None:
            assert msgspec.json.decode(msgspec.json.encode(self.state), type=CaseState) == self.state
            assert isinstance(self.events[0], CaseOpened)


CaseMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
TestCaseMachine = CaseMachine.TestCase
