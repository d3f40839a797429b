"""What a case is after everything that can happen beyond the normal course."""

from datetime import timedelta

import pytest

from services.analytics.domain.facts import CaseFacts, ImpossibleEvent, LegFacts
from tests.support.lives import MASTER, SPRING, dispatched, whole_lives
from tests.support.long_stories import LongStory
from tests.support.stories import Story
from tests.unit.analytics.test_facts import case_of, fold

DAY = timedelta(days=1)


def leg_of(story: Story, leg: int = 1) -> LegFacts:
    return case_of(story).legs[leg]


def closed() -> LongStory:
    return LongStory().handled("ecology", "housing").closed()


def ends(case: CaseFacts) -> tuple[bool, bool, bool]:
    return case.closed_at is not None, case.voided_at is not None, case.merged_at is not None


def test_the_stories_of_a_whole_life_can_be() -> None:
    assert [case_of(story).ended for story in whole_lives()] == [False, False, True, False, False]


# ------------------------------------------------------------------------------------------------------------- legs


def test_a_redispatched_case_has_the_new_legs_and_no_other() -> None:
    case = case_of(dispatched("ecology", "housing").redispatched("health"))
    assert {number: (leg.unit, leg.state) for number, leg in case.legs.items()} == {1: ("health", "assigned")}
    assert case.lead == "health"


def test_added_legs_stand_beside_those_that_there_are() -> None:
    story = dispatched("ecology").signed().legs_added("housing", "health")
    case = case_of(story)
    assert {leg.unit: (leg.role, leg.state) for leg in case.legs.values()} == {
        "ecology": ("lead", "handling"),
        "housing": ("support", "assigned"),
        "health": ("support", "assigned"),
    }
    assert case.legs[3].due_at == story.cases[-1].at + DAY


def test_a_ruling_gives_the_leg_to_the_named_unit_from_the_beginning() -> None:
    story = dispatched().signed().return_requested().ruled("health")
    case = case_of(story)
    assert (case.lead, case.legs[1].state, case.legs[1].signed_at) == ("health", "assigned", None)


def test_a_leg_that_nobody_signed_in_time_is_handled_without_a_signature() -> None:
    leg = leg_of(dispatched().counted_as_signed())
    assert (leg.state, leg.signed_at) == ("handling", None)


def test_a_leg_whose_return_is_pending_stays_so_when_it_counts_as_signed() -> None:
    assert leg_of(dispatched().return_requested().counted_as_signed()).state == "return_pending"


def test_an_extension_moves_the_deadline_when_it_is_granted() -> None:
    story = dispatched().signed().extension_requested()
    before = leg_of(story)
    assert (before.extension_requested, before.due_at) == (True, None)
    story.extended()
    after = leg_of(story)
    assert (after.extension_requested, after.due_at) == (False, story.cases[-1].at + DAY)
    assert leg_of(dispatched().extension_requested().extension_refused()).extension_requested is False


def test_a_suspension_goes_through_two_hands_and_ends() -> None:
    story = dispatched().signed().suspension_requested(SPRING)
    assert leg_of(story).suspension == "requested"
    assert leg_of(story.suspension_endorsed()).suspension == "endorsed"
    suspended = leg_of(story.suspended(SPRING))
    assert (suspended.state, suspended.suspension, suspended.suspended_until) == ("suspended", None, SPRING)
    resumed = leg_of(story.resumed())
    assert (resumed.state, resumed.suspended_until) == ("handling", None)
    assert resumed.due_at == story.cases[-1].at + DAY


def test_a_refused_suspension_leaves_nothing() -> None:
    leg = leg_of(dispatched().signed().suspension_requested(SPRING).suspension_refused())
    assert (leg.state, leg.suspension) == ("handling", None)


def test_feedback_ends_whatever_was_asked_for() -> None:
    leg = leg_of(dispatched().signed().extension_requested().suspension_requested(SPRING).fed_back())
    assert (leg.state, leg.extension_requested, leg.suspension) == ("fed_back", False, None)


def test_a_leg_that_was_sent_back_is_rework() -> None:
    leg = leg_of(dispatched("ecology").signed().fed_back().sent_back())
    assert (leg.state, leg.again, leg.again_reason, leg.reworks) == ("handling", "sent_back", "no photo", 1)


def test_only_a_passed_handling_limit_makes_a_leg_overdue() -> None:
    story = dispatched().warned().breached(None, stage="dispatch").breached(stage="sign")
    assert leg_of(story).overdue_at is None
    story.breached(late=timedelta(hours=3))
    assert leg_of(story).overdue_at == story.cases[-1].at - timedelta(hours=3)


def test_a_later_breach_leaves_the_first() -> None:
    story = dispatched().breached()
    first = leg_of(story).overdue_at
    assert leg_of(story.breached()).overdue_at == first


def test_an_upheld_appeal_exempts_and_the_overdue_fact_stays() -> None:
    story = LongStory().filed().opened().dispatched("ecology").signed().breached().fed_back().check_passed().closed()
    overdue_at = leg_of(story).overdue_at
    assert leg_of(story.appealed()).appeal == "pending"
    assert leg_of(story.appeal_reviewed(last=False)).exempted_at is None
    leg = leg_of(story.appeal_reviewed())
    assert (leg.appeal, leg.overdue_at, leg.exempted_at) == ("upheld", overdue_at, story.cases[-1].at)


