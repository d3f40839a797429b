"""An illegal building cannot be torn down in frost: 挂账 over the winter moves its deadline by exactly the pause."""

from tests.support.adjusting import ask_suspension, decide_suspension, endorse
from tests.support.cases import DISPATCHER, DUTY_LEADER, LEADER, check_passed, close, feed_back, sign
from tests.support.telling import STREET, Life, as_local, filed, handled
from tests.support.working_hours import local

URBAN = "urban-management"
LEG = 1


def put_on_the_books() -> Life:
    """An illegal building of last autumn, that rests from Monday 10 November 2025, 17:00, until 1 April."""
    building = filed("2025-11-03 09:00", "E0101-2")
    handled(building, "2025-11-03 09:20", sign)
    building.when("2025-11-10 10:00", URBAN, lambda leg: ask_suspension(leg, local("2026-04-01 08:00")))
    building.when("2025-11-10 14:00", DISPATCHER, endorse(LEG))
    building.when("2025-11-10 17:00", LEADER, decide_suspension(LEG))
    return building


def test_a_building_suspended_over_the_winter_goes_on_by_itself_on_its_end_date() -> None:
    # Given: 15 working days (120 hours) from Monday 3 November 2025, 09:00, would have been Monday the 24th, 09:00.
    building = put_on_the_books()
    assert building.units == (URBAN, "natural-resources", STREET, "court")
    assert building.due(URBAN) == "2025-11-24 09:00"
    assert building.leg(URBAN).state == "suspended"

    # When: the others finish before their own deadline, which did not move, and the winter passes.
    building.each("2025-11-20 16:00", ("natural-resources", STREET, "court"), feed_back)
    building.time_passes("2026-04-01 07:59")
    assert building.told(URBAN) == []
    assert building.leg(URBAN).state == "suspended"
    building.time_passes("2026-04-01 08:00")

    # Then: 5 days and 6 hours (46 hours) were used, 74 are left. 1, 2 and 3 April are 24; the 4th to the 6th is 清明;
    # the 7th to the 10th are 32, the 13th and 14th are 16, which is 72; and 2 hours of Wednesday the 15th.
    assert building.leg(URBAN).state == "handling"
    assert building.due(URBAN) == "2026-04-15 10:00"
    assert building.due_first(URBAN) == "2025-11-24 09:00"
    [pause] = building.clock(URBAN).pauses
    assert (as_local(pause.started_at), as_local(pause.ended_at)) == ("2025-11-10 17:00", "2026-04-01 08:00")

    # When: it is torn down at the last minute.
    building.when("2026-04-15 10:00", URBAN, feed_back)

    # Then: that is on time. Half of 120 hours is 14 after the thaw, four fifths are 50.
    assert building.told(URBAN) == ["2026-04-02 16:00 handle 50 %", "2026-04-10 10:00 handle 80 %"]
    assert building.leg(URBAN).overdue_at is None
    assert building.check_due() == "2026-04-15 16:00"
    building.when("2026-04-15 15:00", building.checker, check_passed())
    building.when("2026-04-15 15:30", DUTY_LEADER, close())
    assert building.stage == "closed"


def test_nobody_rests_twice() -> None:
    building = put_on_the_books()
    building.time_passes("2026-04-01 08:00")
    again = building.refuses("2026-04-08 09:00", URBAN, lambda leg: ask_suspension(leg, local("2026-11-01 08:00")))
    assert again == "suspended_before"
