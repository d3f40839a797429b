"""Whatever is asked of a report in whatever order, whenever wakes fire and calendars change, it stays a report."""

from datetime import date, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.intake.domain.clocks import wakes_of
from services.intake.domain.commands import (
    Accept,
    AssignVerification,
    Command,
    Complete,
    File,
    FireClocks,
    Forget,
    PlaceCorrection,
    RecomputeClocks,
    Reject,
    Verify,
)
from services.intake.domain.merging import (
    AbandonMerge,
    AdmitMerge,
    CompleteMerge,
    ConfirmMerge,
    MergeCommand,
    ReleaseMerge,
)
from services.intake.domain.report import EVENTS, INTAKE_ITSELF, ReportEvent, Status
from shared.contracts.common import Actor
from shared.contracts.decisions import Context
from shared.contracts.intake import (
    Filed,
    Rejected,
    ReportClockBreached,
    ReportClockRecomputed,
    ReportClockWarned,
    SubmittedCategory,
    VerificationAssigned,
    Verified,
)
from shared.contracts.report_merges import REPORT_MERGE_EVENTS, ReportMerged
from shared.kernel.errors import Refusal
from tests.support import reports
from tests.support.report_merges import MASTER_ID, OTHER_ID, merge
from tests.support.reports import CITY, COMMUNITY, LIBRARY, NOW, REPORT_ID, STREET, TRUSTED, UNTRUSTED
from tests.support.waiting import SYSTEM
from tests.support.working_hours import CALENDAR, calendar, day_off

NEXT: dict[Status, set[Status]] = {
    "reported": {"reported", "verifying", "accepted", "rejected", "merged"},
    "verifying": {"verifying", "reported", "rejected"},
    "accepted": {"accepted", "filed", "rejected", "merged"},
    "filed": {"filed"},
    "rejected": {"rejected"},
    "merged": {"merged"},
}
MASTERS = st.sampled_from([REPORT_ID, MASTER_ID, OTHER_ID])
CORRECTIONS = st.builds(
    Complete,
    category=st.sampled_from([None, reports.category(), reports.category("E0203", condition="small")]),
    place=st.sampled_from([None, PlaceCorrection(street=STREET, community=COMMUNITY), PlaceCorrection(latitude=1.0)]),
    expected_revision=st.sampled_from([None, 1, 2, 3]),
)
ACTS = st.one_of(
    CORRECTIONS,
    st.builds(AssignVerification, unit=st.sampled_from(["supervision-centre", "urban-management"])),
    st.builds(Verify, result=st.sampled_from(["exists", "absent", "undetermined"]), finding=st.just("looked")),
    st.builds(Accept, expected_revision=st.sampled_from([None, 1, 2]), reason=st.sampled_from([None, "a film"])),
    st.builds(File, expected_revision=st.sampled_from([None, 2, 3])),
    st.just(Reject(reason_code="not_found", reason="nothing there")),
    st.builds(merge, master=MASTERS, expected_revision=st.sampled_from([None, 1, 2])),
    st.just(Forget(reason="asked")),
)
ASKED = st.one_of(
    st.builds(AdmitMerge, report_id=st.just(REPORT_ID), merged=MASTERS),
    st.builds(CompleteMerge, report_id=st.just(REPORT_ID), master=MASTERS),
    st.builds(AbandonMerge, report_id=st.just(REPORT_ID), master=MASTERS, reason=st.just("rejected")),
    st.builds(ConfirmMerge, report_id=st.just(REPORT_ID), merged=MASTERS),
    st.builds(ReleaseMerge, report_id=st.just(REPORT_ID), merged=MASTERS),
)
"""What other reports ask, whether they can or not."""
ACTORS = st.sampled_from([reports.person(post) for post in reports.HOME_UNITS])
MINUTES = st.one_of(st.integers(0, 45), st.integers(0, 3_000))
"""What goes by before the next act: some of a limit of one working hour, or days."""