def test_a_breach_after_an_upheld_appeal_is_not_exempt() -> None:
    story = closed().breached().appealed().appeal_reviewed().reopened().breached()
    assert leg_of(story).exempted_at is None


def test_a_rejected_appeal_exempts_nothing() -> None:
    story = closed().appealed().appeal_reviewed(upheld=False)
    assert (leg_of(story).appeal, leg_of(story).exempted_at) == ("rejected", None)


def test_a_recomputed_clock_moves_the_deadline_of_its_leg_alone() -> None:
    story = dispatched().recomputed(2)
    assert (leg_of(story, 1).due_at, leg_of(story, 2).due_at) == (None, story.cases[-1].at + DAY)


# --------------------------------------------------------------------------------------------------- the case's ends


def test_a_check_is_assigned_until_it_was_made() -> None:
    story = dispatched("ecology").signed().fed_back().check_assigned("minzhu-street")
    assert case_of(story).check_unit == "minzhu-street"
    assert case_of(story.check_passed()).check_unit is None


def test_a_leg_that_goes_on_takes_an_ordered_or_passed_check_with_it() -> None:
    sent_back = case_of(dispatched("ecology").signed().fed_back().check_assigned().sent_back())
    added = case_of(dispatched("ecology").signed().fed_back().check_passed().legs_added("housing"))
    assert (sent_back.check_unit, added.check_passed) == (None, None)


def test_a_reopened_case_is_open_again() -> None:
    story = closed().reopened(2)
    case = case_of(story)
    assert (ends(case), case.check_passed) == ((False, False, False), None)
    assert {number: (leg.state, leg.again) for number, leg in case.legs.items()} == {
        1: ("fed_back", None),
        2: ("handling", "false_closing"),
    }
    assert case.legs[2].due_at == story.cases[-1].at + DAY
    assert case.legs[2].reworks == 0


def test_a_reopened_case_closes_again() -> None:
    story = closed().reopened(2).fed_back(2).check_passed().closed()
    assert case_of(story).closed_at == story.cases[-1].at


def test_a_voided_case_is_neither_open_nor_closed() -> None:
    story = dispatched().void_proposed()
    assert (case_of(story).void_proposed, ends(case_of(story))) == ("not_found", (False, False, False))
    voided = case_of(story.voided())
    assert (ends(voided), voided.void_reason, voided.void_proposed) == ((False, True, False), "not_found", None)


def test_a_refused_void_leaves_nothing() -> None:
    assert case_of(dispatched().void_proposed().void_refused()).void_proposed is None


def test_a_merged_case_goes_into_its_master_and_out_again() -> None:
    story = dispatched().signed().merge_requested(MASTER)
    assert (case_of(story).merge_requested, ends(case_of(story))) == (MASTER, (False, False, False))
    merged = case_of(story.merged(MASTER))
    assert (ends(merged), merged.merged_into, merged.merge_requested) == ((False, False, True), MASTER, None)
    unmerged = case_of(story.unmerged(MASTER))
    assert (ends(unmerged), unmerged.merged_into) == ((False, False, False), None)
    assert unmerged.legs[1].state == "handling"


def test_the_clocks_of_an_unmerged_case_go_on() -> None:
    story = dispatched().merged(MASTER).unmerged(MASTER, 2)
    due = story.cases[-1].at + DAY
    assert {number: leg.due_at for number, leg in case_of(story).legs.items()} == {1: None, 2: due}


def test_an_abandoned_merge_leaves_nothing() -> None:
    assert case_of(dispatched().merge_requested(MASTER).merge_abandoned(MASTER)).merge_requested is None


def test_what_a_master_carries_changes_nothing_that_is_counted_of_it() -> None:
    story = dispatched()
    before = case_of(story)
    assert case_of(story.merge_admitted(MASTER).merge_released(MASTER).merge_declined(MASTER)) == before


def test_a_case_is_at_the_level_that_has_to_solve_it_and_counts_where_it_was_closed() -> None:
    story = LongStory().filed().opened().dispatched("minzhu-street", level="grid")
    assert case_of(story).level == "grid"
    assert case_of(story.escalated("grid", "street")).level == "street"
    assert case_of(story.signed().fed_back().check_passed().closed("street")).level == "street"


def test_a_supervision_waits_for_its_answer() -> None:
    story = dispatched().supervised()
    assert case_of(story).answer_awaited is True
    assert case_of(story.supervision_answered()).answer_awaited is False


@pytest.mark.parametrize("tell", [LongStory.sent_back, LongStory.breached, LongStory.extended, LongStory.reopened])
def test_an_event_about_a_leg_that_was_never_assigned_is_impossible(tell: object) -> None:
    assert callable(tell)
    event = tell(closed(), 2).cases[-1]
    with pytest.raises(ImpossibleEvent, match="Leg 2"):
        fold([*Story().filed().opened().dispatched("ecology").cases, event])
