"""Every act of handling in every state: the events that it makes, or the refusal by name. Written by hand.

The acts on a case's end have a table of their own (`test_ends_table`), and so have the orders of a leg
(`test_rectification`).
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.dispatch.domain.case import CASE_STAGES
from services.dispatch.domain.commands import ActorCommand, LegCommand
from services.dispatch.domain.legs import LEG_STAGES
from services.dispatch.domain.transitions import TRANSITIONS
from shared.contracts.common import Actor
from shared.kernel.errors import Refusal
from tests.support.adjusting import (
    add_legs,
    ask_extension,
    ask_suspension,
    decide_extension,
    decide_suspension,
    endorse,
    resume,
    rule_leg,
    send_back,
)
from tests.support.cases import (
    COLLECTOR,
    DISPATCHER,
    DUTY_LEADER,
    FIRE,
    LEADER,
    MARKET,
    NOON,
    POLICE,
    Case,
    department,
    dispatch_by_hand,
    fed_back,
    feed_back,
    opened,
    refuse_return,
    request_return,
    sign,
    signed,
    uphold,
    waive,
)
from tests.support.ends import STAGES
from tests.support.lawful import claim, enforce, order, reinspect
from tests.support.tables import cells
from tests.unit.dispatch import test_ends_table

UNTIL = NOON + timedelta(days=100)


def suspended() -> Case:
    case = opened().given(*signed(2), (ask_suspension(2, UNTIL), department(MARKET)))
    return case.given((endorse(2), DISPATCHER), (decide_suspension(2), LEADER))


LEGS: dict[str, Callable[[], Case]] = {
    "assigned": opened,
    "handling": lambda: opened().given(*signed(2)),
    "return_pending": lambda: opened().given((request_return(2), department(MARKET))),
    "suspended": suspended,
    "fed_back": lambda: opened().given(*signed(2), *fed_back(2)),
    "waived": lambda: opened().given((waive(2), LEADER)),
}
COMMANDS: dict[str, tuple[ActorCommand, Actor]] = {
    "dispatch": (dispatch_by_hand(FIRE), DISPATCHER),
    "add_legs": (add_legs(POLICE), DISPATCHER),
    "sign": (sign(2), department(MARKET)),
    "feed_back": (feed_back(2), department(MARKET)),
    "request_return": (request_return(2), department(MARKET)),
    "uphold_return": (uphold(2), DUTY_LEADER),
    "refuse_return": (refuse_return(2), DUTY_LEADER),
    "rule": (rule_leg(2, POLICE), LEADER),
    "ask_extension": (ask_extension(2), department(MARKET)),
    "decide_extension": (decide_extension(2), DUTY_LEADER),
    "ask_suspension": (ask_suspension(2, UNTIL), department(MARKET)),
    "endorse": (endorse(2), DISPATCHER),
    "decide_suspension": (decide_suspension(2), LEADER),
    "resume": (resume(2), department(MARKET)),
    "send_back": (send_back(2), DISPATCHER),
    "waive": (waive(2), LEADER),
    "order": (order(2), department(MARKET)),
    "claim": (claim(2), department(MARKET)),
    "reinspect": (reinspect(2), department(MARKET)),
    "enforce": (enforce(2), department(MARKET)),
}

# `case` stands for wrong_state_case_<state>, `leg` for wrong_state_leg_<state of the leg>, which is done from feedback
# on, and `-` before a name for wrong_state_.
BY_CASE_STATE = """
                  filed           dispatched             handling               feedback    checking    checked  closed  voided  merged
dispatch          CaseDispatched  CaseRedispatched       case                   case        case        case     case    case    case
add_legs          case            LegsAdded              LegsAdded              case        case        case     case    case    case
sign              unknown_leg     LegSigned              -leg_handling          leg         leg         leg      case    case    case
feed_back         unknown_leg     -leg_assigned          LegFedBack             leg         leg         leg      case    case    case
request_return    unknown_leg     LegReturnRequested     LegReturnRequested     leg         leg         leg      case    case    case
uphold_return     unknown_leg     -leg_assigned          -leg_handling          leg         leg         leg      case    case    case
refuse_return     unknown_leg     -leg_assigned          -leg_handling          leg         leg         leg      case    case    case
rule              unknown_leg     returns_not_exhausted  returns_not_exhausted  leg         leg         leg      case    case    case
ask_extension     unknown_leg     -leg_assigned          LegExtensionRequested  leg         leg         leg      case    case    case
decide_extension  unknown_leg     -leg_assigned          no_extension_pending   leg         leg         leg      case    case    case
ask_suspension    unknown_leg     -leg_assigned          LegSuspensionRequested leg         leg         leg      case    case    case
endorse           unknown_leg     -leg_assigned          no_suspension_pending  leg         leg         leg      case    case    case
decide_suspension unknown_leg     -leg_assigned          no_suspension_pending  leg         leg         leg      case    case    case
resume            unknown_leg     -leg_assigned          -leg_handling          leg         leg         leg      case    case    case
send_back         unknown_leg     case                   -leg_handling          LegSentBack LegSentBack case     case    case    case
waive             unknown_leg     LegWaived              LegWaived              leg         leg         leg      case    case    case
order             unknown_leg     -leg_assigned          LegRectificationOrdered leg        leg         leg      case    case    case
claim             unknown_leg     -leg_assigned          -rectification_none    leg         leg         leg      case    case    case
reinspect         unknown_leg     -leg_assigned          -rectification_none    leg         leg         leg      case    case    case
enforce           unknown_leg     -leg_assigned          -rectification_none    leg         leg         leg      case    case    case
"""  # noqa: E501 - a table is read in lines
BY_LEG_STATE = """
                  assigned              handling               return_pending   suspended  fed_back    waived
