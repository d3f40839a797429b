"""并案: two cases agree on a merge by what each says to the other, whatever happens meanwhile."""

from collections import deque
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from services.dispatch.domain.adjustments import MergeCase
from services.dispatch.domain.asking import command_of
from services.dispatch.domain.case import CaseEvent
from services.dispatch.domain.clocks import wakes
from services.dispatch.domain.commands import Command
from services.dispatch.domain.merging import AbandonMerge
from shared.contracts.common import Actor
from shared.contracts.merges import (
    CaseMergeAbandoned,
    CaseMerged,
    CaseMergeReleased,
    CaseMergeRequested,
    MergeAsked,
)
from shared.kernel.errors import Refusal, Unreadable
from tests.support.cases import (
    CASE_ID,
    DISPATCHER,
    DUTY_LEADER,
    LEADER,
    NOON,
    SYSTEM,
    URBAN,
    Case,
    closed,
    department,
    fed_back,
    handled,
    opened,
    refusal,
    sign,
    signed,
)
from tests.support.ends import (
    MASTER_ID,
    OTHER_ID,
    approve_void,
    asks,
    merge,
    merging,
    propose_void,
    unmerge,
    voided,
)


class Topic:
    """Several cases, and their topic: what was said is read when a test says so, in order."""

    def __init__(self, **cases: Case) -> None:
        self.cases = dict(zip((CASE_ID, MASTER_ID, OTHER_ID), cases.values(), strict=False))
        self.said: deque[tuple[UUID, CaseEvent]] = deque()

    def when(self, stream: UUID, command: Command, actor: Actor) -> list[CaseEvent] | Refusal:
        decision = self.cases[stream].when(command, actor)
        if not isinstance(decision, Refusal):
            self.said.extend((stream, event) for event in decision)
        return decision

    def given(self, stream: UUID, command: Command, actor: Actor) -> None:
        decision = self.when(stream, command, actor)
        assert not isinstance(decision, Refusal), decision

    def read(self) -> list[str]:
        """Read to the end; return what the cases answered on the way."""
        answers = []
        while self.said:
            stream, event = self.said.popleft()
            for command in asks(stream, event):
                decision = self.when(command.case_id, command, SYSTEM)
                assert isinstance(decision, list), "a policy is answered, never refused"
                answers += [type(answer).__name__ for answer in decision]
        return answers

    def stages(self) -> list[str]:
        return [case.stage for case in self.cases.values()]


def merge_of(stream: UUID, master: UUID = MASTER_ID) -> MergeCase:
    return MergeCase(case_id=stream, master=master, reason="the same heap")


def two_merged() -> Topic:
    topic = Topic(one=opened(), master=opened())
    topic.given(CASE_ID, merge(), DUTY_LEADER)
    topic.read()
    return topic


# ---------------------------------------------------------------------------------------------------- the usual course


def test_a_case_is_merged_when_its_master_admits_it() -> None:
    topic = Topic(one=opened(), master=opened())
    events = topic.when(CASE_ID, merge(), DUTY_LEADER)
    assert isinstance(events, list)
    assert isinstance(events[0], CaseMergeRequested)
    assert topic.stages() == ["dispatched", "dispatched"]
    assert topic.read() == ["CaseMergeAdmitted", "CaseMerged"]
    assert topic.stages() == ["merged", "dispatched"]
    assert topic.cases[CASE_ID].known.master == MASTER_ID
    assert topic.cases[MASTER_ID].known.carries == (CASE_ID,)


def test_in_a_merged_case_nothing_is_due_and_nothing_is_handled() -> None:
    case = two_merged().cases[CASE_ID]
    assert not wakes(case.known)
    assert refusal(case.when(sign(1), department(URBAN))) == "wrong_state_case_merged"


def test_an_unmerged_case_goes_on_from_where_it_was() -> None:
    topic = Topic(one=opened().given(*signed(1)), master=opened())
    topic.given(CASE_ID, merge(), DUTY_LEADER)
    topic.read()
    before = topic.cases[CASE_ID].known
    topic.given(CASE_ID, unmerge(), DUTY_LEADER)
    assert topic.read() == ["CaseMergeReleased"]
    after = topic.cases[CASE_ID].known
    assert topic.stages() == ["handling", "dispatched"]
    assert [leg.state for leg in after.legs] == [leg.state for leg in before.legs]
    assert (after.master, after.before_merge, topic.cases[MASTER_ID].known.carries) == (None, None, ())
    topic.cases[CASE_ID].given(*signed(2, 3), *fed_back(2, 3, 1))


