"""The history checker's own recount, written apart from the product, comes to the same after every event."""

import pytest
from msgspec import json

from services.analytics.domain.facts import CaseFacts, ReportFacts
from shared.contracts.registry import type_name
from tests.reliability.history.facts import Published
from tests.reliability.history.recount import BESIDE, Problem
from tests.support.lives import SPRING, dispatched, merges_of_reports, whole_lives
from tests.support.long_stories import LongStory
from tests.support.stories import Story
from tests.unit.analytics.test_facts import fold


def stories() -> list[Story]:
    """Lives in which much happens twice, or to several legs."""
    handed_on = dispatched().breached().breached(2).return_requested().return_upheld("health").breached()
    handed_on.return_requested().ruled("urban-management").breached(2)
    twice = LongStory().handled("ecology", "housing").closed("street").breached(2).appealed(2).appeal_reviewed(2)
    twice.reopened(2).breached(2).fed_back(2).check_failed(1, 2).fed_back(2).fed_back(1).check_passed().closed("city")
    suspended = dispatched().signed().signed(2).suspended(SPRING, 2).waived(2).suspended(SPRING).voided()
    unroutable = Story().filed().opened().unroutable()
    ended = [Story().rejected(), Story().handled().closed()]
    return [*whole_lives(), *merges_of_reports(), handed_on, twice, suspended, unroutable, *ended]


def published(story: Story) -> list[Published]:
    return [
        Published(
            topic=topic,
            partition=0,
            offset=sequence,
            stream=str(story.id),
            sequence=sequence,
            id=f"{topic}-{sequence}",
            type=type_name(type(event)),
            time=event.at.isoformat(),
            causation=None,
            correlation=None,
            previous=None,
            document=json.encode(event),
            digest=b"",
        )
        for topic, events in (("intake.reports", story.reports), ("dispatch.cases", story.cases))
        for sequence, event in enumerate(events, start=1)
    ]


def counted(report: ReportFacts, case: CaseFacts) -> tuple[object, ...]:
    """What the product's facts come to."""
    kind = "open"
    for name, at in (
        ("rejected", report.rejected_at),
        ("merged", report.report_merged_at),
        ("closed", case.closed_at),
        ("voided", case.voided_at),
        ("merged", case.merged_at),
    ):
        kind = name if at is not None else kind
    times = {beside: sum(mark.kind == beside and mark.until is None for mark in case.marks) for beside in BESIDE}
    if kind != "open":
        times["suspended"] = 0
    legs = {
        number: (
            leg.unit,
            leg.state,
            {
                name
                for name, holds in (
                    ("suspended", leg.state == "suspended"),
                    ("overdue", leg.overdue_at),
                    ("exempted", leg.exempted_at),
                )
                if holds
            },
        )
        for number, leg in case.legs.items()
    }
    return kind, case.level or "", case.lead or "", times, legs


def recounted(problem: Problem) -> tuple[object, ...]:
    """What the recount comes to."""
    case = problem.case
    times = {beside: case.times(beside) for beside in BESIDE}
    legs = {number: (leg.unit, leg.state, leg.kinds) for number, leg in case.legs.items()}
    return problem.kind, case.level, (case.leads or [""])[0], times, legs


@pytest.mark.parametrize("number", range(len(stories())))
def test_the_recount_comes_to_the_same_after_every_event(number: int) -> None:
    story = stories()[number]
    problem, told = Problem(), [*story.reports, *story.cases]
    for end, event in enumerate(published(story), start=1):
        problem.follow(event)
        report, case = fold(told[:end])
        assert report is not None
        opened = case or CaseFacts(opened_at=report.reported_at)
        assert recounted(problem) == counted(report, opened), (end, event.type)
