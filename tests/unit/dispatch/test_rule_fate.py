"""What a case remembers of the rule that sent it where it went, so that a bad rule shows in the counts."""

from dataclasses import replace

import msgspec

from services.dispatch.domain.columns import columns
from services.dispatch.domain.commands import AddLegs
from shared.contracts.adjustments import CaseRedispatched, LegsAdded
from shared.contracts.dispatch import CaseDispatched
from shared.contracts.reference import Routing
from shared.kernel.errors import Refusal
from tests.support.cases import (
    CASE_ID,
    CITY,
    DISPATCHER,
    DUTY_LEADER,
    FIRE,
    MARKET,
    POLICE,
    SYSTEM,
    URBAN,
    Case,
    department,
    dispatch_by_hand,
    open_case,
    opened,
    refuse_return,
    request_return,
    rule,
    uphold,
)
from tests.support.routing import own_rule


def fate(case: Case) -> tuple[object, object, object]:
    """Return rule, overridden and misdirected, which must be in the columns too."""
    known, stored = case.known, columns(case.known)
    told = (known.rule, known.overridden, known.misdirected)
    assert told == (stored["rule"], stored["overridden"], stored["misdirected"])
    return told


def last(case: Case, kind: type) -> object:
    found = [event for event in case.events if isinstance(event, kind)]
    return found[-1]


def test_a_routed_case_remembers_its_rule() -> None:
    assert fate(opened()) == ("joint", False, False)


def test_a_case_without_a_rule_has_none_that_could_be_wrong() -> None:
    case = Case(rule("elsewhere", streets=("999999999",))).given((open_case(), SYSTEM))
    assert fate(case) == (None, False, False)
    case.given((dispatch_by_hand(URBAN), DISPATCHER))
    assert fate(case) == (None, False, False)


def test_a_dispatcher_who_sends_it_elsewhere_overrides_the_rule() -> None:
    case = opened().given((dispatch_by_hand(POLICE), DISPATCHER))
    assert fate(case) == ("joint", True, False)
    event = last(case, CaseRedispatched)
    assert isinstance(event, CaseRedispatched)
    assert (event.explanation.overrides, event.explanation.decided_by) == ("joint", "dispatcher")


def test_who_sends_it_elsewhere_a_second_time_still_names_the_rule() -> None:
    case = opened().given((dispatch_by_hand(POLICE), DISPATCHER), (dispatch_by_hand(FIRE), DISPATCHER))
    assert fate(case) == ("joint", True, False)
    event = last(case, CaseRedispatched)
    assert isinstance(event, CaseRedispatched)
    assert event.explanation.overrides == "joint"


def test_a_rule_whose_lead_does_not_exist_is_overridden_when_somebody_dispatches() -> None:
    case = Case(rule("ghost", "no-such-unit")).given((open_case(), SYSTEM))
    assert fate(case) == ("ghost", False, False)
    case.given((dispatch_by_hand(URBAN), DISPATCHER))
    assert fate(case) == ("ghost", True, False)


def test_more_support_beside_the_rule_does_not_override_it() -> None:
    case = opened().given((AddLegs(case_id=CASE_ID, units=(POLICE,), reason="dogs"), DISPATCHER))
    assert fate(case) == ("joint", False, False)
    event = last(case, LegsAdded)
    assert isinstance(event, LegsAdded)
    assert event.explanation.overrides is None


def test_an_upheld_return_shows_that_the_rule_misdirected() -> None:
    case = opened().given((request_return(2), department(MARKET)), (uphold(2, POLICE), DUTY_LEADER))
    assert fate(case) == ("joint", False, True)


def test_a_refused_return_says_nothing_about_the_rule() -> None:
    case = opened().given((request_return(2), department(MARKET)), (refuse_return(2), DUTY_LEADER))
    assert fate(case) == ("joint", False, False)


def test_that_nothing_needs_handling_says_nothing_about_the_rule() -> None:
    unneeded = msgspec.structs.replace(request_return(2), reason="no_handling_needed")
    decision = replace(uphold(2), to_unit=None)
    case = opened().given((unneeded, department(MARKET)), (decision, DUTY_LEADER))
    assert fate(case) == ("joint", False, False)


def test_the_return_of_what_a_dispatcher_gave_is_not_the_rules_fault() -> None:
    case = opened().given(
        (dispatch_by_hand(POLICE), DISPATCHER), (request_return(1), department(POLICE)), (uphold(1, FIRE), DUTY_LEADER)
    )
    assert fate(case) == ("joint", True, False)


def test_the_return_of_an_added_leg_is_not_the_rules_fault() -> None:
    case = opened().given(
        (AddLegs(case_id=CASE_ID, units=(POLICE,), reason="dogs"), DISPATCHER),
        (request_return(4), department(POLICE)),
        (uphold(4, "property-service"), DUTY_LEADER),
    )
    assert fate(case) == ("joint", False, False)


def test_the_citys_own_rule_dispatches_a_new_case_and_changes_none_that_is_dispatched() -> None:
    before = opened()
    state = before.known
    own = Routing(city=CITY, overrides=(own_rule("own", POLICE, reason="agreed"),))
    before.library = before.library.with_document("routing", CITY, 1, own)
    assert before.known == state
    after = Case()
    after.library = before.library
    after.given((open_case(), SYSTEM))
    assert [leg.unit for leg in before.known.legs] == [URBAN, MARKET, FIRE]
    assert [leg.unit for leg in after.known.legs] == [POLICE]
    assert fate(after) == ("own", False, False)


def test_the_level_of_the_rule_is_the_level_of_the_case() -> None:
    case = Case(msgspec.structs.replace(rule("small", URBAN), level="community"))
    events = case.when(open_case())
    assert not isinstance(events, Refusal)
    dispatched = events[1]
    assert isinstance(dispatched, CaseDispatched)
    assert (dispatched.level, case.known.level) == ("community", "community")
