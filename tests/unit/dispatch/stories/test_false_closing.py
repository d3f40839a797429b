"""A department says that it is done and it is not: 虚假结案, caught by the check, or only after the closing."""

from services.dispatch.domain.adjustments import ReopenCase
from tests.support.cases import (
    CASE_ID,
    DUTY_LEADER,
    actor,
    check_failed,
    check_passed,
    close,
    feed_back,
    sign,
)
from tests.support.telling import STREET, Life, as_local, filed, handled

URBAN = "urban-management"
STILL_THERE = ReopenCase(case_id=CASE_ID, ground="false_closing", reason="the flyers are still there", legs=(1,))


def test_a_false_closing_that_the_check_catches_goes_on_where_its_time_stood() -> None:
    # Given: goods piled up on a pavement, Monday 6 July 2026. One working day: Tuesday, 09:00.
    heap = filed("2026-07-06 09:00", "E0136")
    handled(heap, "2026-07-06 09:10", sign)
    assert heap.due(URBAN) == "2026-07-07 09:00"

    # When: at 11:00, 2 of its 8 hours used, all say that it is gone.
    handled(heap, "2026-07-06 11:00", feed_back)
    assert heap.check_due() == "2026-07-06 17:00"
    # Nobody of a unit that handled it may look; the collector who was chosen does, at 15:00: it is still there.
    of_the_street = actor(STREET, "collector", "collector-2")
    assert heap.refuses("2026-07-06 14:50", of_the_street, check_passed()) == "not_entitled_handler"
    heap.when("2026-07-06 15:00", heap.checker, check_failed(1))

    # Then: the same deadline, and the 2 working hours that the check took (11 to 12, 14 to 15) are not counted.
    assert heap.leg(URBAN).state == "handling"
    assert heap.due_first(URBAN) == "2026-07-07 09:00"
    assert heap.due(URBAN) == "2026-07-07 11:00"
    [pause] = heap.clock(URBAN).pauses
    assert (as_local(pause.started_at), as_local(pause.ended_at)) == ("2026-07-06 11:00", "2026-07-06 15:00")
    assert heap.leg(STREET).state == "fed_back"

    # When: it is cleared away on Tuesday, and seen to be.
    heap.when("2026-07-07 10:30", URBAN, feed_back)
    assert heap.told(URBAN) == ["2026-07-06 17:00 handle 50 %", "2026-07-07 09:24 handle 80 %"]
    assert heap.check_due() == "2026-07-07 16:30"
    heap.when("2026-07-07 11:15", heap.checker, check_passed())
    heap.when("2026-07-07 11:20", DUTY_LEADER, close())

    # Then: closed in time, and the rework is known for ever.
    assert (heap.stage, heap.known.failed_checks) == ("closed", 1)
    assert (heap.leg(URBAN).rework, heap.leg(URBAN).overdue_at) == (1, None)


def closed_too_soon() -> Life:
    """Flyers, Monday 3 August 2026, closed the same day at 17:30."""
    flyers = filed("2026-08-03 08:00", "E0201")
    handled(flyers, "2026-08-03 08:20", sign)
    handled(flyers, "2026-08-03 16:00", feed_back)
    flyers.when("2026-08-03 17:00", flyers.checker, check_passed())
    flyers.when("2026-08-03 17:30", DUTY_LEADER, close())
    return flyers


def test_a_false_closing_found_on_the_thirtieth_day_goes_back_to_the_same_department() -> None:
    # Given: 8 hours from 08:00 end with the working day, and stay there.
    flyers = closed_too_soon()
    assert flyers.due(URBAN) == "2026-08-03 18:00"

    # When: on Wednesday 2 September, to the minute 30 days later, the duty leader reopens the lead's leg.
    flyers.when("2026-09-02 17:30", DUTY_LEADER, STILL_THERE)

    # Then: urban management has one working day anew: half an hour today, seven and a half tomorrow.
    assert (flyers.stage, flyers.units[0], flyers.leg(URBAN).state) == ("handling", URBAN, "handling")
    assert flyers.due(URBAN) == "2026-09-03 17:30"
    assert flyers.leg(STREET).state == "fed_back"

    # When: it is done, checked and closed again.
    flyers.when("2026-09-03 11:00", URBAN, feed_back)
    assert flyers.check_due() == "2026-09-03 17:00"
    flyers.when("2026-09-03 14:30", flyers.checker, check_passed())
    flyers.when("2026-09-03 15:00", DUTY_LEADER, close())

    # Then
    assert flyers.stage == "closed"
    assert [type(event).__name__ for event in flyers.events if "Clos" in type(event).__name__] == ["CaseClosed"] * 2


def test_a_minute_after_the_thirtieth_day_it_stays_closed() -> None:
    flyers = closed_too_soon()
    assert flyers.refuses("2026-09-02 17:31", DUTY_LEADER, STILL_THERE) == "too_late"
