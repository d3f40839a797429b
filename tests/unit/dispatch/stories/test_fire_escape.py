"""A fire escape is blocked: ordered by law to be cleared, looked at again, and closed only when it is (domain 4.3)."""

from services.dispatch.domain.rectifying import Rectification
from shared.contracts.clocks import Clock
from tests.support.adjusting import ask_suspension, decide_suspension, endorse, resume
from tests.support.cases import DISPATCHER, DUTY_LEADER, LEADER, check_passed, close, feed_back, sign
from tests.support.lawful import claim, enforce, order, reinspect
from tests.support.telling import STREET, Life, as_local, filed, handled
from tests.support.working_hours import local

FIRE = "fire-rescue"
HELPERS = (STREET, "property-service")
LEG = 1


def blocked(instant: str, signed_at: str) -> Life:
    """To be cleared at once, as the catalogue has it; everybody has signed."""
    escape = filed(instant, "E0701")
    assert escape.units == (FIRE, *HELPERS)
    assert escape.due(FIRE) == instant
    handled(escape, signed_at, sign)
    return escape


def order_of(escape: Life) -> Rectification:
    track = escape.leg(FIRE).rectification
    assert track is not None
    return track


def ends(clock: Clock | None) -> str:
    assert clock is not None
    return as_local(clock.due_at)


def test_an_escape_that_is_locked_again_is_ordered_again_and_closed_when_it_is_open() -> None:
    # Given: Wednesday 16 September 2026. At 10:30 the fire department orders: within three statutory working days.
    escape = blocked("2026-09-16 09:00", "2026-09-16 09:20")
    escape.when("2026-09-16 10:30", FIRE, lambda leg: order(leg, 3))

    # Then: the Wednesday does not count; Thursday, Friday, and the Sunday, which is worked for the National Day.
    assert ends(order_of(escape).rectification_clock) == "2026-09-21 00:00"

    # When: the others are done. Then: what was ordered holds the lead leg, and the case.
    escape.each("2026-09-17 16:00", HELPERS, feed_back)
    assert escape.refuses("2026-09-17 16:30", FIRE, feed_back) == "wrong_state_rectification_ordered"
    assert escape.refuses("2026-09-17 16:40", DUTY_LEADER, close()) == "wrong_state_reinspection_open"

    # When: on that Sunday the party says that it is cleared.
    escape.when("2026-09-20 16:00", FIRE, claim)

    # Then: the department has Monday, Tuesday and Wednesday to look again.
    assert ends(order_of(escape).reinspection_clock) == "2026-09-24 00:00"

    # When: it looks on the last day, and the door is locked again. It orders on Thursday: two statutory working days.
    escape.when("2026-09-23 15:00", FIRE, lambda leg: reinspect(leg, passed=False))
    assert escape.refuses("2026-09-23 15:10", FIRE, feed_back) == "wrong_state_rectification_not_cleared"
    escape.when("2026-09-24 09:00", FIRE, lambda leg: order(leg, 2))

    # Then: 中秋节 is off from Friday the 25th to the 27th; Monday and Tuesday count.
    assert ends(order_of(escape).rectification_clock) == "2026-09-30 00:00"

    # When: the party says nothing more.
    escape.time_passes("2026-09-30 00:00")

    # Then: the department looks again within three working days of the end: Wednesday, and after the holiday of the
    # 1st to the 7th, Thursday and Friday.
    assert ends(order_of(escape).reinspection_clock) == "2026-10-10 00:00"

    # When: on the first morning after the holiday it is open.
    escape.when("2026-10-08 10:00", FIRE, reinspect)
    escape.when("2026-10-08 10:30", FIRE, feed_back)

    # Then: 36 of 72 hours were used on Friday noon, 57.6 on Sunday at 09:36, since the Saturday does not count; and so
    # of the other limits, of which the second order's passed.
    assert escape.told(FIRE) == [
        "2026-09-16 09:00 handle breached",
        "2026-09-18 12:00 rectification 50 %",
        "2026-09-20 09:36 rectification 80 %",
        "2026-09-22 12:00 reinspection 50 %",
        "2026-09-23 09:36 reinspection 80 %",
        "2026-09-29 00:00 rectification 50 %",
        "2026-09-29 14:24 rectification 80 %",
        "2026-09-30 00:00 rectification breached",
    ]
    assert (order_of(escape).orders, order_of(escape).breached) == (2, ("rectification",))
    assert escape.check_due() == "2026-10-08 16:30"
    escape.when("2026-10-08 15:00", escape.checker, check_passed())
    escape.when("2026-10-08 15:30", DUTY_LEADER, close())
    assert escape.stage == "closed"


def test_what_is_punished_is_looked_at_again_while_the_leg_rests_on_the_books() -> None:
    # Given: ordered at once on the eve of the holiday, Wednesday 30 September 2026, 16:00.
    escape = blocked("2026-09-30 14:30", "2026-09-30 14:40")
    escape.each("2026-09-30 15:00", HELPERS, feed_back)
    escape.when("2026-09-30 16:00", FIRE, lambda leg: order(leg, None))

    # Then: the department looks again by Saturday 10 October, which is worked: the third working day after it.
    assert ends(order_of(escape).reinspection_clock) == "2026-10-11 00:00"

    # When: nothing has changed on the 8th; it is punished on the 9th, and the leg rests while the law takes its course.
    escape.when("2026-10-08 09:00", FIRE, lambda leg: reinspect(leg, passed=False))
    escape.when("2026-10-09 11:00", FIRE, enforce)
    escape.when("2026-10-09 11:30", FIRE, lambda leg: ask_suspension(leg, local("2026-11-02 08:00")))
    escape.when("2026-10-09 14:10", DISPATCHER, endorse(LEG))
    escape.when("2026-10-09 15:00", LEADER, decide_suspension(LEG))
    assert escape.leg(FIRE).state == "suspended"

    # Then: Saturday, Monday and Tuesday for the next look; no suspension moves that, and half of it is told.
    assert ends(order_of(escape).reinspection_clock) == "2026-10-14 00:00"
    escape.when("2026-10-12 15:00", FIRE, reinspect)
    assert escape.told(FIRE) == ["2026-09-30 14:30 handle breached", "2026-10-12 12:00 reinspection 50 %"]
    assert order_of(escape).stage == "cleared"

    # When: it goes on, and is fed back.
    escape.when("2026-10-12 16:00", FIRE, resume)
    escape.when("2026-10-12 16:10", FIRE, feed_back)
    assert escape.stage == "checking"
