"""Who must act next, in every state of a case and of a leg, written by hand."""

from collections.abc import Callable

import pytest

from services.dispatch.domain.awaiting import awaiting
from services.dispatch.domain.case import CASE_STAGES
from tests.support.adjusting import (
    all_signed,
    ask_extension,
    ask_suspension,
    decide_extension,
    decide_suspension,
    endorse,
    rule_leg,
    utc,
)
from tests.support.cases import (
    COLLECTOR,
    DISPATCHER,
    DUTY_LEADER,
    FIRE,
    LEADER,
    MARKET,
    POLICE,
    URBAN,
    Case,
    check_failed,
    department,
    fed_back,
    handled,
    opened,
    refuse_return,
    request_return,
    signed,
    waive,
)
from tests.support.ends import (
    EVALUATOR,
    INSPECTOR,
    STAGES,
    answer_supervision,
    appeal,
    closed_late,
    propose_void,
    reject_appeal,
    supervise,
    uphold_appeal,
)
from tests.support.lawful import claimed, cleared, enforced, not_cleared, ordered

Line = tuple[str, str, str | None, int | None]

SIGN_ALL: list[Line] = [
    ("sign", "department", URBAN, 1),
    ("sign", "department", MARKET, 2),
    ("sign", "department", FIRE, 3),
]
HANDLE_ALL: list[Line] = [
    ("feed_back", "department", URBAN, 1),
    ("feed_back", "department", MARKET, 2),
    ("feed_back", "department", FIRE, 3),
]
AND_LOOK_AGAIN: list[Line] = [HANDLE_ALL[0], ("reinspect", "department", MARKET, 2), HANDLE_ALL[2]]
SPRING = utc("2027-04-01 00:00")

BY_STAGE: dict[str, list[Line]] = {
    "filed": [("dispatch", "dispatcher", None, None)],
    "dispatched": SIGN_ALL,
    "handling": HANDLE_ALL,
    "feedback": [("assign_check", "dispatcher", None, None), ("close", "duty_leader", None, None)],
    "checking": [("check", "collector", "supervision-centre", None)],
    "checked": [("close", "duty_leader", None, None)],
    "closed": [],
    "voided": [],
    "merged": [],
}


def lines(case: Case) -> list[Line]:
    return [(one.expected, one.post, one.unit, one.leg) for one in awaiting(case.known)]


def test_the_table_has_every_state() -> None:
    assert BY_STAGE.keys() == set(CASE_STAGES)


@pytest.mark.parametrize("stage", CASE_STAGES)
def test_somebody_is_awaited_in_every_state_that_goes_on(stage: str) -> None:
    case = STAGES[stage]()
    assert case.stage == stage
    assert lines(case) == BY_STAGE[stage]


def handling() -> Case:
    return opened().given(*signed(1, 2, 3))


def suspended() -> Case:
    return all_signed().given(
        (ask_suspension(3, SPRING), department(FIRE)), (endorse(3), DISPATCHER), (decide_suspension(3), LEADER)
    )


ON_ONE_LEG: dict[str, tuple[Callable[[], Case], list[Line]]] = {
    "a return that nobody has decided": (
        lambda: handling().given((request_return(3), department(FIRE))),
        [*HANDLE_ALL[:2], ("decide_return", "duty_leader", None, 3)],
    ),
    "two returns that were decided": (
        lambda: handling().given(
            (request_return(3), department(FIRE)),
            (refuse_return(3), DUTY_LEADER),
            (request_return(3), department(FIRE)),
            (refuse_return(3), DUTY_LEADER),
        ),
        [*HANDLE_ALL, ("rule_leg", "leader", None, 3)],
    ),
    "a ruling": (
        lambda: handling().given(
            (request_return(3), department(FIRE)),
            (refuse_return(3), DUTY_LEADER),
            (request_return(3), department(FIRE)),
            (refuse_return(3), DUTY_LEADER),
            (rule_leg(3, POLICE), LEADER),
        ),
        [*HANDLE_ALL[:2], ("sign", "department", POLICE, 3)],
    ),
    "a first extension": (
        lambda: all_signed().given((ask_extension(3), department(FIRE))),
        [*HANDLE_ALL, ("decide_extension", "duty_leader", None, 3)],
    ),
    "an extension for engineering work": (
        lambda: all_signed().given((ask_extension(3, engineering=True), department(FIRE))),
        [*HANDLE_ALL, ("decide_extension", "leader", None, 3)],
    ),
    "a second extension": (
        lambda: all_signed().given(
            (ask_extension(3), department(FIRE)),
            (decide_extension(3), DUTY_LEADER),
            (ask_extension(3), department(FIRE)),
        ),
        [*HANDLE_ALL, ("decide_extension", "leader", None, 3)],
    ),
    "a suspension that nobody has looked at": (
        lambda: all_signed().given((ask_suspension(3, SPRING), department(FIRE))),
        [*HANDLE_ALL, ("endorse_suspension", "dispatcher", None, 3)],
    ),
    "a suspension that was endorsed": (
        lambda: all_signed().given((ask_suspension(3, SPRING), department(FIRE)), (endorse(3), DISPATCHER)),
        [*HANDLE_ALL, ("decide_suspension", "leader", None, 3)],
    ),
    "a leg on the books": (suspended, HANDLE_ALL[:2]),
    "a leg that was fed back": (lambda: handling().given(*fed_back(3)), HANDLE_ALL[:2]),
    "a leg that was waived": (lambda: handling().given((waive(3), LEADER)), HANDLE_ALL[:2]),
    "a leg to be reworked": (lambda: handled().given((check_failed(2), COLLECTOR)), [HANDLE_ALL[1]]),
    "a supervision": (
        lambda: handling().given(
            (waive(2), LEADER), (supervise(), INSPECTOR), (answer_supervision(1), department(URBAN))
        ),
        [
            ("feed_back", "department", URBAN, 1),
            ("feed_back", "department", FIRE, 3),
            ("answer_supervision", "department", FIRE, 3),
        ],
    ),
    "an order whose party still has time": (ordered, [HANDLE_ALL[0], HANDLE_ALL[2]]),
    "an order at once": (lambda: ordered(None), AND_LOOK_AGAIN),
    "a party that says it is done": (claimed, AND_LOOK_AGAIN),
    "an enforcement": (enforced, AND_LOOK_AGAIN),
    "a re-inspection that was not passed": (
        not_cleared,
        [HANDLE_ALL[0], ("order_or_enforce", "department", MARKET, 2), HANDLE_ALL[2]],
    ),
    "a re-inspection that was passed": (cleared, HANDLE_ALL),
    "a proposal to void": (
        lambda: handling().given((propose_void(), DUTY_LEADER)),
        [("decide_void", "leader", None, None), *HANDLE_ALL],
    ),
}


@pytest.mark.parametrize("what", ON_ONE_LEG)
def test_what_is_asked_for_awaits_who_decides_it(what: str) -> None:
    make, expected = ON_ONE_LEG[what]
    assert lines(make()) == expected


def test_an_appeal_on_a_closed_case_awaits_two_reviewers_until_it_is_decided() -> None:
    reviewers: list[Line] = [("review_appeal", "evaluator", None, 1), ("review_appeal", "leader", None, 1)]
    case = closed_late(1).given((appeal(1), department(URBAN)))
    assert lines(case) == reviewers
    assert lines(case.given((uphold_appeal(1), EVALUATOR))) == reviewers
    assert lines(case.given((reject_appeal(1), LEADER))) == []
