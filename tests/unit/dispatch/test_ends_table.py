"""Every act of the centres on a case's end, oversight and merges, in every state of a case. Written by hand."""

import pytest

from services.dispatch.domain.commands import ActorCommand
from services.dispatch.domain.transitions import TRANSITIONS
from shared.contracts.common import Actor
from shared.kernel.errors import Refusal
from tests.support.cases import (
    COLLECTOR,
    DISPATCHER,
    DUTY_LEADER,
    LEADER,
    MARKET,
    Case,
    check_failed,
    check_passed,
    close,
    department,
)
from tests.support.ends import (
    EVALUATOR,
    INSPECTOR,
    MASTER_ID,
    STAGES,
    STREET_OFFICE,
    answer_supervision,
    appeal,
    approve_void,
    assign_check,
    close_on_papers,
    escalate,
    merge,
    propose_void,
    reopen,
    supervise,
    unmerge,
    uphold_appeal,
)
from tests.support.tables import cells

COMMANDS: dict[str, tuple[ActorCommand, Actor]] = {
    "assign_check": (assign_check("street-220281001"), DISPATCHER),
    "pass_check": (check_passed(), COLLECTOR),
    "fail_check": (check_failed(), COLLECTOR),
    "close": (close(), DUTY_LEADER),
    "close_on_papers": (close_on_papers(), DUTY_LEADER),
    "propose_void": (propose_void(), DUTY_LEADER),
    "approve_void": (approve_void(), LEADER),
    "reopen": (reopen(), DUTY_LEADER),
    "supervise": (supervise(), INSPECTOR),
    "answer": (answer_supervision(2), department(MARKET)),
    "escalate": (escalate("city"), STREET_OFFICE),
    "appeal": (appeal(2), department(MARKET)),
    "review": (uphold_appeal(2), EVALUATOR),
    "merge": (merge(MASTER_ID), DUTY_LEADER),
    "unmerge": (unmerge(), DUTY_LEADER),
}

# `case` stands for wrong_state_case_<state>, `-` before a name for wrong_state_.
BY_CASE_STATE = """
                 filed             dispatched         handling           feedback             checking             checked           closed        voided  merged
assign_check     case              case               case               no_checker           no_checker           case              case          case    case
pass_check       case              case               case               case                 CaseChecked          case              case          case    case
fail_check       case              case               case               case                 CaseChecked          case              case          case    case
close            case              -leg_open          -leg_open          -not_checked         -not_checked         CaseClosed        case          case    case
close_on_papers  case              site_check_required site_check_required CaseClosed         site_check_required  site_check_required case        case    case
propose_void     CaseVoidProposed  CaseVoidProposed   CaseVoidProposed   case                 case                 case              case          case    case
approve_void     -no_void_proposed -no_void_proposed  -no_void_proposed  -no_void_proposed    -no_void_proposed    -no_void_proposed case          case    case
reopen           case              case               case               case                 case                 case              CaseReopened  case    case
supervise        CaseSupervised    CaseSupervised     CaseSupervised     CaseSupervised       CaseSupervised       CaseSupervised    case          case    case
answer           unknown_leg       -not_supervised    -not_supervised    -not_supervised      -not_supervised      -not_supervised   case          case    case
escalate         not_upwards       not_upwards        not_upwards        not_upwards          not_upwards          not_upwards       case          case    case
appeal           unknown_leg       case               case               case                 case                 case              -not_overdue  case    case
review           unknown_leg       case               case               case                 case                 case              -no_appeal    case    case
merge            CaseMergeRequested CaseMergeRequested CaseMergeRequested case                case                 case              case          case    case
unmerge          case              case               case               case                 case                 case              case          case    CaseUnmerged
"""  # noqa: E501 - a table is read in lines


def outcome(case: Case, command: str) -> str:
    decision = case.when(*COMMANDS[command])
    if isinstance(decision, Refusal):
        return decision.code
    (event,) = decision
    return type(event).__name__


@pytest.mark.parametrize("command,state,cell", cells(BY_CASE_STATE))
def test_every_act_has_one_outcome_in_every_state_of_the_case(command: str, state: str, cell: str) -> None:
    case = STAGES[state]()
    assert case.stage == state
    expected = f"wrong_state_case_{state}" if cell == "case" else cell.replace("-", "wrong_state_", 1)
    assert outcome(case, command) == expected


def test_the_table_is_whole() -> None:
    assert {command for command, _state, _cell in cells(BY_CASE_STATE)} == set(COMMANDS)
    assert {state for _command, state, _cell in cells(BY_CASE_STATE)} == set(STAGES)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_act_is_refused_to_every_post_that_the_table_does_not_name(name: str) -> None:
    command, _entitled = COMMANDS[name]
    for actor in (DISPATCHER, COLLECTOR, DUTY_LEADER, LEADER, INSPECTOR, EVALUATOR, STREET_OFFICE, department(MARKET)):
        if actor.post not in TRANSITIONS[type(command)].posts:
            decision = STAGES["checking"]().when(command, actor)
            assert isinstance(decision, Refusal)
            assert decision.code == "not_entitled_post"
