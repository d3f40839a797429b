"""The worked examples of `docs/deadlines.md`: the page and the code say the same."""

from pathlib import Path
from typing import Final

from services.dispatch import seed
from shared.contracts.clocks import Clock, Pause
from shared.deadlines.clocks import moved_clock, start_clock
from shared.deadlines.explaining import explain
from shared.deadlines.rendering import sentences
from shared.deadlines.wording import Language
from shared.deadlines.working_time import WorkingTime
from tests.support.working_hours import limit, local

PAGE: Final = (Path(__file__).resolve().parents[3] / "docs" / "deadlines.md").read_text(encoding="utf-8")
CITY: Final = WorkingTime.of(seed.calendar(), seed.limit_policy())


def block_of(clock: Clock, language: Language) -> str:
    return "\n".join(("```", *sentences(explain(clock, CITY), language), "```"))


def test_the_example_with_a_make_up_day_is_as_the_page_tells_it() -> None:
    clock = start_clock("handle", limit(5, "working_day"), local("2026-09-18 17:00"), CITY, 1, 1)
    assert clock.due_at == local("2026-09-24 17:00")
    assert clock.warn_at == (local("2026-09-22 11:00"), local("2026-09-23 17:00"))
    assert block_of(clock, "zh") in PAGE


def test_the_example_with_a_pause_and_an_extension_is_as_the_page_tells_it() -> None:
    begun = start_clock("handle", limit(4, "working_hour"), local("2026-09-30 15:00"), CITY, 1, 1)
    pause = Pause(started_at=local("2026-09-30 16:00"), ended_at=local("2026-09-30 17:00"))
    clock = moved_clock(begun, CITY, 1, 1, pauses=[pause], extensions=1)
    assert (clock.original_due_at, clock.due_at) == (local("2026-10-08 09:00"), local("2026-10-08 16:00"))
    assert block_of(clock, "en") in PAGE
