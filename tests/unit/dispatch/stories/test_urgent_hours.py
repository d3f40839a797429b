"""A water pipe bursts on New Year's Eve: urgent hours run through the night and the holiday."""

from tests.support.cases import DUTY_LEADER, check_passed, close, feed_back, sign
from tests.support.telling import STREET, filed, handled

HELPERS = ("emergency", "traffic-police", STREET, "housing")


def test_a_pipe_that_bursts_on_the_eve_of_the_spring_festival_is_made_safe_within_the_hour() -> None:
    # Given: Monday 16 February 2026, 除夕, in the holiday of the 15th to the 23rd. One urgent hour to stop the leak.
    leak = filed("2026-02-16 23:20", "E0501", "01")
    assert leak.units == ("water-supply", *HELPERS)
    assert leak.due("water-supply") == "2026-02-17 00:20"
    # To sign within one working hour: the first that there is, on the morning after the holiday.
    assert leak.sign_due("water-supply") == "2026-02-24 09:00"

    # When: the water company shuts the valve past midnight, after all who help it.
    leak.when("2026-02-16 23:24", "water-supply", sign)
    leak.each("2026-02-16 23:30", HELPERS, sign)
    leak.each("2026-02-17 00:05", HELPERS, feed_back)
    leak.when("2026-02-17 00:15", "water-supply", feed_back)

    # Then: it was warned at half (30 of 60 minutes) and at four fifths (48), and five minutes were left.
    assert leak.told("water-supply") == ["2026-02-16 23:50 handle 50 %", "2026-02-17 00:08 handle 80 %"]
    assert leak.told("housing") == ["2026-02-16 23:50 handle 50 %"]
    # The check has four working hours: the morning of Tuesday the 24th, when the city works again.
    assert leak.check_due() == "2026-02-24 12:00"

    leak.when("2026-02-17 00:40", leak.checker, check_passed())
    leak.when("2026-02-17 00:45", DUTY_LEADER, close())
    assert leak.stage == "closed"
    assert [leg.overdue_at for leg in leak.known.legs] == [None] * 5


def test_the_road_over_that_pipe_waits_for_the_working_days_after_the_holiday() -> None:
    # Given: the morning after, 正月初一. Five working days (40 hours) to restore the road.
    road = filed("2026-02-17 09:00", "E0501", "02")

    # Then: Tuesday the 24th to Friday the 27th are 32 hours, and the Saturday is worked for the holiday: 40.
    assert road.due("water-supply") == "2026-02-28 18:00"

    # When: everybody signs on the first morning; the road is done on the last day at noon.
    handled(road, "2026-02-24 08:20", sign)
    handled(road, "2026-02-28 12:00", feed_back)

    # Then: no clock said anything before the city worked again; 20 and 32 hours were used at these instants.
    assert road.told("water-supply") == ["2026-02-26 12:00 handle 50 %", "2026-02-27 18:00 handle 80 %"]
    assert road.check_due() == "2026-02-28 18:00"
