"""The facts of reports, cases and legs are folds of their streams; the two streams share nothing."""

from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.analytics.domain.case_fold import CaseEvent, evolve_case
from services.analytics.domain.facts import CaseFacts, ImpossibleEvent, ReportFacts
from services.analytics.domain.report_fold import ReportEvent, evolve_report
from shared.contracts.common import Event
from shared.contracts.intake import ReportClockBreached, ReportClockWarned
from shared.contracts.registry import CASE_EVENTS, REPORT_EVENTS
from shared.contracts.report_merges import ReportMergeAbandoned
from shared.kernel.identifiers import new_id
from tests.support.lives import MASTER, asking, merged_report, merges_of_reports, whole_lives
from tests.support.stories import NUMBER, START, SYSTEM, Story

Facts = tuple[ReportFacts | None, CaseFacts | None]


def fold(events: list[Event]) -> Facts:
    """Feed events of both streams in this order."""
    report: ReportFacts | None = None
    case: CaseFacts | None = None
    for event in events:
        if isinstance(event, REPORT_EVENTS):
            report = evolve_report(report, cast("ReportEvent", event))
        else:
            case = evolve_case(case, cast("CaseEvent", event))
    return report, case


def report_of(story: Story) -> ReportFacts:
    report, _ = fold(story.reports)
    assert report is not None
    return report


def case_of(story: Story) -> CaseFacts:
    _, case = fold(story.cases)
    assert case is not None
    return case


def test_a_report_keeps_what_it_said_first() -> None:
    report = report_of(Story(source="grid-platform", category="E0701", campaign="autumn"))
    assert (report.source, report.category_code, report.campaign) == ("grid-platform", "E0701", "autumn")
    assert report.filed_at is None


def test_a_waiting_report_says_what_is_missing_until_it_is_completed() -> None:
    story = Story(street=None, community=None, missing=("place.street", "place.community"))
    assert report_of(story).missing == ("place.street", "place.community")
    completed = report_of(story.completed(street="220281002", community="220281002001"))
    assert (completed.missing, completed.street, completed.community) == ((), "220281002", "220281002001")


def test_a_report_knows_who_is_to_verify_it_and_then_what_was_found() -> None:
    story = Story()
    facts = report_of(story.verification_assigned("housing"))
    assert (facts.verify_unit, facts.verified) == ("housing", None)
    facts = report_of(story.verified("undetermined"))
    assert (facts.verify_unit, facts.verified) == (None, "undetermined")


def test_a_category_that_is_not_decided_yet_is_the_one_that_the_source_named() -> None:
    assert report_of(Story(category="E0801", missing=("condition",))).category_code == "E0801"


def test_a_rejected_report_keeps_the_code_of_its_reason() -> None:
    report = report_of(Story().rejected())
    assert (report.rejection, report.rejected_at is not None) == ("not_ours", True)


def test_a_merged_report_says_into_which_and_no_longer_asks() -> None:
    asks, report = report_of(asking()), report_of(merged_report())
    assert (asks.report_merge_requested, asks.report_merged_at) == (MASTER, None)
    assert (report.report_merge_requested, report.report_merged_into) == (None, MASTER)
    assert report.report_merged_at is not None


def test_a_report_that_is_not_merged_and_one_that_takes_others_on_stay_as_they_were() -> None:
    for story in merges_of_reports()[1:]:
        assert report_of(story) == fold(story.reports[:1])[0]


def test_an_answer_of_a_report_that_was_asked_before_ends_no_later_request() -> None:
    late = asking().of_merge(ReportMergeAbandoned, master=new_id(), reason="merged", admitted=False)
    assert report_of(late).report_merge_requested == MASTER


def test_the_lead_leg_names_the_case_lead() -> None:
    case = case_of(Story().filed().opened().dispatched("fire-rescue", "power-supply"))
    assert case.lead == "fire-rescue"
    assert {leg.unit: leg.role for leg in case.legs.values()} == {"fire-rescue": "lead", "power-supply": "support"}


def test_a_case_that_was_dispatched_by_hand_is_no_longer_unroutable() -> None:
    story = Story().filed().opened().unroutable()
    assert case_of(story).unroutable == "no_rule"
    assert case_of(story.dispatched()).unroutable is None


def test_an_upheld_return_gives_the_leg_to_the_other_unit_from_the_beginning() -> None:
    case = case_of(Story().filed().opened().dispatched("ecology").signed().return_requested().return_upheld("housing"))
    leg = case.legs[1]
    assert (case.lead, leg.unit, leg.role, leg.state, leg.signed_at) == ("housing", "housing", "lead", "assigned", None)


def test_a_refused_return_leaves_the_leg_in_handling() -> None:
    case = case_of(Story().filed().opened().dispatched().return_requested().return_refused())
    assert case.legs[1].state == "handling"


