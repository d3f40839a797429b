"""Three departments share a case and one says that it is not its duty, until the leader rules (回退, 裁定)."""

from tests.support.adjusting import rule_leg
from tests.support.cases import DUTY_LEADER, LEADER, check_passed, close, feed_back, refuse_return, request_return, sign
from tests.support.telling import Life, filed, handled

URBAN, ECOLOGY, HOUSING = "urban-management", "ecology", "housing"
LEG_OF_ECOLOGY = 2


def refused_twice() -> Life:
    """Waste water on a road, Tuesday 2 June 2026: ecology asks twice to be let off, and is not."""
    water = filed("2026-06-02 10:00", "E0130")
    handled(water, "2026-06-02 10:20", sign)
    for asked, refused in (("2026-06-02 10:30", "2026-06-02 11:00"), ("2026-06-02 15:00", "2026-06-02 16:00")):
        water.when(asked, ECOLOGY, request_return)
        water.when(refused, DUTY_LEADER, refuse_return(LEG_OF_ECOLOGY))
    return water


def test_two_refused_returns_cost_the_department_its_own_time() -> None:
    # Given: two working days (16 hours) from Tuesday, 10:00.
    water = refused_twice()
    assert water.units == (URBAN, ECOLOGY, HOUSING)

    # Then: nothing stood still while it was asked and answered: due on Thursday, 10:00.
    assert water.due(ECOLOGY) == "2026-06-04 10:00"
    assert water.leg(ECOLOGY).state == "handling"
    assert water.refuses("2026-06-02 17:00", ECOLOGY, request_return) == "returns_exhausted"


def test_what_the_leader_rules_cannot_be_returned() -> None:
    # Given
    water = refused_twice()

    # When: on Wednesday morning the leader rules that ecology handles it.
    water.when("2026-06-03 09:00", LEADER, rule_leg(LEG_OF_ECOLOGY, ECOLOGY))

    # Then: it begins anew, an hour to sign and two working days to handle; the other two keep their deadlines.
    assert water.sign_due(ECOLOGY) == "2026-06-03 10:00"
    assert (water.due(ECOLOGY), water.due_first(ECOLOGY)) == ("2026-06-05 09:00", "2026-06-05 09:00")
    assert water.due(URBAN) == water.due(HOUSING) == "2026-06-04 10:00"
    assert water.refuses("2026-06-03 09:10", ECOLOGY, request_return) == "already_ruled"
    assert water.refuses("2026-06-03 09:20", LEADER, rule_leg(LEG_OF_ECOLOGY, HOUSING)) == "already_ruled"

    # When: it does it, and the lead, who feeds back last, is still on time on Thursday.
    water.when("2026-06-03 09:25", ECOLOGY, sign)
    water.when("2026-06-03 15:00", HOUSING, feed_back)
    assert water.refuses("2026-06-03 15:30", URBAN, feed_back) == "wrong_state_support_open"
    water.when("2026-06-03 16:30", ECOLOGY, feed_back)
    water.when("2026-06-04 09:30", URBAN, feed_back)

    # Then: 8 and 12.8 of 16 hours.
    assert water.told(URBAN) == ["2026-06-03 10:00 handle 50 %", "2026-06-03 16:48 handle 80 %"]
    assert water.told(ECOLOGY) == []
    # None of the three is the street's: its own collectors are the nearest. 2.5 hours of the morning, 1.5 after lunch.
    assert water.checker.unit == "street-220281001"
    assert water.check_due() == "2026-06-04 15:30"
    water.when("2026-06-04 11:00", water.checker, check_passed())
    water.when("2026-06-04 11:10", DUTY_LEADER, close())
    assert water.stage == "closed"
