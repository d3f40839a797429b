"""Every command in every state: the events that it makes, or the refusal by name. Written by hand, not computed."""

from collections.abc import Callable

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
    checked,
    closed,
    department,
    dispatch_by_hand,
    fed_back,
    feed_back,
    handled,
    opened,
    refuse_return,
    request_return,
    rule,
    sign,
    signed,
    uphold,
    waive,
)
from tests.support.tables import cells
from tests.unit.dispatch import test_ends_table

CASES: dict[str, Callable[[], Case]] = {
    "filed": lambda: opened(rule("ghost", "no-such-unit")),
    "dispatched": opened,
    "handling": lambda: opened().given(*signed(1, 2, 3)),
    "checking": handled,
    "checked": checked,
    "closed": closed,
}
LEGS: dict[str, Callable[[], Case]] = {
    "assigned": opened,
    "handling": lambda: opened().given(*signed(2)),
    "return_pending": lambda: opened().given((request_return(2), department(MARKET))),
    "fed_back": lambda: opened().given(*signed(2), *fed_back(2)),
    "waived": lambda: opened().given((waive(2), LEADER)),
}
COMMANDS: dict[str, tuple[ActorCommand, Actor]] = {
    "dispatch": (dispatch_by_hand(), DISPATCHER),
    "sign": (sign(2), department(MARKET)),
    "feed_back": (feed_back(2), department(MARKET)),
    "request_return": (request_return(2), department(MARKET)),
    "uphold_return": (uphold(2), DUTY_LEADER),
    "refuse_return": (refuse_return(2), DUTY_LEADER),
    "waive": (waive(2), LEADER),
}

BY_CASE_STATE = """
                filed                 dispatched                 handling                  checking                  checked                  closed
dispatch        CaseDispatched        CaseRedispatched           wrong_state_case_handling wrong_state_case_checking wrong_state_case_checked wrong_state_case_closed
sign            unknown_leg           LegSigned                  wrong_state_leg_handling  wrong_state_leg_fed_back  wrong_state_leg_fed_back wrong_state_case_closed
feed_back       unknown_leg           wrong_state_leg_assigned   LegFedBack                wrong_state_leg_fed_back  wrong_state_leg_fed_back wrong_state_case_closed
request_return  unknown_leg           LegReturnRequested         LegReturnRequested        wrong_state_leg_fed_back  wrong_state_leg_fed_back wrong_state_case_closed
uphold_return   unknown_leg           wrong_state_leg_assigned   wrong_state_leg_handling  wrong_state_leg_fed_back  wrong_state_leg_fed_back wrong_state_case_closed
refuse_return   unknown_leg           wrong_state_leg_assigned   wrong_state_leg_handling  wrong_state_leg_fed_back  wrong_state_leg_fed_back wrong_state_case_closed
waive           unknown_leg           LegWaived                  LegWaived                 wrong_state_leg_fed_back  wrong_state_leg_fed_back wrong_state_case_closed
"""  # noqa: E501 - a table is read in lines
BY_LEG_STATE = """
                assigned                  handling                  return_pending             fed_back                  waived
sign            LegSigned                 wrong_state_leg_handling  wrong_state_leg_return_pending wrong_state_leg_fed_back wrong_state_leg_waived
feed_back       wrong_state_leg_assigned  LegFedBack                wrong_state_leg_return_pending wrong_state_leg_fed_back wrong_state_leg_waived
request_return  LegReturnRequested        LegReturnRequested        wrong_state_leg_return_pending wrong_state_leg_fed_back wrong_state_leg_waived
uphold_return   wrong_state_leg_assigned  wrong_state_leg_handling  LegReturnUpheld            wrong_state_leg_fed_back  wrong_state_leg_waived
refuse_return   wrong_state_leg_assigned  wrong_state_leg_handling  LegReturnRefused           wrong_state_leg_fed_back  wrong_state_leg_waived
waive           LegWaived                 LegWaived                 LegWaived                  wrong_state_leg_fed_back  wrong_state_leg_waived
"""  # noqa: E501 - a table is read in lines


def outcome(case: Case, command: str) -> str:
    decision = case.when(*COMMANDS[command])
    if isinstance(decision, Refusal):
        return decision.code
    (event,) = decision
    return type(event).__name__


@pytest.mark.parametrize("command,state,expected", cells(BY_CASE_STATE))
def test_every_command_has_one_outcome_in_every_state_of_the_case(command: str, state: str, expected: str) -> None:
    case = CASES[state]()
    assert case.stage == state
    assert outcome(case, command) == expected


@pytest.mark.parametrize("command,state,expected", cells(BY_LEG_STATE))
def test_every_act_on_a_leg_has_one_outcome_in_every_state_of_the_leg(command: str, state: str, expected: str) -> None:
    case = LEGS[state]()
    assert case.known.legs[1].state == state
    assert outcome(case, command) == expected


def test_the_tables_leave_no_command_out() -> None:
    acts = [*COMMANDS.values(), *test_ends_table.COMMANDS.values()]
    assert {type(command) for command, _actor in acts} == set(TRANSITIONS)
    assert {command for command, _state, _cell in cells(BY_CASE_STATE)} == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_refused_to_every_post_that_the_table_does_not_name(name: str) -> None:
    command, entitled = COMMANDS[name]
    for actor in (DISPATCHER, COLLECTOR, DUTY_LEADER, LEADER, department("ghost-office"), department(MARKET)):
        if actor.post in TRANSITIONS[type(command)].posts:
            continue
        case = LEGS["return_pending"]() if "return" in name else opened()
        decision = case.when(command, actor)
        assert isinstance(decision, Refusal), (name, actor.post, entitled)
        assert decision.code.startswith("not_entitled")
