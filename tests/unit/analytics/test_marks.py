"""What is counted beside the figures: each occurrence with its instant, and until when it counts."""

from datetime import timedelta

import pytest

from tests.support.lives import MASTER, SPRING, dispatched
from tests.support.long_stories import LongStory
from tests.support.stories import Story
from tests.unit.analytics.test_facts import case_of

Told = tuple[str, int | None, str | None]


def closed() -> LongStory:
    return LongStory().handled("ecology", "housing").closed()


def holding(story: Story) -> list[Told]:
    """The marks that count now: kind, leg, unit."""
    return [(mark.kind, mark.leg, mark.unit) for mark in case_of(story).marks if mark.until is None]


def test_the_normal_course_leaves_no_mark() -> None:
    assert case_of(closed()).marks == ()


@pytest.mark.parametrize(
    "story, expected",
    [
        (dispatched("ecology").signed().fed_back().sent_back(), [("reworked", 1, "ecology")]),
        (dispatched().signed().extended(), [("extended", 1, "ecology")]),
        (dispatched().extension_requested().extension_refused(), []),
        (dispatched().signed().suspended(SPRING), [("suspended", 1, "ecology")]),
        (dispatched().signed().suspended(SPRING).resumed(), []),
        (dispatched().signed(2).suspended(SPRING, 2).waived(2), []),
        (dispatched().breached(), [("overdue", 1, "ecology")]),
        (dispatched().breached(stage="sign").breached(None, stage="dispatch"), []),
        (dispatched().supervised().supervision_answered(), [("supervised", None, None)]),
        (dispatched().escalated("grid", "street"), [("escalated", None, None)]),
        (dispatched().return_requested().return_refused(), []),
        (dispatched().return_requested().return_upheld("health"), [("returned", 1, "ecology")]),
        (closed().reopened(), [("reopened", None, None)]),
        (dispatched().merged(MASTER), []),
        (dispatched().voided(), []),
    ],
)
def test_each_occurrence_leaves_its_mark(story: LongStory, expected: list[Told]) -> None:
    assert holding(story) == expected


def test_a_failed_check_is_rework_of_each_leg_that_it_sends_back() -> None:
    story = dispatched().signed(2).fed_back(2).signed(1).fed_back(1).check_failed(1, 2).fed_back(2).fed_back(1)
    assert holding(story) == [("reworked", 1, "ecology"), ("reworked", 2, "housing")]


def test_marks_are_numbered_as_they_came() -> None:
    story = dispatched().supervised().escalated("street", "city").signed().extended()
    assert [(mark.number, mark.kind) for mark in case_of(story).marks] == [
        (1, "supervised"),
        (2, "escalated"),
        (3, "extended"),
    ]


def test_a_breach_counts_from_the_deadline_on_however_late_it_is_told() -> None:
    story = dispatched().breached(late=timedelta(hours=2))
    (mark,) = case_of(story).marks
    assert mark.at == story.cases[-1].at - timedelta(hours=2)


@pytest.mark.parametrize("moved_on", ["upheld", "ruled", "redispatched"])
def test_a_clock_that_another_unit_does_not_take_over_is_not_scored(moved_on: str) -> None:
    story = dispatched().breached(1).breached(2)
    match moved_on:
        case "upheld":
            story.return_requested().return_upheld("health")
        case "ruled":
            story.return_requested().ruled("health")
        case "redispatched":
            story.redispatched("health")
    left = [] if moved_on == "redispatched" else [("overdue", 2, "housing")]
    assert [told for told in holding(story) if told[0] == "overdue"] == left
    gone = [mark for mark in case_of(story).marks if mark.until is not None]
    assert {mark.until for mark in gone} == {story.cases[-1].at}


def test_an_upheld_appeal_is_counted_beside_the_breach_that_stays() -> None:
    story = closed().breached().appealed().appeal_reviewed(last=False).appeal_reviewed()
    assert holding(story) == [("overdue", 1, "ecology"), ("exempted", 1, "ecology")]


def test_an_appeal_exempts_every_breach_of_its_leg_once() -> None:
    story = closed().breached(1).breached(1).breached(2).appealed(1).appeal_reviewed(1).appeal_reviewed(1)
    assert [told for told in holding(story) if told[0] == "exempted"] == 2 * [("exempted", 1, "ecology")]


def test_a_closing_that_was_undone_counted_until_then() -> None:
    story = closed()
    closed_at = story.cases[-1].at
    story.reopened()
    (mark, _) = case_of(story).marks
    assert (mark.kind, mark.at, mark.until) == ("closed", closed_at, story.cases[-1].at)


def test_a_merge_that_was_undone_counted_until_then() -> None:
    story = dispatched().merged(MASTER)
    merged_at = story.cases[-1].at
    story.unmerged(MASTER)
    (mark,) = case_of(story).marks
    assert (mark.kind, mark.at, mark.until) == ("merged", merged_at, story.cases[-1].at)
