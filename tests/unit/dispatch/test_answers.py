"""Every command of a policy in every state of a case: answered by an event, never refused. Written by hand."""

import pytest

from services.dispatch.domain.adjustments import FireClocks, RecomputeClocks
from services.dispatch.domain.commands import Command
from services.dispatch.domain.merging import AbandonMerge, AdmitMerge, CompleteMerge, LeaveVoidedMaster, ReleaseMerge
from tests.support.cases import CASE_ID, NOON, SYSTEM, open_case
from tests.support.ends import MASTER_ID, OTHER_ID, STAGES, merging
from tests.support.tables import cells

COMMANDS: dict[str, Command] = {
    "open": open_case(),
    "admit": AdmitMerge(case_id=CASE_ID, merged=OTHER_ID),
    "complete": CompleteMerge(case_id=CASE_ID, master=MASTER_ID),
    "abandon": AbandonMerge(case_id=CASE_ID, master=MASTER_ID, reason="closed"),
    "release": ReleaseMerge(case_id=CASE_ID, merged=OTHER_ID),
    "leave": LeaveVoidedMaster(case_id=CASE_ID, master=MASTER_ID),
    "recompute": RecomputeClocks(case_id=CASE_ID),
}

ANSWERS = """
            filed                dispatched           handling             feedback             checking             checked              closed               voided               merged
open        CaseOpeningDeclined  CaseOpeningDeclined  CaseOpeningDeclined  CaseOpeningDeclined  CaseOpeningDeclined  CaseOpeningDeclined  CaseOpeningDeclined  CaseOpeningDeclined  CaseOpeningDeclined
admit       CaseMergeAdmitted    CaseMergeAdmitted    CaseMergeAdmitted    CaseMergeAdmitted    CaseMergeAdmitted    CaseMergeAdmitted    CaseMergeDeclined    CaseMergeDeclined    CaseMergeDeclined
complete    CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned
abandon     CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned
release     CaseMergeReleased    CaseMergeReleased    CaseMergeReleased    CaseMergeReleased    CaseMergeReleased    CaseMergeReleased    CaseMergeReleased    CaseMergeReleased    CaseMergeReleased
leave       CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseMergeAbandoned   CaseUnmerged
recompute   ClocksRecomputed     ClocksRecomputed     ClocksRecomputed     ClocksRecomputed     ClocksRecomputed     ClocksRecomputed     ClocksRecomputed     ClocksRecomputed     ClocksRecomputed
"""  # noqa: E501 - a table is read in lines
WHILE_ASKING = {"admit": "CaseMergeDeclined", "complete": "CaseMerged", "leave": "CaseMergeAbandoned"}
"""What a case answers differently, or not, while it asks to be merged."""


@pytest.mark.parametrize("command,state,expected", cells(ANSWERS))
def test_every_command_of_a_policy_is_answered_in_every_state(command: str, state: str, expected: str) -> None:
    case = STAGES[state]()
    assert case.stage == state
    answer = case.when(COMMANDS[command], SYSTEM)
    assert isinstance(answer, list), answer
    assert [type(event).__name__ for event in answer] == [expected]


@pytest.mark.parametrize("command,expected", WHILE_ASKING.items())
def test_a_case_that_asks_to_be_merged_answers_the_master_and_nobody_else(command: str, expected: str) -> None:
    answer = merging().when(COMMANDS[command], SYSTEM)
    assert isinstance(answer, list), answer
    assert [type(event).__name__ for event in answer] == [expected]


@pytest.mark.parametrize("state", STAGES)
def test_a_wake_that_finds_nothing_due_changes_nothing_in_any_state(state: str) -> None:
    assert STAGES[state]().when(FireClocks(case_id=CASE_ID, due_at=NOON), SYSTEM) == []


def test_the_table_is_whole() -> None:
    assert {command for command, _state, _answer in cells(ANSWERS)} == set(COMMANDS)
    assert {state for _command, state, _answer in cells(ANSWERS)} == set(STAGES)
