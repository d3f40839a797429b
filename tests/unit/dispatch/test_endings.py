"""How a case ends (closed, closed on papers, void), and how a closed one begins again."""

from datetime import timedelta

import pytest

from services.dispatch.domain.clocks import wakes
from shared.contracts.adjustments import CaseVoided
from shared.contracts.dispatch import CaseClosed
from shared.kernel.errors import Refusal
from tests.support.cases import (
    COLLECTOR,
    DISPATCHER,
    DUTY_LEADER,
    LEADER,
    MARKET,
    URBAN,
    actor,
    check_passed,
    checked,
    close,
    closed,
    department,
    facts,
    fed_back,
    feed_back,
    handled,
    leg_states,
    opened,
    refusal,
    rule,
    sign,
    signed,
    units_with_posts,
    waive,
)
from tests.support.ends import (
    STREET_OFFICE,
    all_done,
    approve_void,
    assign_check,
    close_on_papers,
    escalate,
    flagged,
    on_papers,
    propose_void,
    refuse_void,
    reopen,
    started,
    supervise,
    voided,
)


def test_a_case_closes_at_the_level_that_had_to_solve_it() -> None:
    (event,) = _happened(checked().when(close(), DUTY_LEADER))
    assert facts(event) == {"level": "city", "on_papers": False, "reason": None}


# ------------------------------------------------------------------------------------------------------- on papers


def test_a_category_that_leaves_nothing_on_site_closes_on_papers() -> None:
    case = on_papers()
    assert refusal(case.when(close(), DUTY_LEADER)) == "wrong_state_not_checked"
    (event,) = _happened(case.when(close_on_papers(), DUTY_LEADER))
    assert facts(event) == {"level": "city", "on_papers": True, "reason": "the certificate is here"}
    assert case.stage == "closed"


def test_closing_on_papers_says_on_which() -> None:
    assert refusal(on_papers().when(close_on_papers(None), DUTY_LEADER)) == "required"


def test_every_other_category_is_checked_on_site() -> None:
    assert refusal(handled().when(close_on_papers(), DUTY_LEADER)) == "site_check_required"


def test_a_check_that_was_ordered_decides_and_not_the_papers() -> None:
    case = on_papers().given((assign_check("supervision-centre"), DISPATCHER))
    assert refusal(case.when(close_on_papers(), DUTY_LEADER)) == "wrong_state_case_checking"
    case.given((check_passed(), COLLECTOR))
    assert refusal(case.when(close_on_papers(), DUTY_LEADER)) == "wrong_state_case_checked"
    case.given((close(), DUTY_LEADER))


def test_papers_open_no_leg() -> None:
    case = started(known=flagged(no_site_check=True)).given(*signed(1, 2, 3), *fed_back(2))
    assert refusal(case.when(close_on_papers(), DUTY_LEADER)) == "wrong_state_leg_open"


# ------------------------------------------------------------------------------------------------------------- void


def test_a_case_is_voided_by_another_than_who_proposed_it() -> None:
    case = opened().given((propose_void(), DUTY_LEADER))
    (event,) = _happened(case.when(approve_void(), LEADER))
    assert facts(event) == {"reason": "not_found", "ground": "nothing was there", "unmerges": []}
    assert case.stage == "voided"


def test_the_proposer_does_not_decide_in_another_post() -> None:
    case = opened().given((propose_void(), DUTY_LEADER))
    hat = actor("city-leadership", "leader", DUTY_LEADER.person)
    assert refusal(case.when(approve_void(), hat)) == "not_entitled_proposer"
    assert refusal(case.when(refuse_void(), hat)) == "not_entitled_proposer"


def test_a_program_that_names_no_person_does_not_decide_what_it_proposed() -> None:
    units = units_with_posts("supervision-centre", "duty_leader", "leader")
    case = started(units=units).given((propose_void(), actor("supervision-centre", "duty_leader")))
    assert refusal(case.when(approve_void(), actor("supervision-centre", "leader"))) == "not_entitled_proposer"


def test_a_refused_proposal_leaves_the_case_as_it_was_and_may_be_made_again() -> None:
    case = opened().given(*signed(1))
    clocks = case.known.handle_clock
    case.given((propose_void(), DUTY_LEADER), (refuse_void(), LEADER))
    assert (case.stage, case.known.void_proposal, case.known.handle_clock) == ("handling", None, clocks)
    case.given((propose_void(), DUTY_LEADER))
    assert refusal(case.when(propose_void(), DUTY_LEADER)) == "wrong_state_void_proposed"


def test_what_nobody_proposed_is_not_decided() -> None:
    assert refusal(opened().when(approve_void(), LEADER)) == "wrong_state_no_void_proposed"


def test_a_department_voids_nothing() -> None:
    assert refusal(opened().when(propose_void(), department(URBAN))) == "not_entitled_post"
    case = opened().given((propose_void(), DUTY_LEADER))
    assert refusal(case.when(approve_void(), department(URBAN))) == "not_entitled_post"


