"""The steps of a deadline as people read them, in the cases that are hard to explain."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.dispatch import seed
from shared.contracts.clocks import Clock, Pause
from shared.contracts.reference import LimitUnit
from shared.deadlines.clocks import moved_clock, start_clock
from shared.deadlines.explaining import explain
from shared.deadlines.rendering import duration_text, limit_text, sentences
from shared.deadlines.wording import Language
from shared.deadlines.working_time import WorkingTime
from tests.support.working_hours import HOURS, calendar, day_off, limit, local, make_up_day

HOUR = timedelta(hours=1)
CITY = WorkingTime.of(seed.calendar(), seed.limit_policy())


def clock_of(
    start: str, amount: int, unit: LimitUnit, *, pauses: Sequence[tuple[str, str]] = (), extensions: int = 0
) -> Clock:
    begun = start_clock("handle", limit(amount, unit), local(start), CITY, 1, 1)
    stood_still = [Pause(started_at=local(begin), ended_at=local(end)) for begin, end in pauses]
    return moved_clock(begun, CITY, 1, 1, pauses=stood_still, extensions=extensions)


def told(clock: Clock, language: Language) -> list[str]:
    return list(sentences(explain(clock, CITY), language))


def test_national_day_moves_a_deadline() -> None:
    clock = clock_of("2026-09-30 16:00", 4, "working_hour")
    assert told(clock, "zh") == [
        "时限 4 工作时，自 2026-09-30（周三） 16:00 起计。",
        "2026-09-30（周三）：16:00-18:00，计 2 小时。",
        "2026-10-01（周四）至 10-07（周三）：国庆节，共 7 天，不计，期限顺延 40 小时。",
        "2026-10-08（周四）：08:00-10:00，计 2 小时。",
        "到期：2026-10-08（周四） 10:00。",
    ]
    assert told(clock, "en") == [
        "The limit is 4 working hours, from Wed 2026-09-30 16:00.",
        "Wed 2026-09-30: 16:00-18:00, counts 2 h.",
        "Thu 2026-10-01 to Wed 10-07: National Day, days off: 7, does not count; the deadline is later by 40 h.",
        "Thu 2026-10-08: 08:00-10:00, counts 2 h.",
        "Due: Thu 2026-10-08 10:00.",
    ]


def test_a_weekend_a_make_up_day_and_alike_working_days_are_told_once_each() -> None:
    clock = clock_of("2026-09-18 17:00", 5, "working_day")
    assert told(clock, "zh")[1:] == [
        "2026-09-18（周五）：17:00-18:00，计 1 小时。",
        "2026-09-19（周六）：周末，不计。",
        "2026-09-20（周日）：国庆节调休，上班，08:00-12:00、14:00-18:00，计 8 小时。",
        "2026-09-21（周一）至 09-23（周三）：3 个工作日（08:00-12:00、14:00-18:00），计 24 小时。",
        "2026-09-24（周四）：08:00-12:00、14:00-17:00，计 7 小时。",
        "到期：2026-09-24（周四） 17:00。",
    ]
    assert told(clock, "en")[3:5] == [
        "Sun 2026-09-20: make-up day for National Day, a working day, 08:00-12:00, 14:00-18:00, counts 8 h.",
        "Mon 2026-09-21 to Wed 09-23: 3 working days (08:00-12:00, 14:00-18:00), count 24 h.",
    ]


def test_a_pause_tells_by_how_much_working_time_it_moved_the_deadline() -> None:
    """From 24 November 11:00 to 24 December 09:00: 5 + 21 × 8 + 1 working hours."""
    clock = clock_of("2026-11-20 16:30", 3, "working_day", pauses=[("2026-11-24 11:00", "2026-12-24 09:00")])
    assert told(clock, "zh")[4:] == [
        "2026-11-24（周二）：08:00-11:00，计 3 小时。",
        "2026-11-24（周二） 11:00 至 2026-12-24（周四） 09:00：停止计时，期限顺延 174 小时。",
        "2026-12-24（周四）：09:00-12:00、14:00-18:00，计 7 小时。",
        "2026-12-25（周五）：08:00-12:00、14:00-14:30，计 4 小时 30 分。",
        "到期：2026-12-25（周五） 14:30。",
    ]
    assert (
        "Tue 2026-11-24 11:00 to Thu 2026-12-24 09:00: the clock stood still; the deadline is later by 174 h."
        in told(clock, "en")
    )


def test_a_pause_in_the_night_moves_nothing_and_says_so() -> None:
    clock = clock_of("2026-11-24 16:00", 4, "working_hour", pauses=[("2026-11-24 19:00", "2026-11-25 07:00")])
    assert "2026-11-24（周二） 19:00 至 2026-11-25（周三） 07:00：停止计时，期限不变。" in told(clock, "zh")
    assert clock.due_at == clock.original_due_at


def test_every_extension_is_told_where_the_limit_would_have_ended() -> None:
    clock = clock_of("2026-11-24 14:00", 4, "working_hour", extensions=2)
    assert told(clock, "zh") == [
        "时限 4 工作时，延期 2 次，自 2026-11-24（周二） 14:00 起计。",
        "2026-11-24（周二）：14:00-18:00，计 4 小时。",
        "2026-11-24（周二） 18:00：原应到期，第 1 次延期，增加 4 工作时。",
        "2026-11-25（周三）：08:00-12:00，计 4 小时。",
        "2026-11-25（周三） 12:00：原应到期，第 2 次延期，增加 4 工作时。",
        "2026-11-25（周三）：14:00-18:00，计 4 小时。",
        "到期：2026-11-25（周三） 18:00。",
    ]
    assert told(clock, "en")[0] == "The limit is 4 working hours and was extended 2×, from Tue 2026-11-24 14:00."


def test_days_of_an_unpublished_year_are_told_to_be_provisional() -> None:
    clock = clock_of("2026-12-28 09:00", 5, "working_day")
    assert told(clock, "zh")[3:] == [
        "2027-01-01（周五）：元旦，共 1 天，不计，期限顺延 8 小时。自此放假安排尚未公布，暂按星期和固定节日推算。",
        "2027-01-02（周六）至 01-03（周日）：周末，不计。",
        "2027-01-04（周一）：08:00-12:00、14:00-18:00，计 8 小时。",
        "2027-01-05（周二）：08:00-09:00，计 1 小时。",
        "到期（暂定）：2027-01-05（周二） 09:00。放假安排公布后重新计算。",
    ]
    assert told(clock, "en")[-1] == (
        "Due, provisionally: Tue 2027-01-05 09:00. It is computed again when the holidays are published."
    )


def test_a_statutory_limit_is_told_in_whole_days_and_ends_at_24_hours() -> None:
    clock = clock_of("2026-09-18 17:00", 3, "statutory_working_day")
    assert told(clock, "zh") == [
        "时限 3 法定工作日，自 2026-09-18（周五） 17:00 起计。",
        "2026-09-18（周五）：起算当日不计。",
        "2026-09-19（周六）：周末，不计。",
        "2026-09-20（周日）：国庆节调休，上班，全天，计 1 天。",
        "2026-09-21（周一）至 09-22（周二）：2 个工作日（全天），计 2 天。",
        "到期：2026-09-22（周二） 24:00。",
    ]


def test_an_urgent_limit_runs_through_nights_and_days_off() -> None:
    clock = clock_of("2026-09-30 19:30:10", 2, "urgent_hour", pauses=[("2026-09-30 20:00", "2026-09-30 21:00")])
    assert told(clock, "en")[1:] == [
        "Wed 2026-09-30 19:30:10 to Wed 2026-09-30 20:00: nights and days off count too, 29 min 50 s.",
        "Wed 2026-09-30 20:00 to Wed 2026-09-30 21:00: the clock stood still; the deadline is later by 1 h.",
        "Wed 2026-09-30 21:00 to Wed 2026-09-30 22:30:10: nights and days off count too, 1 h 30 min 10 s.",
        "Due: Wed 2026-09-30 22:30:10.",
    ]


def test_a_start_after_hours_says_that_the_day_is_over() -> None:
    clock = clock_of("2026-09-20 18:30", 1, "working_hour")
    assert told(clock, "zh")[1] == "2026-09-20（周日） 18:30 之后：当日已无工作时间，不计。"
    assert told(clock, "en")[1] == "After Sun 2026-09-20 18:30: no working time is left on that day."


def test_what_is_due_at_once_needs_no_counting() -> None:
    clock = clock_of("2026-09-30 16:00", 0, "at_once")
    assert told(clock, "zh")[1:] == ["2026-09-30（周三） 16:00：立即到期。", "到期：2026-09-30（周三） 16:00。"]


def test_a_disaster_day_and_a_weekend_that_is_worked_carry_the_names_that_the_city_gave_them() -> None:
    flood = day_off("2026-08-06", "防汛停工", "work stopped for the flood")
    saturday = make_up_day("2026-08-08", "灾后复工", "work after the flood")
    working_time = WorkingTime.of(calendar(flood, saturday), HOURS)
    clock = start_clock("handle", limit(2, "working_day"), local("2026-08-05 14:00"), working_time, 5, 1)
    assert list(sentences(explain(clock, working_time), "zh"))[2:5] == [
        "2026-08-06（周四）：防汛停工，共 1 天，不计，期限顺延 8 小时。",
        "2026-08-07（周五）：08:00-12:00、14:00-18:00，计 8 小时。",
        "2026-08-08（周六）：灾后复工，上班，08:00-12:00，计 4 小时。",
    ]


def test_a_clock_is_not_explained_with_documents_that_it_does_not_rest_on() -> None:
    other = WorkingTime.of(calendar(), HOURS)
    with pytest.raises(ValueError, match="by these documents"):
        explain(clock_of("2026-09-30 16:00", 4, "working_hour"), other)


def test_steps_say_in_figures_what_the_sentences_say() -> None:
    explained = explain(clock_of("2026-09-30 16:00", 4, "working_hour"), CITY)
    assert [(step.kind, step.days, step.used // HOUR, step.moved // HOUR) for step in explained.steps] == [
        ("working_day", 1, 2, 0),
        ("day_off", 7, 0, 40),
        ("working_day", 1, 2, 0),
    ]
    assert (explained.calendar_version, explained.policy_version) == (1, 1)


@pytest.mark.parametrize(
    "amount, unit, chinese, english",
    [
        (1, "working_day", "1 工作日", "1 working day"),
        (2, "urgent_hour", "2 紧急工作时", "2 urgent hours"),
        (0, "at_once", "立即", "at once"),
    ],
)
def test_limits_are_told_in_both_languages(amount: int, unit: LimitUnit, chinese: str, english: str) -> None:
    asked = limit(amount, unit)
    assert (limit_text(asked, "zh"), limit_text(asked, "en")) == (chinese, english)


def test_durations_are_told_without_their_sign() -> None:
    assert duration_text(-HOUR * 7.5, limit(1, "working_day"), "zh") == "7 小时 30 分"
    assert duration_text(HOUR * 48, limit(1, "statutory_working_day"), "en") == "2 d"
    assert duration_text(HOUR * 0, limit(1, "working_hour"), "en") == "0 h"