def test_while_it_was_merged_its_clocks_stood_still() -> None:
    topic = two_merged()
    case = topic.cases[CASE_ID]
    merged_at = case.now
    before = case.known.handle_clock
    case.now += timedelta(days=3)
    topic.given(CASE_ID, unmerge(), DUTY_LEADER)
    leg = case.known.legs[0]
    sign_clock, handle_clock = case.known.sign_clock_of(leg), case.known.handle_clock_of(leg)
    assert before is not None
    assert sign_clock is not None
    assert handle_clock is not None
    assert handle_clock.due_at == before.due_at + (case.now - merged_at)
    assert handle_clock.original_due_at == before.original_due_at
    assert sign_clock.due_at > case.now
    assert wakes(case.known)


def test_it_can_be_merged_again_into_the_same_master() -> None:
    topic = two_merged()
    topic.given(CASE_ID, unmerge(), DUTY_LEADER)
    topic.given(CASE_ID, merge(), DUTY_LEADER)
    assert topic.read() == ["CaseMergeReleased", "CaseMergeAdmitted", "CaseMerged"]
    assert topic.cases[MASTER_ID].known.carries == (CASE_ID,)


def test_voiding_the_master_unmerges_what_hangs_on_it() -> None:
    topic = Topic(one=opened(), master=opened(), other=opened())
    for stream in (CASE_ID, OTHER_ID):
        topic.given(stream, merge_of(stream), DUTY_LEADER)
    topic.read()
    topic.given(MASTER_ID, propose_void(), DUTY_LEADER)
    topic.given(MASTER_ID, approve_void(), LEADER)
    assert topic.read() == ["CaseUnmerged", "CaseUnmerged", "CaseMergeReleased", "CaseMergeReleased"]
    assert topic.stages() == ["dispatched", "voided", "dispatched"]
    assert topic.cases[MASTER_ID].known.carries == ()


# --------------------------------------------------------------------------------------------------- what is declined


@pytest.mark.parametrize(
    "master,reason",
    [(closed, "closed"), (voided, "voided"), (lambda: two_merged().cases[CASE_ID], "merged"), (merging, "merging")],
    ids=["closed", "voided", "merged", "merging"],
)
def test_a_master_that_is_not_open_or_goes_elsewhere_declines(master: object, reason: str) -> None:
    topic = Topic(one=opened(), master=master())  # type: ignore[operator]
    topic.given(CASE_ID, merge(), DUTY_LEADER)
    assert topic.read() == ["CaseMergeDeclined", "CaseMergeAbandoned"]
    abandoned = topic.cases[CASE_ID].events[-1]
    assert isinstance(abandoned, CaseMergeAbandoned)
    assert (abandoned.reason, abandoned.admitted) == (reason, False)
    assert topic.cases[CASE_ID].stage == "dispatched"
    topic.given(CASE_ID, merge(OTHER_ID), DUTY_LEADER)


def test_two_cases_that_ask_each_other_at_once_stay_as_they_are() -> None:
    topic = Topic(one=opened(), master=opened())
    topic.given(CASE_ID, merge(), DUTY_LEADER)
    topic.given(MASTER_ID, merge_of(MASTER_ID, CASE_ID), DUTY_LEADER)
    assert topic.read() == ["CaseMergeDeclined", "CaseMergeDeclined", "CaseMergeAbandoned", "CaseMergeAbandoned"]
    assert topic.stages() == ["dispatched", "dispatched"]


# ----------------------------------------------------------------------------------------- what happens in between


def test_a_case_that_has_moved_on_meanwhile_is_released_again() -> None:
    topic = Topic(one=opened(), master=opened())
    topic.given(CASE_ID, merge(), DUTY_LEADER)
    topic.cases[CASE_ID].given(*signed(1, 2, 3), *fed_back(2, 3, 1))
    assert topic.read() == ["CaseMergeAdmitted", "CaseMergeAbandoned", "CaseMergeReleased"]
    abandoned = topic.cases[CASE_ID].events[-1]
    assert isinstance(abandoned, CaseMergeAbandoned)
    assert (abandoned.reason, abandoned.admitted) == ("checking", True)
    assert topic.stages() == ["checking", "dispatched"]
    assert (topic.cases[CASE_ID].known.merging, topic.cases[MASTER_ID].known.carries) == (None, ())