def test_a_failed_check_sends_the_named_legs_back_and_counts_it() -> None:
    story = Story().filed().opened().dispatched("ecology", "housing")
    story.signed(2).fed_back(2).signed(1).fed_back(1).check_failed(2)
    case = case_of(story)
    assert {number: (leg.state, leg.again, leg.reworks) for number, leg in case.legs.items()} == {
        1: ("fed_back", None, 0),
        2: ("handling", "check_failed", 1),
    }
    assert case.check_passed is False
    reworked = case_of(story.fed_back(2)).legs[2]
    assert (reworked.state, reworked.again, reworked.reworks) == ("fed_back", None, 1)


def test_a_waived_leg_is_done() -> None:
    assert case_of(Story().filed().opened().dispatched("ecology", "housing").waived(2)).legs[2].done


def test_a_closed_case_knows_when_it_was_closed() -> None:
    story = Story().handled().closed()
    assert case_of(story).closed_at == story.cases[-1].at


def test_an_event_before_its_streams_first_is_impossible() -> None:
    story = Story().filed().opened()
    with pytest.raises(ImpossibleEvent, match="before the report"):
        fold(story.reports[1:])
    with pytest.raises(ImpossibleEvent, match="before the case"):
        fold(story.dispatched().cases[1:])


def test_an_act_on_a_leg_that_was_never_assigned_is_impossible() -> None:
    story = Story().filed().opened().dispatched("ecology", "housing")
    signed = story.signed(2).cases[-1]
    with pytest.raises(ImpossibleEvent, match="Leg 2"):
        fold([*Story().filed().opened().dispatched("ecology").cases, signed])


def test_the_folds_know_every_event_of_their_topics() -> None:
    told = Story(missing=("condition",)).completed(street="220281002", community="220281002001")
    told.verification_assigned().verified("exists")
    told.handled("ecology", "housing").closed()
    returned = Story().filed().opened().unroutable().dispatched("ecology", "housing")
    returned.return_requested().return_refused().return_requested().return_upheld("health").waived(2)
    stories = (told, returned, Story().rejected(), *whole_lives(), *merges_of_reports())
    happened = {type(event) for story in stories for event in story.reports + story.cases}
    untold = {kind.__name__ for kind in (*REPORT_EVENTS, *CASE_EVENTS) if kind not in happened}
    assert untold == {
        "ReportContentForgotten",
        "ReportClockWarned",
        "ReportClockBreached",
        "ReportClockRecomputed",
        "CaseOpeningDeclined",
        "MergeTold",
        "UnmergeTold",
        "OutcomeTold",
    }


def test_the_clocks_of_a_report_change_no_fact() -> None:
    reported = Story().reports[0]
    warned = ReportClockWarned(at=START, by=SYSTEM, stage="accept", percent=80, due_at=START)
    breached = ReportClockBreached(at=START, by=SYSTEM, stage="accept", due_at=START)
    assert fold([reported, warned, breached]) == fold([reported])


@st.composite
def interleavings(draw: st.DrawFn) -> tuple[Story, list[Event]]:
    """A story and its events in an order that keeps each stream's own."""
    story = Story(missing=draw(st.sampled_from([(), ("condition",)])))
    story.completed(street="220281002", community="220281002001").filed().opened()
    if draw(st.booleans()):
        story.unroutable()
    story.dispatched("ecology", "housing").signed(2).fed_back(2)
    if draw(st.booleans()):
        story.return_requested(1).return_upheld("health", 1)
    story.signed(1).fed_back(1)
    for _ in range(draw(st.integers(0, 2))):
        story.check_failed(2).fed_back(2)
    story.check_passed()
    if draw(st.booleans()):
        story.closed()
    choices = draw(st.permutations([0] * len(story.reports) + [1] * len(story.cases)))
    streams = iter(story.reports), iter(story.cases)
    return story, [next(streams[choice]) for choice in choices]


@settings(deadline=None)  # how fast this machine is now says nothing about the folds
@given(interleavings())
def test_every_interleaving_of_the_two_streams_gives_equal_facts(told: tuple[Story, list[Event]]) -> None:
    story, interleaved = told
    assert fold(interleaved) == fold([*story.reports, *story.cases]) == fold([*story.cases, *story.reports])


def test_a_case_has_the_number_that_it_was_opened_with() -> None:
    assert case_of(Story().handled().closed()).number == NUMBER


def test_instants_are_those_of_the_events() -> None:
    story = Story(start=START).handled().closed()
    report, case = report_of(story), case_of(story)
    assert report.reported_at == story.reports[0].at
    assert report.filed_at == story.reports[-1].at
    assert case.opened_at == story.cases[0].at
