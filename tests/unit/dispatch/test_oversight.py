"""督办 and 升级: who may, when, and what becomes of it."""

from datetime import timedelta

import pytest

from shared.contracts.common import Level
from tests.support.cases import (
    COLLECTOR,
    DUTY_LEADER,
    FIRE,
    LEADER,
    MARKET,
    NOON,
    URBAN,
    check_passed,
    checked,
    close,
    closed,
    department,
    facts,
    fed_back,
    opened,
    refusal,
    signed,
)
from tests.support.ends import (
    CHECKING_STREETS,
    INSPECTOR,
    OTHER_STREET_OFFICE,
    STREET_OFFICE,
    answer_supervision,
    escalate,
    flagged,
    started,
    supervise,
)

# -------------------------------------------------------------------------------------------------------- supervise


def test_an_inspector_supervises_and_each_unit_answers_once() -> None:
    case = opened()
    reply_by = NOON + timedelta(days=1)
    case.given((supervise(reply_by=reply_by), INSPECTOR))
    assert case.known.supervision is not None
    assert (case.known.supervision.reason, case.known.supervision.reply_by) == ("important", reply_by)
    case.given((answer_supervision(2), department(MARKET)), (answer_supervision(3), department(FIRE)))
    assert case.known.supervision.answered == (2, 3)
    assert refusal(case.when(answer_supervision(2), department(MARKET))) == "wrong_state_supervision_answered"


def test_an_answer_names_its_unit_and_is_that_unit_s_own() -> None:
    case = opened().given((supervise(), LEADER))
    assert refusal(case.when(answer_supervision(2), department(URBAN))) == "not_entitled_other_leg"
    events = case.when(answer_supervision(2), department(MARKET))
    assert isinstance(events, list)
    assert facts(events[0]) == {"leg": 2, "unit": MARKET, "answer": "under way"}


def test_an_answer_is_a_change_of_the_leg_and_not_of_the_case() -> None:
    case = opened().given((supervise(), LEADER))
    own, leg = case.known.revision, case.known.legs[1].revision
    case.given((answer_supervision(2), department(MARKET)))
    assert (case.known.revision, case.known.legs[1].revision) == (own, leg + 1)


def test_a_later_supervision_wants_answers_of_its_own() -> None:
    case = opened().given((supervise(), LEADER), (answer_supervision(2), department(MARKET)))
    case.given((supervise(), INSPECTOR), (answer_supervision(2), department(MARKET)))


def test_what_nobody_supervises_is_not_answered() -> None:
    assert refusal(opened().when(answer_supervision(2), department(MARKET))) == "wrong_state_not_supervised"


def test_an_answer_is_wanted_by_an_instant_that_is_to_come() -> None:
    assert refusal(opened().when(supervise(reply_by=NOON), INSPECTOR)) == "in_the_past"


def test_only_who_supervises_supervises() -> None:
    assert refusal(opened().when(supervise(), DUTY_LEADER)) == "not_entitled_post"
    assert refusal(opened().when(supervise(), department(URBAN))) == "not_entitled_post"


def test_what_is_closed_is_not_supervised() -> None:
    assert refusal(closed().when(supervise(), INSPECTOR)) == "wrong_state_case_closed"
    checked().given((supervise(), INSPECTOR))


# --------------------------------------------------------------------------------------------------------- escalate


def test_a_case_starts_at_the_level_of_its_rule_and_closes_where_it_was_solved() -> None:
    case = started(known=flagged(level="community"))
    assert case.known.level == "community"
    case.given((escalate("street"), DUTY_LEADER), *signed(1, 2, 3), *fed_back(2, 3, 1))
    case.given((check_passed(), COLLECTOR), (close(), DUTY_LEADER))
    assert facts(case.events[-1])["level"] == "street"


def test_a_street_escalates_its_own_case_with_a_reason() -> None:
    case = started(known=flagged(level="street"))
    events = case.when(escalate("city"), STREET_OFFICE)
    assert isinstance(events, list)
    assert facts(events[0]) == {"from_level": "street", "to_level": "city", "reason": "no power here"}
    assert case.known.level == "city"


def test_a_street_escalates_no_case_of_another_street() -> None:
    case = started(known=flagged(level="street"), units=CHECKING_STREETS)
    assert refusal(case.when(escalate("city"), OTHER_STREET_OFFICE)) == "not_entitled_other_street"


@pytest.mark.parametrize("to_level", ["street", "community", "grid"])
def test_a_case_only_goes_up(to_level: Level) -> None:
    case = started(known=flagged(level="street"))
    assert refusal(case.when(escalate(to_level), DUTY_LEADER)) == "not_upwards"


def test_a_case_goes_up_one_level_at_a_time() -> None:
    case = started(known=flagged(level="grid"))
    assert refusal(case.when(escalate("city"), DUTY_LEADER)) == "level_jump"
    assert refusal(case.when(escalate("street"), DUTY_LEADER)) == "level_jump"
    case.given((escalate("community"), DUTY_LEADER), (escalate("street"), DUTY_LEADER), (escalate("city"), DUTY_LEADER))


def test_a_matter_of_safety_may_jump() -> None:
    case = started(known=flagged(level="grid", safety=True)).given((escalate("city"), DUTY_LEADER))
    assert case.known.level == "city"


def test_only_streets_and_the_duty_leader_escalate() -> None:
    case = started(known=flagged(level="street"))
    assert refusal(case.when(escalate("city"), department(URBAN))) == "not_entitled_post"
    assert refusal(case.when(escalate("city"), LEADER)) == "not_entitled_post"
