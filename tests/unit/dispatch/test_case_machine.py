"""Random commands by random posts and units: after every step the invariants of a case hold."""

from datetime import datetime, timedelta
from typing import cast

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.clocks import running_clocks, wakes
from services.dispatch.domain.columns import columns
from services.dispatch.domain.commands import ActorCommand, LegCommand
from services.dispatch.domain.decide import decide
from services.dispatch.domain.evolve import evolve
from services.dispatch.domain.gate import obstacles
from services.dispatch.domain.legs import LegState
from services.dispatch.domain.merging import AbandonMerge, CompleteMerge, MergeCommand
from services.dispatch.domain.tasks import task_messages
from services.dispatch.domain.transitions import TRANSITIONS
from shared.contracts.adjustments import CaseVoided
from shared.contracts.clocks import ClocksRecomputed
from shared.contracts.common import Actor
from shared.contracts.decisions import Context
from shared.contracts.dispatch import (
    CaseChecked,
    CaseClosed,
    CaseOpened,
    CaseOpeningDeclined,
    LegFedBack,
    LegReturnRequested,
    LegSigned,
)
from shared.contracts.merges import CaseMergeAbandoned, CaseMergeDeclined, CaseMergeReleased
from shared.contracts.reference import Calendar, CalendarDay, Limit
from shared.contracts.registry import CASE_EVENTS
from shared.kernel.errors import Refusal
from tests.support.adjusting import EIGHT_HOURS, FIVE_DAYS, RECOMPUTE, fire
from tests.support.case_steps import EVERY_POST, actors, commands, entitled, fitting_steps, policy_commands, side_steps
from tests.support.cases import (
    CALENDAR,
    CASE_ID,
    CITY,
    JOINT_RULE,
    NOON,
    SYSTEM,
    TWO_HOURS,
    catalogue,
    library,
    open_case,
)
from tests.support.cases import rule as power_rule
from tests.support.clock_book import ClockBook


def any_clock_may_still_tell(case: CaseState) -> bool:
    """Written anew, from the states of case and legs alone."""
    if case.state in {"closed", "voided", "merged", "feedback", "checked"}:
        return False
    if case.state == "filed":
        return case.dispatch_told < 100
    if case.state == "checking":
        return case.check_told < 100
    at_work = [leg for leg in case.legs if leg.state not in {"fed_back", "waived"}]
    if any(by_law_may_tell(leg) for leg in at_work):
        return True
    waits_for_signature = [leg for leg in at_work if leg.unsigned and leg.sign_told < 100]
    return bool(waits_for_signature) or any(leg.state == "suspended" or leg.handle_told < 100 for leg in at_work)


def by_law_may_tell(leg: LegState) -> bool:
    track = leg.rectification
    if track is None or track.stage in {"not_cleared", "cleared"}:
        return False
    return track.reinspection_told < 100 if track.reinspection_clock else track.rectification_told < 100


ANSWERS = {ClocksRecomputed, CaseOpeningDeclined, CaseMergeDeclined, CaseMergeAbandoned, CaseMergeReleased}
"""What a case that has ended still says."""


