"""The life of a case as given / when / then over its events."""

import pytest

from services.dispatch.domain.columns import columns
from services.dispatch.domain.evolve import evolve
from shared.contracts.dispatch import (
    CaseChecked,
    CaseClosed,
    CaseDispatched,
    CaseOpened,
    CaseOpeningDeclined,
    CaseRoutingFailed,
    LegFedBack,
    LegReturnRefused,
    LegReturnRequested,
    LegReturnUpheld,
    LegSigned,
    LegWaived,
)
from shared.kernel.errors import Refusal
from tests.support.cases import (
    COLLECTOR,
    DISPATCHER,
    DUTY_LEADER,
    FIRE,
    LEADER,
    MARKET,
    POLICE,
    TWO_HOURS,
    URBAN,
    Case,
    check_failed,
    check_passed,
    checked,
    close,
    closed,
    department,
    dispatch_by_hand,
    facts,
    fed_back,
    feed_back,
    handled,
    leg_states,
    open_case,
    opened,
    refusal,
    refuse_return,
    request_return,
    rule,
    sign,
    signed,
    uphold,
    waive,
)


def test_a_filed_report_opens_a_case_and_dispatches_it_with_its_explanation() -> None:
    case = Case()
    events = case.when(open_case())
    assert isinstance(events, list)
    assert [type(event) for event in events] == [CaseOpened, CaseDispatched]
    assert facts(events[0])["limit"] == {"amount": 2, "unit": "urgent_hour"}
    assert facts(events[0])["closing_condition_en"] == "removed"
    assert facts(events[1]) == {
        "legs": [
            {"leg": 1, "unit": URBAN, "role": "lead", "limit": {"amount": 2, "unit": "urgent_hour"}},
            {"leg": 2, "unit": MARKET, "role": "support", "limit": {"amount": 2, "unit": "urgent_hour"}},
            {"leg": 3, "unit": FIRE, "role": "support", "limit": {"amount": 2, "unit": "urgent_hour"}},
        ],
        "explanation": {
            "rule": "joint",
            "catalogue_version": 1,
            "units_version": 1,
            "legal_basis": "law of joint",
            "considered": [{"rule": "joint", "verdict": "won"}],
            "decided_by": "power_list",
            "reason": None,
            "overrides": None,
            "routing_version": 1,
            "calendar_version": None,
            "policy_version": None,
        },
        "level": "city",
        "sign_clock": {
            "stage": "sign",
            "limit": {"amount": 1, "unit": "urgent_hour"},
            "started_at": "2026-11-23T04:01:00Z",
            "original_due_at": "2026-11-23T05:01:00Z",
            "due_at": "2026-11-23T05:01:00Z",
            "warn_at": ["2026-11-23T04:31:00Z", "2026-11-23T04:49:00Z"],
            "calendar_version": 1,
            "policy_version": 1,
        },
        "handle_clock": {
            "stage": "handle",
            "limit": {"amount": 2, "unit": "urgent_hour"},
            "started_at": "2026-11-23T04:01:00Z",
            "original_due_at": "2026-11-23T06:01:00Z",
            "due_at": "2026-11-23T06:01:00Z",
            "warn_at": ["2026-11-23T05:01:00Z", "2026-11-23T05:37:00Z"],
            "calendar_version": 1,
            "policy_version": 1,
        },
    }
    assert case.stage == "dispatched"


def test_a_case_without_a_rule_waits_for_a_dispatcher_and_says_so() -> None:
    case = Case(rule("other", category="E9999"))
    events = case.when(open_case())
    assert isinstance(events, list)
    assert [type(event) for event in events] == [CaseOpened, CaseRoutingFailed]
    assert facts(events[1])["reason"] == "no_rule"
    assert case.stage == "filed"


def test_a_dispatcher_dispatches_by_hand_what_routing_could_not() -> None:
    case = opened(rule("ghost", "no-such-unit"))
    assert case.stage == "filed"
    events = case.when(dispatch_by_hand(FIRE, (URBAN,)), DISPATCHER)
    assert isinstance(events, list)
    (event,) = events
    assert isinstance(event, CaseDispatched)
    assert [(leg.unit, leg.role, leg.limit) for leg in event.legs] == [
        (FIRE, "lead", TWO_HOURS),
        (URBAN, "support", TWO_HOURS),
    ]
    assert event.explanation.decided_by == "dispatcher"
    assert event.explanation.reason == "nearest"
    assert case.stage == "dispatched"


