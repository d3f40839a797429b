"""Holidays make a limit long, days that are worked for them (调休) make it short."""

from tests.support.cases import feed_back, sign
from tests.support.telling import filed, handled


def test_a_saturday_that_is_worked_makes_five_working_days_one_day_shorter() -> None:
    # Given: a shop without a licence, Thursday 8 October 2026, the first day after the National Day holiday.
    shop = filed("2026-10-08 08:00", "E0801")

    # Then: Thursday, Friday, Saturday the 10th (worked for the holiday), Monday and Tuesday, until 18:00.
    assert shop.due("market-supervision") == "2026-10-13 18:00"

    # When: nothing is done before that.
    handled(shop, "2026-10-08 08:20", sign)
    shop.time_passes("2026-10-13 17:59")

    # Then: half of the 40 hours was used at noon of that Saturday.
    assert shop.told("market-supervision") == ["2026-10-10 12:00 handle 50 %", "2026-10-12 18:00 handle 80 %"]

    # A week later nobody works on the Saturday: Thursday, Friday, Monday, Tuesday, Wednesday.
    assert filed("2026-10-15 08:00", "E0801").due("market-supervision") == "2026-10-21 18:00"


def test_a_sunday_that_is_worked_brings_two_working_days_to_monday_noon() -> None:
    # Given: a broken shop sign, Friday 18 September 2026 after lunch: 4 hours today, 8 on Sunday the 20th, 4 on Monday.
    shop_sign = filed("2026-09-18 14:00", "E0206")
    assert shop_sign.due("urban-management") == "2026-09-21 12:00"

    # When: it is put right on Monday morning. Half of the 16 hours was used at noon of that Sunday.
    handled(shop_sign, "2026-09-18 14:20", sign)
    handled(shop_sign, "2026-09-21 09:00", feed_back)
    assert shop_sign.told("urban-management") == ["2026-09-20 12:00 handle 50 %", "2026-09-21 08:48 handle 80 %"]

    # The Friday before: 4 hours, 8 on Monday, 4 on Tuesday.
    assert filed("2026-09-11 14:00", "E0206").due("urban-management") == "2026-09-15 12:00"


def test_four_working_hours_before_the_national_day_become_eight_days() -> None:
    # Given: rubbish, Wednesday 30 September 2026, 16:00. Two hours are left of the day.
    rubbish = filed("2026-09-30 16:00", "E0110")

    # Then: 1 to 7 October is the holiday; the other two hours are on Thursday the 8th.
    assert rubbish.due("sanitation") == "2026-10-08 10:00"
    assert rubbish.sign_due("sanitation") == "2026-09-30 17:00"

    # When
    handled(rubbish, "2026-09-30 16:20", sign)
    handled(rubbish, "2026-10-08 10:00", feed_back)

    # Then: half was used when the holiday began, four fifths 72 minutes after it ended.
    assert rubbish.told("sanitation") == ["2026-09-30 18:00 handle 50 %", "2026-10-08 09:12 handle 80 %"]
    assert rubbish.leg("sanitation").overdue_at is None


def test_a_fire_of_leaves_on_the_national_day_is_out_within_two_hours() -> None:
    # Given: noon of 1 October; its limit is in urgent hours.
    fire = filed("2026-10-01 12:00", "E0120")

    # Then
    assert fire.due("urban-management") == "2026-10-01 14:00"
    assert fire.sign_due("urban-management") == "2026-10-08 09:00"