class ReportMachine(RuleBasedStateMachine):
    """A report under arbitrary commands."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[ReportEvent] = []
        self.now = NOW
        self.days_off: set[date] = set()
        self.library = LIBRARY

    @initialize(
        source=st.sampled_from([TRUSTED, UNTRUSTED]),
        category=st.sampled_from([reports.category(), reports.category("E0203")]),
        street=st.sampled_from([None, STREET]),
        community=st.sampled_from([None, COMMUNITY]),
    )
    def submit(self, source: str, category: SubmittedCategory, street: str | None, community: str | None) -> None:
        place = reports.place(street=street, community=community)
        self.events = reports.Given().when(reports.submit(category=category, place=place), reports.source(source))

    @precondition(lambda self: bool(self.events))
    @rule(command=ACTS, actor=ACTORS, minutes=MINUTES)
    def act(self, command: Command, actor: Actor, minutes: int) -> None:
        before = reports.fold(self.events)
        assert before is not None
        decision = reports.decide(before, command, self.context(actor, minutes))
        if isinstance(decision, Refusal):
            return
        *late, _done = decision
        assert [type(event) for event in late] in ([], [ReportClockBreached])
        self.events += [event for event in decision if isinstance(event, EVENTS)]
        after = reports.fold(self.events)
        assert after is not None
        assert after.status in NEXT[before.status]
        assert after.revision == before.revision + 1

    @precondition(lambda self: bool(self.events))
    @rule(command=ASKED, minutes=MINUTES)
    def hear(self, command: MergeCommand, minutes: int) -> None:
        before = reports.fold(self.events)
        assert before is not None
        decision = reports.decide(before, command, self.context(INTAKE_ITSELF, minutes))
        assert not isinstance(decision, Refusal)
        *late, answer = [event for event in decision if isinstance(event, EVENTS)]
        assert [type(event) for event in late] in ([], [ReportClockBreached])
        self.events += [*late, answer]
        after = reports.fold(self.events)
        assert after is not None
        assert after.status in NEXT[before.status]
        assert after.revision == before.revision
        if isinstance(answer, ReportMerged):
            assert before.merging == answer.master
            assert before.carries == ()

    @precondition(lambda self: bool(self.events))
    @rule(minutes=MINUTES)
    def wake(self, minutes: int) -> None:
        before = reports.fold(self.events)
        assert before is not None
        context = self.context(SYSTEM, minutes)
        told = reports.decide(before, FireClocks(due_at=self.now), context)
        assert not isinstance(told, Refusal)
        self.events += [event for event in told if isinstance(event, ReportClockWarned | ReportClockBreached)]
        after = reports.fold(self.events)
        assert after is not None
        assert all(wake.due_at > self.now for wake in wakes_of(after.clocks))

    @precondition(lambda self: bool(self.events))
    @rule(began=st.booleans(), minutes=MINUTES, followed=st.booleans())
    def a_day_off_is_published_or_taken_back(self, began: bool, minutes: int, followed: bool) -> None:
        """It is the day on which the last clock began, or is due. Somebody may act before the clock follows."""
        self.now += timedelta(minutes=minutes)
        state = reports.fold(self.events)
        clock = state.clocks[-1].clock if state and state.clocks else None
        day = self.now if clock is None else clock.started_at if began else clock.due_at
        self.days_off ^= {day.date()}
        off = [day_off(day.isoformat()) for day in sorted(self.days_off)]
        version, _calendar = self.library.calendar(CITY) or (0, CALENDAR)
        changed = calendar(*CALENDAR.days, *off, first_year=2020)
        self.library = self.library.with_document("calendar", CITY, version + 1, changed)
        if followed:
            self.follow(0)

    @precondition(lambda self: bool(self.events))
    @rule(minutes=MINUTES)
    def follow(self, minutes: int) -> None:
        before = reports.fold(self.events)
        assert before is not None
        decision = reports.decide(before, RecomputeClocks(), self.context(SYSTEM, minutes))
        assert not isinstance(decision, Refusal)
        self.events += [event for event in decision if isinstance(event, ReportClockRecomputed)]
        after = reports.fold(self.events)
        assert after is not None
        version, _calendar = self.library.calendar(CITY) or (0, CALENDAR)
        for was, now in zip(before.clocks, after.clocks, strict=True):
            assert not now.runs or now.clock.calendar_version == version
            assert was.told == now.told or was.clock.due_at != now.clock.due_at

    def context(self, actor: Actor, minutes: int) -> Context:
        """Let so much time go by."""
        self.now += timedelta(minutes=minutes)
        return reports.context(actor, at=self.now, library=self.library, stream=REPORT_ID)

    @invariant()
    def of_a_deadline_each_thing_is_told_once_and_in_order(self) -> None:
        told: dict[tuple[str, datetime], list[int]] = {}
        for event in self.events:
            if isinstance(event, VerificationAssigned):  # another verification has a clock of its own
                told = {limit: percents for limit, percents in told.items() if limit[0] != "verify"}
            if isinstance(event, ReportClockWarned | ReportClockBreached):
                percents = told.setdefault((event.stage, event.due_at), [])
                percents.append(event.percent if isinstance(event, ReportClockWarned) else 100)
        assert all(percents == sorted(set(percents)) for percents in told.values())

    @invariant()
    def a_limit_that_passed_is_shown_whatever_moves_its_clock(self) -> None:
        state = reports.fold(self.events)
        passed = {event.stage for event in self.events if isinstance(event, ReportClockBreached)}
        assert state is None or passed == {one.clock.stage for one in state.clocks if one.breached}

    @invariant()
    def one_clock_runs_that_of_the_stage_in_which_the_report_waits(self) -> None:
        state = reports.fold(self.events)
        running = [one.clock.stage for one in state.clocks if one.runs] if state else []
        wanted = {"reported": ["accept"], "verifying": ["verify"], "accepted": ["file"]}
        assert state is None or running == wanted.get(state.status, [])

    @invariant()
    def what_was_found_stays_found(self) -> None:
        found = [event.result for event in self.events if isinstance(event, Verified)]
        assert all(result == "undetermined" for result in found[:-1])

    @invariant()
    def nothing_wakes_an_ended_report(self) -> None:
        state = reports.fold(self.events)
        assert state is None or state.status in {"reported", "verifying", "accepted"} or not wakes_of(state.clocks)

    @invariant()
    def an_ended_report_ended_once(self) -> None:
        assert sum(isinstance(event, Filed | Rejected | ReportMerged) for event in self.events) <= 1

    @invariant()
    def a_filed_report_is_complete(self) -> None:
        state = reports.fold(self.events)
        if state is not None and state.status in {"accepted", "filed"}:
            assert state.missing == ()
            assert state.category is not None
            assert state.place.street is not None

    @invariant()
    def the_revision_counts_what_was_done(self) -> None:
        state = reports.fold(self.events)
        nobodys = (ReportClockWarned, ReportClockBreached, ReportClockRecomputed, *REPORT_MERGE_EVENTS[1:])
        done = [event for event in self.events if not isinstance(event, nobodys)]
        assert state is None or state.revision == len(done)


TestReportMachine = ReportMachine.TestCase
TestReportMachine.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
