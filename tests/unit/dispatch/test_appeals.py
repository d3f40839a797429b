"""申诉: only for a leg that is overdue, once, after the closing, by two reviewers; the overdue fact stays."""

from shared.contracts.clocks import ClockBreached
from tests.support.cases import (
    COLLECTOR,
    DUTY_LEADER,
    LEADER,
    MARKET,
    URBAN,
    actor,
    check_passed,
    close,
    closed,
    department,
    facts,
    fed_back,
    opened,
    refusal,
    signed,
    units_with_posts,
)
from tests.support.ends import EVALUATOR, appeal, closed_late, reject_appeal, reopen, started, uphold_appeal


def test_a_unit_appeals_for_its_overdue_leg_after_the_closing() -> None:
    case = closed_late(2)
    events = case.when(appeal(2), department(MARKET))
    assert isinstance(events, list)
    assert facts(events[0]) == {"leg": 2, "unit": MARKET, "ground": "the road was closed"}


def test_a_leg_that_was_in_time_has_nothing_to_appeal_against() -> None:
    assert refusal(closed_late(2).when(appeal(3), department("fire-rescue"))) == "wrong_state_not_overdue"
    assert refusal(closed().when(appeal(2), department(MARKET))) == "wrong_state_not_overdue"


def test_before_the_closing_nobody_appeals() -> None:
    case = opened().given(*signed(1, 2, 3))
    assert refusal(case.when(appeal(2), department(MARKET))) == "wrong_state_case_handling"


def test_a_unit_appeals_for_its_own_leg_alone_and_once() -> None:
    case = closed_late(2)
    assert refusal(case.when(appeal(2), department(URBAN))) == "not_entitled_other_leg"
    case.given((appeal(2), department(MARKET)))
    assert refusal(case.when(appeal(2), department(MARKET))) == "wrong_state_already_appealed"
    case.given((reject_appeal(2), EVALUATOR))
    assert refusal(case.when(appeal(2), department(MARKET))) == "wrong_state_already_appealed"


def test_it_takes_two_persons_to_uphold_an_appeal() -> None:
    case = closed_late(2).given((appeal(2), department(MARKET)))
    first = case.when(uphold_appeal(2), EVALUATOR)
    assert isinstance(first, list)
    assert facts(first[0])["decision"] is None
    assert refusal(case.when(uphold_appeal(2), EVALUATOR)) == "not_entitled_reviewer"
    second = case.when(uphold_appeal(2), LEADER)
    assert isinstance(second, list)
    assert facts(second[0]) == {
        "leg": 2,
        "unit": MARKET,
        "upheld": True,
        "reason": "so it was",
        "decision": "upheld",
    }
    assert refusal(case.when(uphold_appeal(2), LEADER)) == "wrong_state_no_appeal"


def test_the_first_reviewer_does_not_come_again_in_another_post() -> None:
    case = closed_late(2).given((appeal(2), department(MARKET)), (uphold_appeal(2), EVALUATOR))
    assert refusal(case.when(uphold_appeal(2), actor("city-leadership", "leader", EVALUATOR.person))) == (
        "not_entitled_reviewer"
    )


def test_one_reviewer_who_rejects_is_enough_as_the_first_or_the_second() -> None:
    for upheld_before in (False, True):
        case = closed_late(2).given((appeal(2), department(MARKET)))
        if upheld_before:
            case.given((uphold_appeal(2), LEADER))
        events = case.when(reject_appeal(2), EVALUATOR)
        assert isinstance(events, list)
        assert facts(events[0])["decision"] == "rejected"


def test_what_nobody_appealed_against_is_not_reviewed() -> None:
    assert refusal(closed_late(2).when(uphold_appeal(2), EVALUATOR)) == "wrong_state_no_appeal"


def test_who_handled_the_case_reviews_nothing() -> None:
    case = started(units=units_with_posts(URBAN, "department", "evaluator")).given(*signed(1, 2, 3))
    case.now = closed_late(2).now
    case.given(*fed_back(2, 3, 1), (check_passed(), COLLECTOR), (close(), DUTY_LEADER))
    case.given((appeal(2), department(MARKET)))
    assert refusal(case.when(uphold_appeal(2), actor(URBAN, "evaluator"))) == "not_entitled_handler"


def test_the_overdue_fact_stays_whatever_becomes_of_the_appeal() -> None:
    case = closed_late(2).given((appeal(2), department(MARKET)))
    overdue_at = case.known.legs[1].overdue_at
    assert overdue_at is not None
    case.given((uphold_appeal(2), EVALUATOR), (uphold_appeal(2), LEADER))
    assert case.known.legs[1].overdue_at == overdue_at
    assert any(isinstance(event, ClockBreached) and event.leg == 2 for event in case.events)


def test_an_appeal_is_no_change_of_the_case_s_own_part() -> None:
    case = closed_late(2)
    own = case.known.revision
    case.given((appeal(2), department(MARKET)), (reject_appeal(2), LEADER))
    assert (case.stage, case.known.revision) == ("closed", own)


def test_a_reopened_case_does_not_make_an_appeal_possible_again() -> None:
    case = closed_late(2).given((appeal(2), department(MARKET)), (reject_appeal(2), LEADER), (reopen(2), LEADER))
    assert refusal(case.when(uphold_appeal(2), EVALUATOR)) == "wrong_state_case_handling"
    case.given(*fed_back(2), (check_passed(), COLLECTOR), (close(), DUTY_LEADER))
    assert refusal(case.when(appeal(2), department(MARKET))) == "wrong_state_already_appealed"