def test_what_was_fed_back_is_not_voided_any_more_but_a_proposal_can_be_refused() -> None:
    assert refusal(handled().when(propose_void(), DUTY_LEADER)) == "wrong_state_case_checking"
    case = all_done(opened().given((propose_void(), DUTY_LEADER)))
    assert refusal(case.when(approve_void(), LEADER)) == "wrong_state_case_checking"
    case.given((refuse_void(), LEADER))


def test_a_case_that_waits_for_a_dispatcher_can_be_voided() -> None:
    case = opened(rule("ghost", "no-such-unit"))
    assert case.stage == "filed"
    case.given((propose_void(), DUTY_LEADER), (approve_void(), LEADER))
    assert isinstance(case.events[-1], CaseVoided)


def test_in_a_voided_case_nothing_is_due_any_more() -> None:
    assert wakes(opened().known)
    assert not wakes(voided().known)
    assert not wakes(closed().known)


@pytest.mark.parametrize(
    "command,by",
    [
        (sign(1), department(URBAN)),
        (feed_back(1), department(URBAN)),
        (waive(2), LEADER),
        (check_passed(), COLLECTOR),
        (close(), DUTY_LEADER),
        (propose_void(), DUTY_LEADER),
        (approve_void(), LEADER),
        (reopen(), LEADER),
        (supervise(), LEADER),
        (escalate("city"), STREET_OFFICE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_later_act_on_a_voided_case_is_refused_by_name(command: object, by: object) -> None:
    decision = voided().when(command, by)  # type: ignore[arg-type]
    assert isinstance(decision, Refusal)
    assert decision.code == "wrong_state_case_voided"


# ----------------------------------------------------------------------------------------------------------- reopen


def test_a_closed_case_is_reopened_at_the_same_units_with_a_new_clock() -> None:
    case = closed()
    closed_at = case.now
    case.now += timedelta(days=20)
    (event,) = _happened(case.when(reopen(), DUTY_LEADER))
    said = facts(event)
    assert (said["legs"], said["ground"], said["reason"]) == ([1, 2, 3], "recurrence", "it is back")
    assert said["closed_at"] == closed_at.isoformat().replace("+00:00", "Z")
    assert case.stage == "handling"
    assert leg_states(case) == {1: "handling", 2: "handling", 3: "handling"}
    assert [leg.unit for leg in case.known.legs] == [URBAN, MARKET, "fire-rescue"]
    clock = case.known.handle_clock_of(case.known.legs[0])
    assert clock is not None
    assert (clock.started_at, clock.due_at) == (case.now, case.now + timedelta(hours=2))
    assert wakes(case.known)


def test_a_reopened_case_is_checked_again_before_it_closes_again() -> None:
    case = closed().given((reopen(), LEADER))
    assert (case.known.check, case.known.checked_by, case.known.closed_at) == (None, None, None)
    assert refusal(case.when(close(), DUTY_LEADER)) == "wrong_state_leg_open"
    case.given(*fed_back(2, 3, 1))
    assert refusal(case.when(close(), DUTY_LEADER)) == "wrong_state_not_checked"
    case.given((check_passed(), COLLECTOR), (close(), DUTY_LEADER))
    assert sum(isinstance(event, CaseClosed) for event in case.events) == 2


def test_one_leg_alone_can_be_reopened() -> None:
    case = closed().given((reopen(2), DUTY_LEADER))
    assert leg_states(case) == {1: "fed_back", 2: "handling", 3: "fed_back"}
    case.given(*fed_back(2))
    assert case.stage == "checking"


def test_a_leg_that_was_waived_is_not_reopened() -> None:
    case = opened().given(*signed(1, 2), (waive(3), LEADER), *fed_back(2, 1))
    case.given((check_passed(), COLLECTOR), (close(), DUTY_LEADER))
    assert refusal(case.when(reopen(3), LEADER)) == "leg_not_fed_back"
    case.given((reopen(), LEADER))
    assert leg_states(case) == {1: "handling", 2: "handling", 3: "waived"}


def test_thirty_days_after_its_closing_a_case_stays_closed() -> None:
    just_in_time, too_late = closed(), closed()
    just_in_time.now += timedelta(days=30) - timedelta(minutes=1)
    just_in_time.given((reopen(), LEADER))
    too_late.now += timedelta(days=30)
    assert refusal(too_late.when(reopen(), LEADER)) == "too_late"


def test_reopening_changes_the_revision_of_the_case_and_of_its_legs() -> None:
    case = closed()
    own, legs = case.known.revision, [leg.revision for leg in case.known.legs]
    case.given((reopen(2), LEADER))
    assert case.known.revision == own + 1
    assert [leg.revision for leg in case.known.legs] == [legs[0], legs[1] + 1, legs[2]]


def test_who_handled_it_does_not_reopen_it() -> None:
    case = started(units=units_with_posts(URBAN, "department", "leader"))
    all_done(case).given((check_passed(), COLLECTOR), (close(), DUTY_LEADER))
    assert refusal(case.when(reopen(), actor(URBAN, "leader"))) == "not_entitled_handler"


def _happened(decision: object) -> list[CaseClosed]:
    assert isinstance(decision, list), decision
    return decision