sign              LegSigned             leg                    leg              leg        leg         leg
feed_back         leg                   LegFedBack             leg              leg        leg         leg
request_return    LegReturnRequested    LegReturnRequested     leg              leg        leg         leg
uphold_return     leg                   leg                    LegReturnUpheld  leg        leg         leg
refuse_return     leg                   leg                    LegReturnRefused leg        leg         leg
rule              returns_not_exhausted returns_not_exhausted  leg              leg        leg         leg
ask_extension     leg                   LegExtensionRequested  leg              leg        leg         leg
decide_extension  leg                   no_extension_pending   leg              leg        leg         leg
ask_suspension    leg                   LegSuspensionRequested leg              leg        leg         leg
endorse           leg                   no_suspension_pending  leg              leg        leg         leg
decide_suspension leg                   no_suspension_pending  leg              leg        leg         leg
resume            leg                   leg                    leg              LegResumed leg         leg
send_back         -case_dispatched      leg                    leg              leg        LegSentBack -case_dispatched
waive             LegWaived             LegWaived              LegWaived        LegWaived  leg         leg
order             leg                   LegRectificationOrdered leg             LegRectificationOrdered leg leg
claim             leg                   -rectification_none    leg              -rectification_none leg leg
reinspect         leg                   -rectification_none    leg              -rectification_none leg leg
enforce           leg                   -rectification_none    leg              -rectification_none leg leg
"""


def outcome(case: Case, command: str) -> str:
    decision = case.when(*COMMANDS[command])
    if isinstance(decision, Refusal):
        return decision.code
    (event,) = decision
    return type(event).__name__


@pytest.mark.parametrize("command,state,cell", cells(BY_CASE_STATE))
def test_every_command_has_one_outcome_in_every_state_of_the_case(command: str, state: str, cell: str) -> None:
    case = STAGES[state]()
    assert case.stage == state
    meant = {"case": f"-case_{state}", "leg": "-leg_fed_back"}.get(cell, cell)
    assert outcome(case, command) == meant.replace("-", "wrong_state_", 1)


@pytest.mark.parametrize("command,state,cell", cells(BY_LEG_STATE))
def test_every_act_on_a_leg_has_one_outcome_in_every_state_of_the_leg(command: str, state: str, cell: str) -> None:
    case = LEGS[state]()
    assert case.known.legs[1].state == state
    meant = f"-leg_{state}" if cell == "leg" else cell
    assert outcome(case, command) == meant.replace("-", "wrong_state_", 1)


def test_the_tables_leave_no_command_and_no_state_out() -> None:
    acts = [*COMMANDS.values(), *test_ends_table.COMMANDS.values()]
    on_legs = {name for name, (command, _actor) in COMMANDS.items() if isinstance(command, LegCommand)}
    assert {type(command) for command, _actor in acts} == set(TRANSITIONS)
    assert {command for command, _state, _cell in cells(BY_CASE_STATE)} == set(COMMANDS)
    assert {command for command, _state, _cell in cells(BY_LEG_STATE)} == on_legs
    assert {state for _command, state, _cell in cells(BY_CASE_STATE)} == set(CASE_STAGES)
    assert {state for _command, state, _cell in cells(BY_LEG_STATE)} == set(LEG_STAGES)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_refused_to_every_post_that_the_table_does_not_name(name: str) -> None:
    command, _entitled = COMMANDS[name]
    for actor in (DISPATCHER, COLLECTOR, DUTY_LEADER, LEADER, department(MARKET)):
        if actor.post not in TRANSITIONS[type(command)].posts:
            decision = opened().when(command, actor)
            assert isinstance(decision, Refusal), (name, actor.post)
            assert decision.code == "not_entitled_post"
