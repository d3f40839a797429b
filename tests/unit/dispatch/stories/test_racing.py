"""Many act on one case at once: who changes the same thing is told so, and nobody else is (expected revisions)."""

from dataclasses import replace

from services.dispatch.domain.adjustments import SuperviseCase
from shared.kernel.errors import Refusal
from tests.support.cases import CASE_ID, DUTY_LEADER, actor, feed_back, refuse_return, request_return, sign, uphold
from tests.support.ends import INSPECTOR
from tests.support.telling import Life, filed

URBAN, ECOLOGY, MARKET = "urban-management", "ecology", "market-supervision"
LEG_OF_ECOLOGY = 2
OTHER_DUTY_LEADER = actor("supervision-centre", "duty_leader", "leader-3")
OTHER_INSPECTOR = actor("command-centre", "inspector", "inspector-2")


def barbecue() -> Life:
    """A barbecue in the open, Saturday 6 June 2026, 19:00: three departments, two urgent hours, until 21:00."""
    case = filed("2026-06-06 19:00", "E0129")
    assert case.units == (URBAN, ECOLOGY, MARKET)
    assert case.due(URBAN) == "2026-06-06 21:00"
    return case


def supervise(revision: int) -> SuperviseCase:
    return SuperviseCase(case_id=CASE_ID, reason="smoke in the flats", expected_revision=revision)


def test_of_two_duty_leaders_who_decide_one_return_the_second_is_told_that_it_is_decided() -> None:
    # Given: ecology says that it is not its duty; two duty leaders have its leg on their screens.
    case = barbecue()
    case.when("2026-06-06 19:10", ECOLOGY, request_return)
    seen = case.leg(ECOLOGY).revision

    # When: one refuses it; a minute later the other, who has not seen that, upholds it.
    case.when("2026-06-06 19:20", DUTY_LEADER, replace(refuse_return(LEG_OF_ECOLOGY), expected_revision=seen))
    second = case.asks(
        "2026-06-06 19:21",
        OTHER_DUTY_LEADER,
        replace(uphold(LEG_OF_ECOLOGY, "health"), expected_revision=seen),
    )

    # Then: the second learns where the leg is now, and ecology has it still.
    assert isinstance(second, Refusal)
    assert (second.code, second.revision) == ("stale_revision", seen + 1)
    assert case.units == (URBAN, ECOLOGY, MARKET)


def test_what_others_do_on_their_legs_and_what_clocks_tell_is_no_conflict_on_mine() -> None:
    # Given: market supervision has signed, and keeps its leg on the screen.
    case = barbecue()
    case.when("2026-06-06 19:05", MARKET, sign)
    seen = case.leg(MARKET).revision

    # When: the two others act, and at 20:00 and at 20:36 all three are warned.
    case.when("2026-06-06 19:10", URBAN, sign)
    case.when("2026-06-06 19:15", ECOLOGY, sign)
    case.when("2026-06-06 20:10", ECOLOGY, feed_back)
    case.when("2026-06-06 20:40", MARKET, lambda leg: feed_back(leg, seen))

    # Then
    assert case.told(MARKET) == ["2026-06-06 20:00 handle 50 %", "2026-06-06 20:36 handle 80 %"]
    assert case.leg(MARKET).state == "fed_back"


def test_three_departments_and_a_clock_are_no_conflict_for_who_watches_the_case() -> None:
    # Given: two inspectors have the case on their screens.
    case = barbecue()
    seen = case.known.revision

    # When: three departments sign, one feeds back, time passes, and then the first inspector supervises.
    for minute, unit in enumerate((URBAN, ECOLOGY, MARKET), start=1):
        case.when(f"2026-06-06 19:0{minute}", unit, sign)
    case.when("2026-06-06 20:10", ECOLOGY, feed_back)
    assert case.known.revision == seen
    case.when("2026-06-06 20:45", INSPECTOR, supervise(seen))

    # Then: only the second inspector comes too late.
    second = case.asks("2026-06-06 20:46", OTHER_INSPECTOR, supervise(seen))
    assert isinstance(second, Refusal)
    assert (second.code, second.revision) == ("stale_revision", seen + 1)


def test_a_department_that_sends_one_act_twice_is_told_where_its_leg_is() -> None:
    # Given
    case = barbecue()
    seen = case.leg(URBAN).revision

    # When: the same signature from two desks of one department.
    case.when("2026-06-06 19:05", URBAN, lambda leg: sign(leg, seen))
    second = case.asks("2026-06-06 19:05", URBAN, lambda leg: sign(leg, seen))

    # Then
    assert isinstance(second, Refusal)
    assert (second.code, second.revision) == ("stale_revision", seen + 1)
