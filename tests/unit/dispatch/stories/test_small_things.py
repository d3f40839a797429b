"""A hawker moves on and nothing is left to look at; what the street solves itself counts as the street's."""

import msgspec

from services.dispatch import seed
from services.dispatch.domain.commands import CloseCase
from shared.contracts.adjustments import CaseEscalated
from shared.contracts.dispatch import CaseClosed
from shared.contracts.reference import LocalOverride, Routing
from tests.support.cases import CASE_ID, DUTY_LEADER, check_passed, close, feed_back, sign
from tests.support.ends import STREET_OFFICE, close_on_papers, escalate
from tests.support.telling import STREET, Life, filed, handled, seeded

HALLWAYS = LocalOverride(
    rule="own-hallways",
    system="jiaohe",
    category="E0705",
    lead="@street",
    support=("property-service",),
    legal_basis="消防法 28, 60",
    reason="小事不出街道",
    target_types=("resident",),
    level="street",
)


def hallway() -> Life:
    """Things piled up in a hallway, Monday 9 March 2026; by a rule of the city's own, the street solves that itself."""
    own_rules: Routing = msgspec.structs.replace(seed.routing(), overrides=(HALLWAYS,))
    library = seeded().with_document("routing", seed.CITY, 2, own_rules)
    return filed("2026-03-09 09:00", "E0705", target_type="resident", library=library)


def test_a_hawker_is_closed_on_papers_with_a_reason_and_without_a_check() -> None:
    # Given: Sunday 12 July 2026, 18:30. Two urgent hours; to sign there is until Monday, 09:00.
    hawker = filed("2026-07-12 18:30", "E0401")
    assert hawker.units == ("urban-management", "market-supervision", STREET)
    assert hawker.due("urban-management") == "2026-07-12 20:30"
    assert hawker.sign_due("urban-management") == "2026-07-13 09:00"

    # When: he has moved on.
    handled(hawker, "2026-07-12 18:40", sign)
    handled(hawker, "2026-07-12 19:00", feed_back)

    # Then: nobody is sent to look; without a check, or without saying on which papers, it does not close.
    assert (hawker.stage, hawker.known.check) == ("feedback", None)
    assert hawker.refuses("2026-07-12 19:05", DUTY_LEADER, close()) == "wrong_state_not_checked"
    assert hawker.refuses("2026-07-12 19:05", DUTY_LEADER, close_on_papers(reason=None)) == "required"
    [closed] = hawker.when("2026-07-12 19:10", DUTY_LEADER, close_on_papers("his own photo of the empty place"))
    assert isinstance(closed, CaseClosed)
    assert (closed.on_papers, closed.level) == (True, "city")
    assert hawker.stage == "closed"


def test_rubbish_is_not_closed_on_papers() -> None:
    rubbish = filed("2026-07-13 09:00", "E0110")
    handled(rubbish, "2026-07-13 09:10", sign)
    handled(rubbish, "2026-07-13 09:30", feed_back)
    on_papers = CloseCase(case_id=CASE_ID, on_papers=True, reason="a photo")
    assert rubbish.refuses("2026-07-13 09:40", DUTY_LEADER, on_papers) == "site_check_required"


def test_what_the_street_solves_closes_at_the_level_of_the_street() -> None:
    # Given: one working day.
    things = hallway()
    assert things.units == (STREET, "property-service")
    assert things.due(STREET) == "2026-03-10 09:00"

    # When: the street has it cleared; somebody else than the street looks.
    handled(things, "2026-03-09 09:30", sign)
    handled(things, "2026-03-09 15:00", feed_back)
    assert things.checker.unit != STREET
    assert things.check_due() == "2026-03-10 09:00"
    things.when("2026-03-09 16:00", things.checker, check_passed())
    [closed] = things.when("2026-03-09 16:10", DUTY_LEADER, close())

    # Then
    assert isinstance(closed, CaseClosed)
    assert closed.level == "street"


def test_what_the_street_cannot_solve_goes_to_the_city_by_an_act_that_says_why() -> None:
    # Given
    things = hallway()

    # When: the street has no power over the owner, and says so.
    [escalated] = things.when("2026-03-09 10:00", STREET_OFFICE, escalate("city"))

    # Then: it counts as the city's from now on, and its deadline is what it was.
    assert isinstance(escalated, CaseEscalated)
    assert (escalated.from_level, escalated.to_level, things.known.level) == ("street", "city", "city")
    assert things.due(STREET) == "2026-03-10 09:00"
    assert things.refuses("2026-03-09 10:05", STREET_OFFICE, escalate("street")) == "not_upwards"
