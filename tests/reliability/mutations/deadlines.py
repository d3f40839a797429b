"""Guarantees of deadlines: what a limit counts, that its original stays, and which documents explain it."""

from typing import Final

from tests.reliability.mutations.mutation import Mutation

_UNIT: Final = "tests/unit/deadlines/"
_TABLE: Final = f"{_UNIT}test_table.py::"
_CLOCKS: Final = f"{_UNIT}test_clocks.py::"
_WALK: Final = f"{_UNIT}test_simulation.py::test_a_deadline_is_where_a_walk_from_minute_to_minute_ends"

MUTATIONS: Final = (
    Mutation(
        name="the original deadline stays",
        invariant="I-12",
        removed="a pause or an extension leaves the original deadline as it was",
        file="shared/deadlines/clocks.py",
        text="        clock,\n        due_at=due.due_at,\n",
        replacement="        clock,\n        original_due_at=due.due_at,\n        due_at=due.due_at,\n",
        pins=(f"{_CLOCKS}test_a_pause_and_an_extension_move_the_deadline_and_the_warnings_but_never_the_original",),
    ),
    Mutation(
        name="a limit ends at the end of a slot",
        invariant="I-12",
        removed="a limit that is used up exactly at the end of a slot ends there",
        file="shared/deadlines/working_time.py",
        text="day = bisect_left(self.before, position) - 1",
        replacement="day = bisect_right(self.before, position) - 1",
        pins=(f"{_TABLE}test_a_limit_that_ends_exactly_at_the_end_of_a_slot_stays_there", _WALK),
    ),
    Mutation(
        name="a pause moves a deadline",
        invariant="I-12",
        removed="a pause moves a deadline by the counted time that it covers",
        file="shared/deadlines/deadline.py",
        text="        end += closed - opened\n",
        replacement="        end += min(closed - opened, 0)\n",
        pins=(f"{_TABLE}test_a_pause_moves_a_deadline_by_the_working_time_that_it_covers", _WALK),
    ),
    Mutation(
        name="unpublished days are provisional",
        invariant="I-12",
        removed="what rests on days that the calendar does not know says so",
        file="shared/deadlines/deadline.py",
        text="provisional=known is not None and end > known",
        replacement="provisional=known is not None and end < 0",
        pins=(f"{_TABLE}test_five_working_days_across_the_unpublished_new_year_are_provisional", _WALK),
    ),
    Mutation(
        name="the first day does not count",
        invariant="I-12",
        removed="the first day of a statutory limit does not count",
        file="shared/deadlines/deadline.py",
        text="return _day_of(start, working_time.natural.epoch) + _ONE_DAY",
        replacement="return _day_of(start, working_time.natural.epoch)",
        pins=(f"{_TABLE}test_the_first_day_of_a_statutory_limit_does_not_count_whatever_day_it_is", _WALK),
    ),
    Mutation(
        name="steps are those of the clock's documents",
        invariant="I-12",
        removed="a clock is not explained with documents that give another deadline",
        file="shared/deadlines/explaining.py",
        text="    if due.due_at != clock.due_at:\n",
        replacement="    if due.due_at is None:\n",
        pins=(f"{_UNIT}test_rendering.py::test_a_clock_is_not_explained_with_documents_that_it_does_not_rest_on",),
    ),
)
