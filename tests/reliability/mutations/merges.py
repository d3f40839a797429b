"""What two reports agree on: no chains, no report that is merged though it has moved on, and everybody hears of it."""

from typing import Final

from tests.reliability.mutations.mutation import Mutation

_FILE: Final = "services/intake/domain/acts/merges.py"
_EXPECTED: Final = "tests/unit/intake/test_expected_merges.py::"
_MERGES: Final = "tests/unit/intake/test_merges.py::"

MUTATIONS: Final = (
    Mutation(
        name="what carries others is not merged",
        invariant="I-6",
        removed="a report into which others were merged is not merged itself",
        file=_FILE,
        text="    if state.carries:\n",
        replacement="    if state.carries and state.master:\n",
        pins=(f"{_MERGES}test_a_report_that_carries_others_or_is_about_to_is_not_merged",),
    ),
    Mutation(
        name="what asks to be merged carries none",
        invariant="I-6",
        removed="a report that asks to go on as another one takes none on",
        file=_FILE,
        text='        return "merging"\n',
        replacement="        return None\n",
        pins=(
            f"{_MERGES}test_two_reports_that_ask_each_other_at_once_stay_as_they_are",
            f"{_MERGES}test_a_master_that_asks_a_third_meanwhile_declines",
        ),
    ),
    Mutation(
        name="a report that has moved on stays by itself",
        invariant="I-6",
        removed="a report that was filed or rejected before its master admitted it is not merged",
        file=_FILE,
        text="if state.merging == command.master and state.status in _MERGEABLE:",
        replacement="if state.merging == command.master:",
        pins=(f"{_MERGES}test_a_report_that_has_moved_on_meanwhile_is_released_again",),
    ),
    Mutation(
        name="none is merged into a rejected one",
        invariant="I-6",
        removed="a report is not rejected while another one is about to be merged into it",
        file="services/intake/domain/acts/endings.py",
        text="if state.expects:",
        replacement="if state.expects and not state.carries:",
        pins=(f"{_EXPECTED}test_a_master_is_not_rejected_until_the_report_that_it_admitted_has_come",),
    ),
    Mutation(
        name="a master speaks for all",
        invariant="I-6",
        removed="what a reporter is told of the case, those of merged reports are told too",
        file="services/intake/domain/telling.py",
        text="merged_reports=carries,",
        replacement="merged_reports=(),",
        pins=(f"{_MERGES}test_what_the_reporter_of_the_master_is_told_those_of_merged_reports_are_told_too",),
    ),
)
"""A merge asks, and is answered once: what is asked twice is `write_path`'s."""