@pytest.mark.parametrize(
    "case",
    [opened(), opened(rule("ghost", "no-such-unit")), handled(), checked(), closed()],
    ids=lambda c: c.stage,
)
def test_a_second_filing_is_answered_in_every_state_and_changes_nothing(case: Case) -> None:
    before = case.known
    events = case.when(open_case(report_sequence=7))
    assert isinstance(events, list)
    assert [facts(event) for event in events] == [{"reason": "case_exists", "report_sequence": 7}]
    assert isinstance(events[0], CaseOpeningDeclined)
    assert case.known == before


def test_a_department_signs_its_leg_and_the_case_is_handled() -> None:
    case = opened()
    events = case.when(sign(2), department(MARKET))
    assert isinstance(events, list)
    assert isinstance(events[0], LegSigned)
    assert facts(events[0]) == {"leg": 2, "unit": MARKET}
    assert leg_states(case) == {1: "assigned", 2: "handling", 3: "assigned"}
    assert case.stage == "handling"


def test_the_lead_feeds_back_last() -> None:
    case = opened().given(*signed(1, 2, 3), *fed_back(2))
    assert refusal(case.when(feed_back(1), department(URBAN))) == "wrong_state_support_open"
    case.given(*fed_back(3))
    events = case.when(feed_back(1), department(URBAN))
    assert isinstance(events, list)
    assert isinstance(events[0], LegFedBack)
    assert facts(events[0]) == {"leg": 1, "unit": URBAN, "closing_condition": "removed", "evidence": []}
    assert case.stage == "checking"


def test_a_waived_support_leg_does_not_hold_the_lead_back() -> None:
    case = opened().given(*signed(1, 2), *fed_back(2))
    events = case.when(waive(3), LEADER)
    assert isinstance(events, list)
    assert isinstance(events[0], LegWaived)
    assert facts(events[0]) == {"leg": 3, "unit": FIRE, "reason": "not needed"}
    case.given(*fed_back(1))
    assert case.stage == "checking"


def test_the_lead_leg_is_never_waived() -> None:
    assert refusal(opened().when(waive(1), DUTY_LEADER)) == "lead_not_waivable"


def test_an_upheld_return_gives_the_leg_to_another_unit_by_ruling() -> None:
    case = opened()
    requested = case.when(request_return(1), department(URBAN))
    assert isinstance(requested, list)
    assert isinstance(requested[0], LegReturnRequested)
    events = case.when(uphold(1), DUTY_LEADER)
    assert isinstance(events, list)
    (event,) = events
    assert isinstance(event, LegReturnUpheld)
    assert (event.unit, event.to_unit, event.explanation.decided_by) == (URBAN, POLICE, "ruling")
    leg = case.known.legs[0]
    assert (leg.unit, leg.role, leg.state, leg.returns, leg.revision) == (POLICE, "lead", "assigned", 1, 3)
    assert leg.assigned_at == event.at
    assert refusal(case.when(sign(1), department(URBAN))) == "not_entitled_other_leg"


def test_a_leg_keeps_its_limit_whatever_happens_to_it() -> None:
    case = opened().given((request_return(1), department(URBAN)), (uphold(1), DUTY_LEADER), *signed(2, 3))
    case.given((sign(1), department(POLICE)), *fed_back(2, 3), (feed_back(1), department(POLICE)))
    case.given((check_failed(1), COLLECTOR))
    assert [(leg.limit, leg.returns, leg.rework) for leg in case.known.legs] == [
        (TWO_HOURS, 1, 1),
        (TWO_HOURS, 0, 0),
        (TWO_HOURS, 0, 0),
    ]


def test_a_refused_return_goes_on_being_handled() -> None:
    case = opened().given((request_return(2), department(MARKET)))
    events = case.when(refuse_return(2), DUTY_LEADER)
    assert isinstance(events, list)
    assert isinstance(events[0], LegReturnRefused)
    assert leg_states(case)[2] == "handling"


