"""The service is down over a deadline: what the broker took in time is in time, however late it is decided."""

from tests.support.cases import feed_back, sign
from tests.support.telling import STREET, Life, as_local, filed

URBAN = "urban-management"


def down_since_half_past_eight() -> Life:
    """Goods outside a shop, Saturday 16 May 2026, 20:00: two urgent hours. The street is done, the service is down."""
    goods = filed("2026-05-16 20:00", "E0405")
    goods.when("2026-05-16 20:10", URBAN, sign)
    goods.when("2026-05-16 20:15", STREET, sign)
    goods.when("2026-05-16 20:25", STREET, feed_back)
    goods.down = True
    return goods


def test_a_feedback_two_minutes_before_the_deadline_is_in_time_though_decided_ninety_minutes_later() -> None:
    # Given
    goods = down_since_half_past_eight()
    assert goods.due(URBAN) == "2026-05-16 22:00"

    # When: the broker takes the feedback at 21:58; the service is back at 23:30, reads it, then looks at its clocks.
    goods.when("2026-05-16 21:58", URBAN, feed_back, decided="2026-05-16 23:30")
    goods.comes_back("2026-05-16 23:30")

    # Then: nobody is late, and nobody is warned of what is done.
    assert goods.told(URBAN) == []
    fed_back_at = goods.leg(URBAN).fed_back_at
    assert fed_back_at is not None
    assert as_local(fed_back_at) == "2026-05-16 21:58"
    assert goods.leg(URBAN).overdue_at is None
    # The check has the four hours of Monday morning.
    assert goods.check_due() == "2026-05-18 12:00"


def test_a_feedback_one_minute_after_the_deadline_is_late_though_no_clock_could_say_so() -> None:
    # Given
    goods = down_since_half_past_eight()

    # When
    goods.when("2026-05-16 22:01", URBAN, feed_back, decided="2026-05-16 23:30")
    goods.comes_back("2026-05-16 23:30")

    # Then
    assert goods.told(URBAN) == ["2026-05-16 22:01 handle breached"]
    overdue_at = goods.leg(URBAN).overdue_at
    assert overdue_at is not None
    assert as_local(overdue_at) == "2026-05-16 22:00"


def test_what_fell_due_meanwhile_is_told_once_and_in_order_when_the_service_is_back() -> None:
    # Given: nobody has said anything.
    goods = down_since_half_past_eight()

    # When
    goods.comes_back("2026-05-16 23:30")
    goods.comes_back("2026-05-17 09:00")

    # Then: for half (21:00), four fifths (21:36) and the whole (22:00) of the two hours.
    assert goods.told(URBAN) == [
        "2026-05-16 23:30 handle 50 %",
        "2026-05-16 23:30 handle 80 %",
        "2026-05-16 23:30 handle breached",
    ]
