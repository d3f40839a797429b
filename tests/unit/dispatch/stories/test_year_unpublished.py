"""Five working days reach into a year whose holidays nobody has published: 暂定, and moved when they are."""

from datetime import date

import msgspec

from services.dispatch import seed
from shared.contracts.clocks import ClocksRecomputed
from shared.contracts.reference import Calendar
from tests.support.adjusting import RECOMPUTE
from tests.support.cases import SYSTEM, feed_back, sign
from tests.support.telling import STREET, as_local, filed, handled
from tests.support.working_hours import day_off

MARKET = "market-supervision"


def with_the_next_year() -> Calendar:
    """The calendar as this story publishes it: New Year's Day and the three days after it are off."""
    days = [day_off(date(2027, 1, day).isoformat(), "元旦", "New Year's Day") for day in (1, 2, 3, 4)]
    return msgspec.structs.replace(seed.calendar(), last_year=2027, days=(*seed.calendar().days, *days))


def test_a_provisional_deadline_moves_when_the_calendar_is_published() -> None:
    # Given: a shop without a licence, Monday 28 December 2026, 09:00. Five working days are 40 hours: 7 on Monday, 24
    # until Thursday the 31st. 1 January is off every year, the 2nd and 3rd are a weekend; 8 on Monday the 4th, 1 more.
    shop = filed("2026-12-28 09:00", "E0801")
    assert shop.due(MARKET) == "2027-01-05 09:00"
    assert shop.clock(MARKET).provisional
    handled(shop, "2026-12-28 09:15", sign)

    # When: the calendar is published, and by it Monday 4 January is off too.
    shop.publish("calendar", with_the_next_year())
    [recomputed] = shop.when("2026-12-29 10:00", SYSTEM, RECOMPUTE)

    # Then: a working day later, and so it is told; what it was at first stays.
    assert isinstance(recomputed, ClocksRecomputed)
    assert [
        (moved.leg, as_local(moved.due_was), as_local(moved.clock.due_at), moved.clock.provisional)
        for moved in recomputed.moved
    ] == [
        (1, "2027-01-05 09:00", "2027-01-06 09:00", False),
        (2, "2027-01-05 09:00", "2027-01-06 09:00", False),
    ]
    assert shop.due(MARKET) == "2027-01-06 09:00"
    assert shop.due_first(MARKET) == "2027-01-05 09:00"

    # When: it is done on Tuesday.
    shop.when("2027-01-05 08:30", STREET, feed_back)
    shop.when("2027-01-05 11:00", MARKET, feed_back)

    # Then: 20 hours were used before the year ended, 32 an hour into Tuesday the 5th.
    assert shop.told(MARKET) == ["2026-12-30 15:00 handle 50 %", "2027-01-05 09:00 handle 80 %"]
    assert shop.leg(MARKET).overdue_at is None


def test_a_deadline_of_urgent_hours_is_never_provisional() -> None:
    leaves = filed("2026-12-31 23:30", "E0120")
    assert leaves.due("urban-management") == "2027-01-01 01:30"
    assert not leaves.clock("urban-management").provisional
