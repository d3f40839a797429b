"""Guarantees of what time does: wakes fire in order and once, late rather than too early, and stop nobody."""

from typing import Final

from tests.reliability.mutations.mutation import Mutation

_TIMERS: Final = "tests/integration/test_timers.py::"
_PROCESSES: Final = "tests/integration/test_timers_processes.py::"
_INBOUND: Final = "tests/integration/test_inbound.py::"
_TIME: Final = "tests/integration/test_dispatch_time.py::"
_CLOCKS: Final = "tests/unit/dispatch/test_clocks.py::"
_REPORTS: Final = "tests/unit/intake/test_clocks.py::"
_MOVED: Final = "tests/unit/intake/test_moved_clocks.py::"
_MOVED_CASES: Final = "tests/unit/dispatch/test_moved_clocks.py::"
_RECOMPUTING: Final = "tests/integration/test_intake_recomputing.py::"
_VERIFYING: Final = "tests/unit/intake/test_verification.py::"
_WAITS: Final = f"{_TIMERS}test_a_wake_waits_until_what_came_in_before_it_was_consumed"

MUTATIONS: Final = (
    Mutation(
        name="wakes wait for what came in",
        invariant="I-8",
        removed="a wake fires only when what came in before it was due has been consumed",
        file="shared/ledger/timers.py",
        text="if may_fire is not None and wake.due_at < may_fire and wake not in stubborn]",
        replacement="if wake not in stubborn]",
        pins=(_WAITS, f"{_PROCESSES}test_who_acted_in_time_is_not_late_because_our_reception_stood_still"),
        every_run=True,
    ),
    Mutation(
        name="the broker's clock",
        invariant="I-8",
        removed="a wake waits for acts that a broker whose clock is behind lets count as of before it",
        file="shared/ledger/timers.py",
        text="return None if known is None else known - self._clock_difference",
        replacement="return known",
        pins=(f"{_TIMERS}test_a_wake_waits_for_a_broker_whose_clock_is_behind",),
    ),
    Mutation(
        name="every record of every group",
        invariant="I-8",
        removed="what came in has been consumed when every group has acknowledged all of it",
        file="shared/messaging/inbound.py",
        text="if begins[place] < ends[place]}",
        replacement="if begins[place] > ends[place]}",
        pins=(
            f"{_INBOUND}test_a_record_that_no_group_has_acknowledged_holds_the_answer_back",
            f"{_INBOUND}test_every_group_must_have_come_so_far",
        ),
    ),
    Mutation(
        name="a lost acknowledgement is given again",
        invariant="I-8",
        removed="what was handled is acknowledged at last, though nothing follows it",
        file="shared/messaging/consumer.py",
        text="            self._unacknowledged.add(records, self._drain.shares)\n",
        replacement="",
        pins=(f"{_INBOUND}test_an_acknowledgement_that_was_lost_is_given_again",),
    ),
    Mutation(
        name="a wake that fired goes",
        invariant="I-5",
        removed="a wake goes in the transaction in which its command was decided",
        file="shared/ledger/write.py",
        text="for kind in before if before[kind] != after.get(kind)]",
        replacement="for kind in before if kind in after and before[kind] != after[kind]]",
        pins=(f"{_TIMERS}test_wakes_fire_in_the_order_in_which_they_were_due",),
    ),
    Mutation(
        name="wakes in the order of due time",
        invariant="I-12",
        removed="what was due first fires first",
        file="shared/ledger/timers.py",
        text='"ORDER BY due_at LIMIT $3"',
        replacement='"ORDER BY due_at DESC LIMIT $3"',
        pins=(f"{_TIMERS}test_wakes_fire_in_the_order_in_which_they_were_due",),
    ),
    Mutation(
        name="a wake is due",
        invariant="I-12",
        removed="no wake fires before its time",
        file="shared/ledger/timers.py",
        text="due = await self._read(now - self._clock_difference, aside)",
        replacement="due = await self._read(now + timedelta(days=1), aside)",
        pins=(f"{_TIMERS}test_nobody_is_asked_what_was_consumed_while_nothing_is_due",),
    ),
    Mutation(
        name="a wake tells what is due by then",
        invariant="I-12",
        removed="a wake that comes late tells nothing that was due after it",
        file="services/dispatch/domain/acts/clocks.py",
        text="due.at <= command.due_at:",
        replacement="due.at <= acting.at:",
        pins=(f"{_CLOCKS}test_a_wake_tells_nothing_that_is_due_after_it",),
    ),
    Mutation(
        name="a wake of a report tells what is due by then",
        invariant="I-12",
        removed="a wake of a report that comes late tells nothing that was due after it",
        file="services/intake/domain/clocks.py",
        text="if at > command.due_at:",
        replacement="if at > context.at:",
        pins=(f"{_REPORTS}test_a_wake_that_comes_late_tells_nothing_that_is_due_after_it",),
    ),
    Mutation(
        name="who is late is told so first",
        invariant="I-12",
        removed="an act on a report that is late is preceded by the breach",
        file="services/intake/domain/clocks.py",
        text="running.clock.due_at >= context.at:",
        replacement="running.told != BREACHED:",
        pins=(f"{_REPORTS}test_who_accepts_late_without_a_wake_having_told_so_is_told_first",),
    ),
    Mutation(
        name="acceptance stands still",
        invariant="I-12",
        removed="while somebody verifies a report, its clock of acceptance tells nothing",
        file="services/intake/domain/clocks.py",
        text="return self.stopped_at is None and self.paused_at is None",
        replacement="return self.stopped_at is None",
        pins=(f"{_VERIFYING}test_a_verification_warns_twice_and_breaches_and_acceptance_tells_nothing_meanwhile",),
    ),
    Mutation(
        name="verifying takes nothing of acceptance",
        invariant="I-12",
        removed="the time in which a report is verified is no time of its acceptance",
        file="services/intake/domain/clocks.py",
        text="pauses=(*one.clock.pauses, pause)",
        replacement="pauses=one.clock.pauses",
        pins=(f"{_VERIFYING}test_acceptance_stands_still_while_somebody_verifies_and_goes_on_where_it_was",),
    ),
    Mutation(
        name="a wake that stays stops nobody",
        invariant="I-7",
        removed="a wake that stays though it fired is set aside",
        file="shared/ledger/timers.py",
        text="stubborn = {wake for wake in self._fired if wake in there}",
        replacement="stubborn = {wake for wake in self._fired if wake not in there and wake in there}",
        pins=("tests/integration/test_timers_aside.py::test_a_whole_batch_of_wakes_that_stay_stops_nobody",),
    ),
    Mutation(
        name="clocks follow the limit policy",
        invariant="I-12",
        removed="a newer limit policy moves the clocks of open cases, as a newer calendar does",
        file="services/dispatch/queries/outdated.py",
        text="(calendar_version < $1 OR policy_version < $2)",
        replacement="(calendar_version < $1 OR policy_version < $2 - 1)",
        pins=(f"{_TIME}test_the_clocks_of_open_cases_follow_a_newer_limit_policy",),
    ),
    Mutation(
        name="clocks of reports follow the limit policy",
        invariant="I-12",
        removed="a newer limit policy moves the clocks of waiting reports, as a newer calendar does",
        file="services/intake/queries.py",
        text="(calendar_version < $1 OR policy_version < $2)",
        replacement="(calendar_version < $1 OR policy_version < $2 - 1)",
        pins=(f"{_RECOMPUTING}test_the_clocks_of_waiting_reports_follow_a_newer_limit_policy",),
    ),
    Mutation(
        name="a breach of a report stays a fact",
        invariant="I-12",
        removed="that a limit of a report has passed is shown whatever moves its clock later",
        file="services/intake/domain/clocks.py",
        text="replace(one, told=BREACHED, breached=True)",
        replacement="replace(one, told=BREACHED)",
        pins=(f"{_MOVED}test_a_deadline_that_moved_can_pass_once_more_and_the_first_breach_stays_a_fact",),
    ),
    Mutation(
        name="a deadline passes once",
        invariant="I-12",
        removed="a clock that comes back to a deadline that has passed does not tell so again",
        file="shared/deadlines/telling.py",
        text="if clock.due_at in clock.passed or (told == BREACHED and clock.due_at <= due_was):",
        replacement="if told == BREACHED and clock.due_at <= due_was:",
        pins=(
            f"{_MOVED}test_a_limit_passes_once_where_a_calendar_was_published_by_mistake_and_is_corrected",
            f"{_MOVED_CASES}test_a_limit_passes_once_where_a_calendar_was_published_by_mistake_and_is_corrected",
        ),
    ),
    Mutation(
        name="documents take away no warning",
        invariant="I-12",
        removed="a warning that is due and does not move is told though newer documents move the deadline",
        file="services/intake/domain/clocks.py",
        text="return min(one.told, told) if told in stayed else told",
        replacement="return told",
        pins=(f"{_MOVED}test_a_warning_that_was_due_when_acceptance_stood_still_is_told_when_it_goes_on",),
    ),
)
