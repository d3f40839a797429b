"""For every refusal of an act the case, and what is asked of it by whom, that gets it."""

from collections.abc import Callable
from datetime import timedelta

import msgspec

from services.dispatch.domain.commands import ActorCommand
from services.dispatch.domain.merging import AdmitMerge
from shared.contracts.common import Actor
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
    uphold_not_needed,
)
from tests.support.cases import (
    CASE_ID,
    COLLECTOR,
    DISPATCHER,
    DUTY_LEADER,
    FIRE,
    LEADER,
    MARKET,
    NOON,
    POLICE,
    SYSTEM,
    URBAN,
    Case,
    actor,
    check_failed,
    check_passed,
    checked,
    close,
    closed,
    department,
    dispatch_by_hand,
    feed_back,
    handled,
    open_case,
    opened,
    refuse_return,
    request_return,
    signed,
    uphold,
    waive,
)
from tests.support.ends import (
    CHECKING_STREETS,
    EVALUATOR,
    INSPECTOR,
    OTHER_ID,
    OTHER_STREET_OFFICE,
    all_done,
    answer_supervision,
    appeal,
    approve_void,
    assign_check,
    close_on_papers,
    closed_late,
    escalate,
    flagged,
    merge,
    merging,
    on_papers,
    propose_void,
    reopen,
    started,
    supervise,
    uphold_appeal,
)
from tests.support.lawful import ordered, reinspect

UNTIL = NOON + timedelta(days=100)
OF_MARKET = department(MARKET)

Reached = tuple[str, Callable[[], Case], ActorCommand, Actor]


def handling() -> Case:
    return opened().given(*signed(1, 2, 3))


def clockless() -> Case:
    """A case of before there were clocks."""
    case = handling()
    case.state = msgspec.structs.replace(case.known, sign_clock=None, handle_clock=None)
    return case


def late(case: Case) -> Case:
    case.now += timedelta(hours=3)
    return case


def asked_return() -> Case:
    return opened().given((request_return(2), OF_MARKET))


def twice_returned() -> Case:
    case = opened()
    for _time in range(2):
        case.given((request_return(2), OF_MARKET), (refuse_return(2), DUTY_LEADER))
    return case


def ruled() -> Case:
    return twice_returned().given((rule_leg(2, MARKET), LEADER))


def unsigned_and_ruled() -> Case:
    """Every leg of it is still to be signed."""
    case = twice_returned().given((rule_leg(2, POLICE), LEADER))
    assert case.stage == "dispatched"
    return case


def extended_twice() -> Case:
    case = handling().given((ask_extension(2), OF_MARKET), (decide_extension(2), DUTY_LEADER))
    return case.given((ask_extension(2), OF_MARKET), (decide_extension(2), LEADER))


def asked_extension() -> Case:
    return handling().given((ask_extension(2, engineering=True), OF_MARKET))


def asked_suspension() -> Case:
    return handling().given((ask_suspension(2, UNTIL), OF_MARKET))


def endorsed() -> Case:
    return asked_suspension().given((endorse(2), DISPATCHER))


def endorsed_until_it_passed() -> Case:
    case = endorsed()
    case.now = UNTIL + timedelta(days=1)
    return case


def suspended_before() -> Case:
    case = endorsed().given((decide_suspension(2), LEADER))
    return case.given((resume(2), OF_MARKET))


def leaderless() -> Case:
    """A state that no events make: two leads."""
    case = checked()
    legs = tuple(msgspec.structs.replace(leg, role="lead") for leg in case.known.legs)
    case.state = msgspec.structs.replace(case.known, legs=legs)
    return case


def proposed() -> Case:
    return opened().given((propose_void(), DUTY_LEADER))


def proposed_and(*, check: bool = False, unchecked: bool = False) -> Case:
    case = (Case(known=flagged(no_site_check=True)) if unchecked else Case()).given((open_case(), SYSTEM))
    case.given((propose_void(), DUTY_LEADER), *signed(1, 2, 3))
    case.given((feed_back(2), OF_MARKET), (feed_back(3), department(FIRE)), (feed_back(1), department(URBAN)))
    return case.given((check_passed(), COLLECTOR)) if check else case