def test_a_master_that_is_voided_at_once_lets_go_what_it_has_just_admitted() -> None:
    topic = Topic(one=opened(), master=opened().given((propose_void(), DUTY_LEADER)))
    topic.given(CASE_ID, merge(), DUTY_LEADER)
    stream, event = topic.said.popleft()
    (admit,) = asks(stream, event)
    topic.given(MASTER_ID, admit, SYSTEM)
    topic.given(MASTER_ID, approve_void(), LEADER)
    assert topic.read() == ["CaseMerged", "CaseUnmerged", "CaseMergeReleased"]
    assert topic.stages() == ["dispatched", "voided"]


def test_a_case_that_never_came_has_nothing_to_leave() -> None:
    topic = Topic(one=opened(), master=opened().given((propose_void(), DUTY_LEADER)))
    topic.given(CASE_ID, merge(), DUTY_LEADER)
    topic.cases[CASE_ID].given(*signed(1, 2, 3), *fed_back(2, 3, 1))
    stream, event = topic.said.popleft()
    (admit,) = asks(stream, event)
    topic.given(MASTER_ID, admit, SYSTEM)
    topic.given(MASTER_ID, approve_void(), LEADER)
    assert topic.read() == ["CaseMergeAbandoned", "CaseMergeAbandoned", "CaseMergeReleased"]
    assert topic.stages() == ["checking", "voided"]


def test_what_another_case_says_makes_no_operator_s_revision_stale() -> None:
    topic = two_merged()
    master = topic.cases[MASTER_ID].known
    assert master.revision == opened().known.revision


# ------------------------------------------------------------------------------------------------------- refusals


def test_a_case_is_not_merged_into_itself() -> None:
    assert refusal(opened().when(merge(CASE_ID), DUTY_LEADER)) == "same_case"


def test_a_case_that_carries_others_is_not_merged() -> None:
    topic = two_merged()
    assert refusal(topic.when(MASTER_ID, merge_of(MASTER_ID, OTHER_ID), DUTY_LEADER)) == "wrong_state_carries_others"


def test_a_case_is_merged_into_one_other_at_a_time() -> None:
    assert refusal(merging().when(merge(OTHER_ID), DUTY_LEADER)) == "wrong_state_merging"


def test_only_the_duty_leader_merges_and_unmerges() -> None:
    assert refusal(opened().when(merge(), DISPATCHER)) == "not_entitled_post"
    assert refusal(two_merged().when(CASE_ID, unmerge(), department(URBAN))) == "not_entitled_post"


def test_what_is_not_merged_is_not_unmerged_and_what_was_fed_back_is_not_merged() -> None:
    assert refusal(opened().when(unmerge(), DUTY_LEADER)) == "wrong_state_case_dispatched"
    assert refusal(handled().when(merge(), DUTY_LEADER)) == "wrong_state_case_checking"


# ---------------------------------------------------------------------------------------------- what a case asks


def test_other_events_of_cases_mean_nothing_to_other_cases() -> None:
    case = handled()
    assert [command for event in case.events for command in asks(CASE_ID, event)] == []


def test_an_answer_that_ends_a_merge_asks_for_nothing_more() -> None:
    said: list[CaseEvent] = [
        CaseMerged(at=NOON, by=SYSTEM, master=MASTER_ID),
        CaseMergeReleased(at=NOON, by=SYSTEM, merged=CASE_ID),
        CaseMergeAbandoned(at=NOON, by=SYSTEM, master=MASTER_ID, reason="closed", admitted=False),
    ]
    assert [asks(CASE_ID, event) for event in said] == [[], [], []]


def test_why_a_merge_is_abandoned_must_be_said() -> None:
    asked = MergeAsked(case_id=CASE_ID, asking=MASTER_ID, asks="abandon", obstacle="closed")
    assert command_of(asked) == AbandonMerge(case_id=CASE_ID, master=MASTER_ID, reason="closed")
    with pytest.raises(Unreadable):
        command_of(msgspec.structs.replace(asked, obstacle=None))
