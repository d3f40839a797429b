"""Construction waste takes longer than anybody thought: two extensions and no third (延期)."""

from functools import partial

from tests.support.adjusting import ask_extension, decide_extension
from tests.support.cases import DUTY_LEADER, LEADER, feed_back, sign
from tests.support.telling import STREET, Life, filed, handled

URBAN = "urban-management"
LEG = 1


def waste() -> Life:
    """Construction waste, Monday 11 May 2026, 08:00, signed for. Five working days: Friday the 15th, 18:00."""
    case = filed("2026-05-11 08:00", "E0111")
    handled(case, "2026-05-11 08:20", sign)
    return case


def test_the_duty_leader_extends_once_the_leader_once_more_and_nobody_a_third_time() -> None:
    # Given
    case = waste()
    assert case.due(URBAN) == "2026-05-15 18:00"

    # When: asked and approved on Thursday.
    case.when("2026-05-14 10:00", URBAN, ask_extension)
    case.when("2026-05-14 15:00", DUTY_LEADER, decide_extension(LEG))

    # Then: five working days more, for this department alone.
    assert case.due(URBAN) == "2026-05-22 18:00"
    assert case.due(STREET) == "2026-05-15 18:00"

    # When: asked for again on the Thursday after; that is the leader's to decide.
    case.when("2026-05-21 09:00", URBAN, ask_extension)
    assert case.refuses("2026-05-21 10:00", DUTY_LEADER, decide_extension(LEG)) == "not_entitled_post"
    case.when("2026-05-21 16:00", LEADER, decide_extension(LEG))

    # Then: five more, and the original deadline is what it was.
    assert case.due(URBAN) == "2026-05-29 18:00"
    assert case.due_first(URBAN) == "2026-05-15 18:00"
    assert case.refuses("2026-05-28 09:00", URBAN, ask_extension) == "extensions_exhausted"

    # When: it is not done by then either.
    case.time_passes("2026-05-29 18:00")

    # Then: half of 40 hours, half and four fifths of 80, four fifths of 120 (half of them had passed), and all.
    assert case.told(URBAN) == [
        "2026-05-13 12:00 handle 50 %",
        "2026-05-15 18:00 handle 50 %",
        "2026-05-20 18:00 handle 80 %",
        "2026-05-26 18:00 handle 80 %",
        "2026-05-29 18:00 handle breached",
    ]


def test_engineering_work_is_for_the_leader_at_once() -> None:
    # Given
    case = waste()
    case.when("2026-05-12 09:00", URBAN, partial(ask_extension, engineering=True))

    # When, then
    assert case.refuses("2026-05-12 10:00", DUTY_LEADER, decide_extension(LEG)) == "not_entitled_post"
    case.when("2026-05-12 11:00", LEADER, decide_extension(LEG))
    assert case.due(URBAN) == "2026-05-22 18:00"


def test_a_refused_extension_leaves_the_deadline_and_does_not_count() -> None:
    # Given
    case = waste()

    # When
    for asked, refused in (("2026-05-11 09:00", "2026-05-11 10:00"), ("2026-05-12 09:00", "2026-05-12 10:00")):
        case.when(asked, URBAN, ask_extension)
        case.when(refused, DUTY_LEADER, decide_extension(LEG, approved=False))
    assert case.due(URBAN) == "2026-05-15 18:00"

    # Then: asked for a third time, in the last minute, it may still be approved after the deadline.
    case.when("2026-05-15 18:00", URBAN, ask_extension)
    case.when("2026-05-18 09:00", DUTY_LEADER, decide_extension(LEG))
    assert case.due(URBAN) == "2026-05-22 18:00"


def test_after_the_deadline_it_is_too_late_to_ask() -> None:
    case = waste()
    assert case.refuses("2026-05-18 08:00", URBAN, ask_extension) == "overdue"
    handled(case, "2026-05-18 09:00", feed_back)
    assert case.told(URBAN)[-1] == "2026-05-15 18:00 handle breached"