def long_closed() -> Case:
    case = closed()
    case.now += timedelta(days=31)
    return case


def supervised() -> Case:
    return opened().given((supervise(), INSPECTOR))


def appealed() -> Case:
    return closed_late(2).given((appeal(2), OF_MARKET))


def carrying() -> Case:
    """A case into which another one is merged."""
    return opened().given((AdmitMerge(case_id=CASE_ID, merged=OTHER_ID), SYSTEM))


def at_the_grid() -> Case:
    """A case that the grid has to solve."""
    case = opened()
    case.state = msgspec.structs.replace(case.known, level="grid")
    return case


REACHED: tuple[Reached, ...] = (
    ("unknown_unit", opened, dispatch_by_hand("no-such-unit"), DISPATCHER),
    ("unit_has_leg", opened, dispatch_by_hand(FIRE, (FIRE,)), DISPATCHER),
    ("invalid", opened, dispatch_by_hand("no-such-unit", (FIRE, FIRE)), DISPATCHER),
    ("nothing_changes", opened, dispatch_by_hand(URBAN, (MARKET, FIRE)), DISPATCHER),
    ("already_ruled", unsigned_and_ruled, dispatch_by_hand(FIRE), DISPATCHER),
    ("required", opened, add_legs(), DISPATCHER),
    ("unknown_unit", opened, add_legs("no-such-unit"), DISPATCHER),
    ("unit_has_leg", opened, add_legs(FIRE), DISPATCHER),
    ("invalid", opened, add_legs(FIRE, "no-such-unit"), DISPATCHER),
    ("wrong_state_support_open", handling, feed_back(1), department(URBAN)),
    ("already_ruled", ruled, request_return(2), OF_MARKET),
    ("returns_exhausted", twice_returned, request_return(2), OF_MARKET),
    ("overdue", lambda: late(opened()), request_return(2), OF_MARKET),
    ("not_expected", asked_return, refuse_return(2, to_unit=POLICE), DUTY_LEADER),
    ("required", asked_return, uphold(2, None), DUTY_LEADER),
    ("unknown_unit", asked_return, uphold(2, "no-such-unit"), DUTY_LEADER),
    ("unit_has_leg", asked_return, uphold(2, FIRE), DUTY_LEADER),
    (
        "void_needed",
        lambda: opened().given((no_handling_needed(1), department(URBAN))),
        uphold_not_needed(1),
        DUTY_LEADER,
    ),
    ("already_ruled", ruled, rule_leg(2, POLICE), LEADER),
    ("returns_not_exhausted", opened, rule_leg(2, POLICE), LEADER),
    ("unknown_unit", twice_returned, rule_leg(2, "no-such-unit"), LEADER),
    ("unit_has_leg", twice_returned, rule_leg(2, FIRE), LEADER),
    ("no_clock", clockless, ask_extension(2), OF_MARKET),
    ("extensions_exhausted", extended_twice, ask_extension(2), OF_MARKET),
    ("extension_pending", asked_extension, ask_extension(2), OF_MARKET),
    ("suspension_pending", asked_suspension, ask_extension(2), OF_MARKET),
    ("overdue", lambda: late(handling()), ask_extension(2), OF_MARKET),
    ("no_extension_pending", handling, decide_extension(2), DUTY_LEADER),
    ("not_entitled_post", asked_extension, decide_extension(2), DUTY_LEADER),
    ("no_clock", clockless, ask_suspension(2, UNTIL), OF_MARKET),
    ("suspended_before", suspended_before, ask_suspension(2, UNTIL), OF_MARKET),
    ("extension_pending", asked_extension, ask_suspension(2, UNTIL), OF_MARKET),
    ("suspension_pending", asked_suspension, ask_suspension(2, UNTIL), OF_MARKET),
    ("until_not_future", handling, ask_suspension(2, NOON), OF_MARKET),
    ("until_too_far", handling, ask_suspension(2, NOON + timedelta(days=400)), OF_MARKET),
    ("no_suspension_pending", handling, endorse(2), DISPATCHER),
    ("already_endorsed", endorsed, endorse(2), DISPATCHER),
    ("no_suspension_pending", handling, decide_suspension(2), LEADER),
    ("not_endorsed", asked_suspension, decide_suspension(2), LEADER),
    ("until_passed", endorsed_until_it_passed, decide_suspension(2), LEADER),
    ("lead_not_waivable", opened, waive(1), DUTY_LEADER),
    ("limit_not_over", ordered, reinspect(2), OF_MARKET),
    ("wrong_state_not_supervised", opened, answer_supervision(2), OF_MARKET),
    (
        "wrong_state_supervision_answered",
        lambda: supervised().given((answer_supervision(2), OF_MARKET)),
        answer_supervision(2),
        OF_MARKET,
    ),
    ("wrong_state_already_appealed", appealed, appeal(2), OF_MARKET),
    ("wrong_state_not_overdue", closed, appeal(2), OF_MARKET),
    ("wrong_state_no_appeal", closed, uphold_appeal(2), EVALUATOR),
    (
        "not_entitled_reviewer",
        lambda: appealed().given((uphold_appeal(2), EVALUATOR)),
        uphold_appeal(2),
        EVALUATOR,
    ),
    ("no_checker", handled, assign_check(FIRE), DISPATCHER),
    ("already_assigned", handled, assign_check("supervision-centre"), DISPATCHER),
    (
        "not_entitled_other_unit",
        lambda: all_done(started(units=CHECKING_STREETS)),
        check_passed(),
        COLLECTOR,
    ),
    ("not_expected", handled, check_passed(rework=(2,)), COLLECTOR),
    ("required", handled, check_failed(2, reason=None), COLLECTOR),
    ("leg_not_fed_back", handled, check_failed(4), COLLECTOR),
    ("invalid", handled, check_failed(4, reason=None), COLLECTOR),
    ("site_check_required", checked, close_on_papers(), DUTY_LEADER),
    ("wrong_state_no_single_lead", leaderless, close(), DUTY_LEADER),
    ("wrong_state_leg_open", opened, close(), DUTY_LEADER),
    ("wrong_state_reinspection_open", ordered, close(), DUTY_LEADER),
    ("wrong_state_not_checked", on_papers, close(), DUTY_LEADER),
    ("required", on_papers, close_on_papers(None), DUTY_LEADER),
    (
        "wrong_state_case_checking",
        lambda: on_papers().given((assign_check("supervision-centre"), DISPATCHER)),
        close_on_papers(),
        DUTY_LEADER,
    ),
    (
        "wrong_state_case_checked",
        lambda: on_papers().given((assign_check("supervision-centre"), DISPATCHER), (check_passed(), COLLECTOR)),
        close_on_papers(),
        DUTY_LEADER,
    ),
    ("wrong_state_void_proposed", proposed, propose_void(), DUTY_LEADER),
    ("wrong_state_no_void_proposed", opened, approve_void(), LEADER),
    ("not_entitled_proposer", proposed, approve_void(), actor("city-leadership", "leader", "leader-1")),
    ("wrong_state_case_feedback", lambda: proposed_and(unchecked=True), approve_void(), LEADER),
    ("wrong_state_case_checking", proposed_and, approve_void(), LEADER),
    ("wrong_state_case_checked", lambda: proposed_and(check=True), approve_void(), LEADER),
    ("too_late", long_closed, reopen(), DUTY_LEADER),
    ("leg_not_fed_back", closed, reopen(9), DUTY_LEADER),
    ("invalid", closed, reopen(8, 9), DUTY_LEADER),
    ("in_the_past", opened, supervise(reply_by=NOON - timedelta(days=1)), INSPECTOR),
    ("not_entitled_other_street", lambda: started(units=CHECKING_STREETS), escalate("city"), OTHER_STREET_OFFICE),
    ("not_upwards", opened, escalate("street"), DUTY_LEADER),
    ("level_jump", at_the_grid, escalate("city"), DUTY_LEADER),
    ("same_case", opened, merge(CASE_ID), DUTY_LEADER),
    (
        "wrong_state_carries_others",
        carrying,
        merge(),
        DUTY_LEADER,
    ),
    ("wrong_state_merging", merging, merge(OTHER_ID), DUTY_LEADER),
    ("wrong_state_reinspection_open", ordered, merge(), DUTY_LEADER),
)
"""The refusal, the case, and what is asked of it by whom."""