class CaseMachine(RuleBasedStateMachine):
    """A case that anybody may try to change in any way."""

    def __init__(self) -> None:
        super().__init__()
        self.state: CaseState | None = None
        self.events: list[CaseEvent] = []
        self.now = NOON
        self.library = library()
        self.book = ClockBook()

    @initialize(
        routable=st.sampled_from([True, True, True, False]),
        limit=st.sampled_from([TWO_HOURS, EIGHT_HOURS, FIVE_DAYS]),
        no_site_check=st.sampled_from([False, False, True]),
    )
    def file(self, routable: bool, limit: Limit, no_site_check: bool) -> None:
        joint = msgspec.structs.replace(JOINT_RULE, level="community")
        known = catalogue(joint if routable else power_rule("ghost", "no-such-unit"), limit=limit)
        category = msgspec.structs.replace(known.categories[0], no_site_check=no_site_check)
        known = msgspec.structs.replace(known, categories=(category,))
        self.library = library(units=EVERY_POST, known=known)
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

    @rule(command=commands, data=st.data())
    def somebody_entitled_asks_for_something(self, command: ActorCommand, data: st.DataObject) -> None:
        assert self.state is not None
        by = entitled(command, self.state, lambda posts: data.draw(st.sampled_from(posts)))
        self.anybody_asks_for_anything(command, by)

    @rule(data=st.data())
    def the_work_goes_on(self, data: st.DataObject) -> None:
        """Without this, random posts would rarely carry a case to its end."""
        assert self.state is not None
        for _step in range(data.draw(st.integers(min_value=4, max_value=15))):
            aside = data.draw(st.integers(min_value=0, max_value=5)) == 5
            steps = side_steps(self.state) if aside else fitting_steps(self.state)
            if not steps:
                return
            self.anybody_asks_for_anything(*data.draw(st.sampled_from(steps)))

    @precondition(lambda self: self.state is not None and self.state.merging is not None)
    @rule(admitted=st.booleans())
    def the_master_answers(self, admitted: bool) -> None:
        assert self.state is not None
        master = self.state.merging
        assert master is not None
        self.another_case_says_something(
            CompleteMerge(case_id=CASE_ID, master=master)
            if admitted
            else AbandonMerge(case_id=CASE_ID, master=master, reason="closed")
        )

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

    @rule(minutes=st.one_of(st.integers(1, 90), st.integers(60, 60 * 24 * 120)), in_time=st.booleans())
    def time_passes(self, minutes: int, in_time: bool) -> None:
        """Where timers run in time, each wake fires at its instant; else all of them fire later."""
        assert self.state is not None
        until = self.now + timedelta(minutes=minutes)
        while in_time and (waiting := wakes(self.state)) and waiting[0].due_at <= until:
            self.now = max(self.now, waiting[0].due_at)
            self.fire(waiting[0].due_at)
        self.now = until

    @rule()
    def what_is_due_fires_once(self) -> None:
        self.fire(self.now)
        assert self.state is not None
        assert all(wake.due_at > self.now for wake in wakes(self.state))
        assert self.attempt(fire(self.now), SYSTEM, passing=timedelta(0)) == []

    @rule(days=st.integers(1, 30))
    def a_day_off_is_published(self, days: int) -> None:
        assert self.state is not None
        version, calendar = self.library.calendar(CITY) or (0, CALENDAR)
        day = CalendarDay(
            day=(self.now + timedelta(days=days)).date(),
            workday=False,
            name_zh="停工",
            name_en="storm",
            source="a test",
        )
        known = {one.day: one for one in (day, *calendar.days)}
        listed = msgspec.structs.replace(calendar, days=tuple(known[each] for each in sorted(known)))
        self.publish(version + 1, listed)

    @rule()
    def the_days_off_are_taken_back(self) -> None:
        """They were published by mistake."""
        version, _calendar = self.library.calendar(CITY) or (0, CALENDAR)
        self.book.moves_nearer = True
        self.publish(version + 1, CALENDAR)

    def publish(self, version: int, calendar: Calendar) -> None:
        assert self.state is not None
        self.library = self.library.with_document("calendar", CITY, version, calendar)
        assert not isinstance(self.attempt(RECOMPUTE, SYSTEM), Refusal)
        assert self.state.calendar_version == version

    def fire(self, due_at: datetime) -> None:
        assert isinstance(self.attempt(fire(due_at), SYSTEM, passing=timedelta(0)), list)

    def attempt(
        self, command: object, actor: Actor, passing: timedelta = timedelta(seconds=1)
    ) -> list[CaseEvent] | Refusal:
        self.now += passing
        context = Context(stream=CASE_ID, now=self.now, at=self.now, actor=actor, library=self.library)
        decision = decide(CITY, self.state, command, context)  # type: ignore[arg-type]
        if not isinstance(decision, Refusal):
            for event in decision:
                assert type(event) in CASE_EVENTS
                self.state = evolve(self.state, event)
                self.book.take(event)
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
                assert not obstacles(before, on_papers=event.on_papers)
                assert not self.book.under_order, "I-11: every ordered re-inspection has passed"

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
    def deadlines_move_only_by_events_that_say_from_where(self) -> None:
        """I-12: the clocks of the state are those that the events started and moved."""
        if self.state is not None:
            assert {leg.leg: self.state.handle_clock_of(leg) for leg in self.state.legs} == self.book.clocks
            assert all(leg.limit == self.state.opened.limit for leg in self.state.legs)

    @invariant()
    def a_case_has_one_wake_at_most_and_none_where_nothing_runs(self) -> None:
        if self.state is not None:
            assert len(wakes(self.state)) <= 1
            assert bool(wakes(self.state)) == any_clock_may_still_tell(self.state)

    @invariant()
    def lists_know_a_case_by_what_is_due_first_of_all_that_runs_but_signing(self) -> None:
        if self.state is not None:
            row = columns(self.state)
            running = [(one.leg, one.clock.due_at) for one in running_clocks(self.state) if one.clock.stage != "sign"]
            assert row["due_at"] == min((due for _leg, due in running), default=None)
            assert [leg["due_at"] for leg in cast("list[dict[str, object]]", row["legs"])] == [
                min((due for number, due in running if number == leg.leg), default=None) for leg in self.state.legs
            ]

    @invariant()
    def a_leg_is_returned_twice_at_most_and_never_after_a_ruling(self) -> None:
        for leg in self.state.legs if self.state else ():
            assert leg.returns <= 2
            assert not (leg.ruled and leg.state == "return_pending")

    @invariant()
    def a_leg_is_suspended_within_its_time_and_asks_for_one_thing_at_once(self) -> None:
        for leg in self.state.legs if self.state else ():
            assert leg.extension is None or leg.suspension is None
            assert (leg.state == "suspended") == (leg.suspension is not None and leg.suspension.started_at is not None)

    @invariant()
    def what_is_ordered_by_law_stays_with_its_authority_and_its_limits_never_rest(self) -> None:
        for leg in self.state.legs if self.state else ():
            assert leg.rectifying == (leg.leg in self.book.under_order)
            assert not leg.rectifying or leg.state in {"handling", "suspended"}
            track = leg.rectification
            for clock in (track.rectification_clock, track.reinspection_clock) if track else ():
                assert clock is None or not clock.pauses

    @invariant()
    def no_unit_has_two_legs(self) -> None:
        if self.state is not None:
            units = [leg.unit for leg in self.state.legs]
            assert len(units) == len(set(units))

    @invariant()
    def a_closed_case_was_checked_after_its_last_feedback(self) -> None:
        if self.state is None or self.state.state != "closed":
            return
        closing = [event for event in self.events if isinstance(event, CaseClosed)][-1]
        if closing.on_papers:
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
