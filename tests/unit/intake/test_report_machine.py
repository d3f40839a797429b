"""Whatever is asked of a report by whomever in whatever order, and whenever wakes fire, it stays a report."""

from datetime import timedelta

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
    Reject,
    Verify,
)
from services.intake.domain.merging import AbandonMerge, AdmitMerge, CompleteMerge, MergeCommand, ReleaseMerge
from services.intake.domain.report import EVENTS, INTAKE_ITSELF, ReportEvent, Status
from shared.contracts.common import Actor
from shared.contracts.intake import (
    Filed,
    Rejected,
    ReportClockBreached,
    ReportClockWarned,
    SubmittedCategory,
    VerificationAssigned,
    Verified,
)
from shared.contracts.report_merges import REPORT_MERGE_EVENTS, ReportMerged
from shared.kernel.errors import Refusal
from tests.support import reports
from tests.support.report_merges import MASTER_ID, OTHER_ID, merge
from tests.support.reports import COMMUNITY, NOW, REPORT_ID, STREET, TRUSTED, UNTRUSTED

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
    st.builds(ReleaseMerge, report_id=st.just(REPORT_ID), merged=MASTERS),
)
"""What other reports ask, whether they can or not."""
ACTORS = st.sampled_from([reports.person(post) for post in reports.HOME_UNITS])


class ReportMachine(RuleBasedStateMachine):
    """A report under arbitrary commands."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[ReportEvent] = []

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
    @rule(command=ACTS, actor=ACTORS, minutes=st.integers(0, 10_000))
    def act(self, command: Command, actor: Actor, minutes: int) -> None:
        before = reports.fold(self.events)
        assert before is not None
        at = NOW + timedelta(minutes=minutes)
        decision = reports.decide(before, command, reports.context(actor, at=at, stream=REPORT_ID))
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
    @rule(command=ASKED, minutes=st.integers(0, 10_000))
    def hear(self, command: MergeCommand, minutes: int) -> None:
        before = reports.fold(self.events)
        assert before is not None
        context = reports.context(INTAKE_ITSELF, at=NOW + timedelta(minutes=minutes), stream=REPORT_ID)
        decision = reports.decide(before, command, context)
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
    @rule(minutes=st.integers(0, 10_000))
    def wake(self, minutes: int) -> None:
        before = reports.fold(self.events)
        assert before is not None
        until = NOW + timedelta(minutes=minutes)
        system = Actor(client="intake", unit="intake", post="system")
        told = reports.decide(before, FireClocks(due_at=until), reports.context(system, at=until, stream=REPORT_ID))
        assert not isinstance(told, Refusal)
        self.events += [event for event in told if isinstance(event, ReportClockWarned | ReportClockBreached)]
        after = reports.fold(self.events)
        assert after is not None
        assert all(wake.due_at > until for wake in wakes_of(after.clocks))

    @invariant()
    def a_clock_tells_each_thing_once_and_in_order(self) -> None:
        told: dict[str, list[int]] = {"accept": [], "verify": [], "file": []}
        for event in self.events:
            if isinstance(event, VerificationAssigned):
                told["verify"] = []  # another verification has a clock of its own
            if isinstance(event, ReportClockWarned | ReportClockBreached):
                told[event.stage].append(event.percent if isinstance(event, ReportClockWarned) else 100)
            assert all(percents == sorted(set(percents)) for percents in told.values())

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
        nobodys = (ReportClockWarned, ReportClockBreached, *REPORT_MERGE_EVENTS[1:])
        done = [event for event in self.events if not isinstance(event, nobodys)]
        assert state is None or state.revision == len(done)


TestReportMachine = ReportMachine.TestCase
TestReportMachine.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