def test_a_return_goes_to_a_unit_that_exists_and_has_no_leg_yet() -> None:
    case = opened().given((request_return(2), department(MARKET)))
    assert refusal(case.when(uphold(2, None), DUTY_LEADER)) == "required"
    assert refusal(case.when(uphold(2, "no-such-unit"), DUTY_LEADER)) == "unknown_unit"
    assert refusal(case.when(uphold(2, "supervision-centre"), DUTY_LEADER)) == "unknown_unit"
    assert refusal(case.when(uphold(2, FIRE), DUTY_LEADER)) == "unit_has_leg"
    assert refusal(case.when(refuse_return(2, POLICE), DUTY_LEADER)) == "not_expected"


def test_a_dispatch_by_hand_names_every_unit_that_is_wrong() -> None:
    case = opened(rule("ghost", "no-such-unit"))
    decision = case.when(dispatch_by_hand("nobody", ("command-centre", URBAN, URBAN)), DISPATCHER)
    assert isinstance(decision, Refusal)
    assert [(error.field, error.code) for error in decision.errors] == [
        ("lead", "unknown_unit"),
        ("support.0", "unknown_unit"),
        ("support.2", "unit_has_leg"),
    ]


def test_a_passed_check_and_the_gate_close_the_case() -> None:
    case = handled()
    events = case.when(check_passed(), COLLECTOR)
    assert isinstance(events, list)
    assert isinstance(events[0], CaseChecked)
    assert case.stage == "checked"
    events = case.when(close(), DUTY_LEADER)
    assert isinstance(events, list)
    assert isinstance(events[0], CaseClosed)
    assert case.stage == "closed"
    assert case.known.closed_at == events[0].at


def test_a_failed_check_sends_every_fed_back_leg_back_unless_legs_are_named() -> None:
    case = handled().given((check_failed(), COLLECTOR))
    assert leg_states(case) == {1: "handling", 2: "handling", 3: "handling"}
    assert case.stage == "handling"
    named = handled()
    events = named.when(check_failed(3), COLLECTOR)
    assert isinstance(events, list)
    said = facts(events[0])
    assert (said["passed"], said["rework"], said["reason"]) == (False, [3], "still there")
    assert leg_states(named) == {1: "fed_back", 2: "fed_back", 3: "handling"}
    assert [leg.rework for leg in named.known.legs] == [0, 0, 1]
    assert named.known.failed_checks == 1


def test_a_waived_leg_is_never_reworked() -> None:
    case = opened().given(*signed(1, 2), (waive(3), LEADER), *fed_back(2, 1))
    assert refusal(case.when(check_failed(3), COLLECTOR)) == "leg_not_fed_back"
    case.given((check_failed(), COLLECTOR))
    assert leg_states(case) == {1: "handling", 2: "handling", 3: "waived"}


def test_a_check_says_why_it_failed_and_sends_nothing_back_when_it_passed() -> None:
    case = handled()
    assert refusal(case.when(check_failed(reason=None), COLLECTOR)) == "required"
    assert refusal(case.when(check_passed(rework=(1,)), COLLECTOR)) == "not_expected"


def test_the_gate_names_every_obstacle() -> None:
    case = opened().given(*signed(1, 2), *fed_back(2))
    decision = case.when(close(), DUTY_LEADER)
    assert isinstance(decision, Refusal)
    assert decision.code == "wrong_state_leg_open"
    assert [(error.field, error.code) for error in decision.errors] == [
        ("legs.1", "leg_open"),
        ("legs.3", "leg_open"),
        ("check", "not_checked"),
    ]
    assert refusal(handled().when(close(), DUTY_LEADER)) == "wrong_state_not_checked"


def test_the_query_columns_follow_the_events() -> None:
    case = opened().given(*signed(1, 2, 3), *fed_back(2))
    row = columns(case.known)
    assert (row["status"], row["lead_unit"], row["campaign"]) == ("handling", URBAN, "winter")
    legs = row["legs"]
    assert isinstance(legs, list)
    assert [(leg["unit"], leg["role"], leg["state"]) for leg in legs] == [
        (URBAN, "lead", "handling"),
        (MARKET, "support", "fed_back"),
        (FIRE, "support", "handling"),
    ]
    assert row["units"] == sorted([URBAN, MARKET, FIRE])
    assert row["closed_at"] is None
    done = closed()
    assert columns(done.known)["closed_at"] == done.events[-1].at


def test_the_fold_of_the_events_is_the_state() -> None:
    case = closed()
    state = None
    for event in case.events:
        state = evolve(state, event)
    assert state == case.state
