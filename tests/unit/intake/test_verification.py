"""核实: who lets whom look, what is refused and how, and what it does to the clocks (`tests/support/waiting.py`)."""

import msgspec
import pytest

from services.intake.domain.commands import (
    Accept,
    AssignVerification,
    Command,
    Complete,
    FireClocks,
    Forget,
    PlaceCorrection,
    Reject,
    Verify,
)
from services.intake.domain.entitlement import may_read_contact, may_read_content
from services.intake.domain.report import Verification, evolve
from shared.contracts.clocks import Pause
from shared.contracts.common import Actor
from shared.contracts.intake import (
    Accepted,
    Rejected,
    ReportClockBreached,
    VerificationAssigned,
    VerificationResult,
    Verified,
)
from shared.kernel.errors import Refusal
from tests.support import reports
from tests.support.reports import CITY, LIBRARY, NOW, TRUSTED, UNTRUSTED, Given, person, source, submit
from tests.support.waiting import Waiting
from tests.support.working_hours import calendar, day_off, limit, local

CENTRE = "supervision-centre"
ACCEPTOR, COLLECTOR = person("acceptor"), person("collector")
ASSIGN = AssignVerification(unit=CENTRE)
EXISTS = Verify(result="exists", finding="as photographed", evidence=("0f" * 32,))
ABSENT = Verify(result="absent", finding="nothing there")
UNDETERMINED = Verify(result="undetermined", finding="the gate is locked")
REJECT = Reject(reason_code="not_found", reason="nothing there")
WAITING = Given().after(submit(), source(UNTRUSTED))


def sent(at: str = "2026-11-23 10:10") -> Waiting:
    """A report that was sent to be verified when ten minutes of the hour of acceptance were used."""
    report = Waiting()
    report.done(at, ASSIGN, ACCEPTOR)
    return report


def refused(report: Waiting, at: str, command: Command, actor: Actor) -> str:
    decision = report.decided(at, command, actor)
    assert isinstance(decision, Refusal)
    return decision.code


# ---------------------------------------------------------------------------------------------------- the course


def test_an_acceptor_lets_a_unit_look_by_the_citys_limit() -> None:
    (assigned,) = Waiting().done("2026-11-23 10:10", ASSIGN, ACCEPTOR)
    assert isinstance(assigned, VerificationAssigned)
    assert (assigned.unit, assigned.by) == (CENTRE, ACCEPTOR)
    assert (assigned.clock.stage, assigned.clock.limit) == ("verify", limit(1, "working_hour"))
    assert (assigned.clock.started_at, assigned.clock.due_at) == (local("2026-11-23 10:10"), local("2026-11-23 11:10"))


def test_a_collector_of_the_unit_says_what_is_there_and_the_report_waits_for_acceptance_again() -> None:
    report = sent()
    assert report.known.verification == Verification(unit=CENTRE, assigned_at=local("2026-11-23 10:10"))
    (verified,) = report.done("2026-11-23 10:40", EXISTS, COLLECTOR)
    assert isinstance(verified, Verified)
    assert (verified.unit, verified.result, verified.by) == (CENTRE, "exists", COLLECTOR)
    assert (report.known.status, report.known.revision) == ("reported", 3)
    assert report.known.verification == Verification(
        unit=CENTRE,
        assigned_at=local("2026-11-23 10:10"),
        result="exists",
        finding="as photographed",
        evidence=("0f" * 32,),
        verified_at=local("2026-11-23 10:40"),
    )
    (accepted,) = report.done("2026-11-23 10:50", Accept(), ACCEPTOR)
    assert isinstance(accepted, Accepted)


def test_what_was_not_found_is_rejected_for_that() -> None:
    report = sent()
    report.done("2026-11-23 10:40", ABSENT, COLLECTOR)
    (rejected,) = report.done("2026-11-23 10:50", REJECT, ACCEPTOR)
    assert isinstance(rejected, Rejected)
    assert (rejected.stage, rejected.reason_code) == ("acceptance", "not_found")


def test_what_was_not_found_is_accepted_with_a_reason_alone() -> None:
    report = sent()
    report.done("2026-11-23 10:40", ABSENT, COLLECTOR)
    decision = report.decided("2026-11-23 10:50", Accept(), ACCEPTOR)
    assert isinstance(decision, Refusal)
    assert decision.code == "verified_absent"
    assert [(error.field, error.code) for error in decision.errors] == [("reason", "required")]
    (accepted,) = report.done("2026-11-23 10:50", Accept(reason="it comes every evening"), ACCEPTOR)
    assert isinstance(accepted, Accepted)
    assert accepted.reason == "it comes every evening"


@pytest.mark.parametrize("found", [EXISTS, UNDETERMINED], ids=["exists", "undetermined"])
def test_what_was_found_or_could_not_be_told_is_accepted_without_one(found: Verify) -> None:
    report = sent()
    report.done("2026-11-23 10:40", found, COLLECTOR)
    assert isinstance(report.done("2026-11-23 10:50", Accept(), ACCEPTOR)[0], Accepted)


def test_a_report_is_rejected_while_somebody_is_to_verify_it() -> None:
    report = sent()
    (rejected,) = report.done("2026-11-23 10:20", REJECT, ACCEPTOR)
    assert isinstance(rejected, Rejected)
    assert refused(report, "2026-11-23 10:40", EXISTS, COLLECTOR) == "wrong_state_report_rejected"


def test_what_could_not_be_told_is_verified_again() -> None:
    report = sent()
    report.done("2026-11-23 10:40", UNDETERMINED, COLLECTOR)
    report.done("2026-11-23 10:50", ASSIGN, ACCEPTOR)
    assert report.known.verification == Verification(unit=CENTRE, assigned_at=local("2026-11-23 10:50"))
    report.done("2026-11-23 11:00", ABSENT, COLLECTOR)
    assert refused(report, "2026-11-23 11:10", Accept(), ACCEPTOR) == "verified_absent"


def test_content_is_forgotten_while_somebody_is_to_verify_it_and_stops_no_clock() -> None:
    report = sent()
    report.done("2026-11-23 10:20", Forget(reason="asked"), person("administrator"))
    assert (report.known.status, report.wakes_at()) == ("verifying", local("2026-11-23 10:40"))


# ------------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize("found", [EXISTS, ABSENT], ids=["exists", "absent"])
def test_what_was_told_is_not_verified_again(found: Verify) -> None:
    report = sent()
    report.done("2026-11-23 10:40", found, COLLECTOR)
    assert refused(report, "2026-11-23 10:50", ASSIGN, ACCEPTOR) == "wrong_state_report_verified"


def test_what_a_trusted_source_reports_is_not_verified() -> None:
    incomplete = Given().after(submit(category=reports.category("E0203")), source(TRUSTED))
    assert incomplete.refuses(ASSIGN, ACCEPTOR).code == "source_is_trusted"


def test_an_incomplete_report_of_the_public_is_verified_and_completed_after_it() -> None:
    incomplete = Given().after(submit(category=reports.category("E0203")), source(UNTRUSTED))
    verified = incomplete.after(ASSIGN, ACCEPTOR).after(EXISTS, COLLECTOR)
    completed = verified.after(Complete(category=reports.category("E0203", condition="large")), ACCEPTOR)
    assert completed.state.missing == ()
    assert completed.after(Accept(), ACCEPTOR).state.status == "accepted"


@pytest.mark.parametrize("unit", ["urban-management", "nowhere"])
def test_a_unit_without_collectors_is_not_let_look(unit: str) -> None:
    refusal = WAITING.refuses(AssignVerification(unit=unit), ACCEPTOR)
    assert refusal.code == "no_verifier"
    assert [(error.field, error.code) for error in refusal.errors] == [("unit", "no_verifier")]


def test_a_collector_of_another_unit_does_not_verify() -> None:
    verifying = WAITING.after(ASSIGN, ACCEPTOR)
    other = person("collector", unit="urban-management")
    assert verifying.refuses(EXISTS, other, library=reports.two_units()).code == "not_entitled_other_unit"


def test_collectors_read_what_was_reported_without_the_contact_while_their_unit_is_to_look() -> None:
    verifying, other = WAITING.after(ASSIGN, ACCEPTOR), person("collector", unit="urban-management")
    assert may_read_content(COLLECTOR, verifying.state)
    assert not may_read_contact(COLLECTOR, verifying.state)
    assert not may_read_content(other, verifying.state)
    for ended in (WAITING, verifying.after(EXISTS, COLLECTOR), verifying.after(REJECT, ACCEPTOR)):
        assert not may_read_content(COLLECTOR, ended.state)


def test_nobody_accepts_or_completes_what_somebody_is_to_verify() -> None:
    report = sent()
    assert refused(report, "2026-11-23 10:20", Accept(), ACCEPTOR) == "wrong_state_report_verifying"
    correction = Complete(place=PlaceCorrection(grid="g-7"))
    assert refused(report, "2026-11-23 10:20", correction, ACCEPTOR) == "wrong_state_report_verifying"


def test_a_result_without_an_assignment_is_no_history() -> None:
    verified = Verified(at=NOW, by=COLLECTOR, unit=CENTRE, result="exists", finding="as photographed")
    with pytest.raises(ValueError, match="assigned"):
        evolve(WAITING.state, verified)


# -------------------------------------------------------------------------------------------------------- clocks


def test_acceptance_stands_still_while_somebody_verifies_and_goes_on_where_it_was() -> None:
    report = sent()  # 10 of 60 minutes are used
    (verified,) = report.done("2026-11-23 10:40", EXISTS, COLLECTOR)
    assert isinstance(verified, Verified)
    clock = verified.accept_clock
    assert clock is not None
    assert clock.pauses == (Pause(started_at=local("2026-11-23 10:10"), ended_at=local("2026-11-23 10:40")),)
    assert (clock.original_due_at, clock.due_at) == (local("2026-11-23 11:00"), local("2026-11-23 11:30"))
    assert clock.warn_at == (local("2026-11-23 11:00"), local("2026-11-23 11:18"))
    assert report.wakes_at() == local("2026-11-23 11:00")
    assert report.fired("2026-11-23 11:30") == [("accept", 50), ("accept", 80), ("accept", 100)]


def test_a_pause_over_the_end_of_work_moves_acceptance_by_the_working_time_in_it() -> None:
    report = Waiting("2026-11-23 17:30")
    report.done("2026-11-23 17:50", ASSIGN, ACCEPTOR)
    report.done("2026-11-24 08:20", EXISTS, COLLECTOR)
    # 20 minutes were used on Monday; 40 are left, from 08:20 on Tuesday.
    assert report.known.clocks[0].clock.due_at == local("2026-11-24 09:00")


def test_a_verification_warns_twice_and_breaches_and_acceptance_tells_nothing_meanwhile() -> None:
    report = sent()
    assert report.wakes_at() == local("2026-11-23 10:40")
    assert report.fired("2026-11-23 10:40") == [("verify", 50)]
    assert report.fired("2026-11-23 11:10") == [("verify", 80), ("verify", 100)]
    assert report.wakes_at() is None
    assert report.fired("2026-11-30 10:00") == []
    assert report.known.clocks[0].told == 0


def test_who_verifies_late_is_told_first_and_once() -> None:
    report = sent()
    breached, verified = report.done("2026-11-23 11:11", EXISTS, COLLECTOR)
    assert isinstance(breached, ReportClockBreached)
    assert (breached.stage, breached.due_at) == ("verify", local("2026-11-23 11:10"))
    assert isinstance(verified, Verified)
    told = sent()
    told.fired("2026-11-23 11:10")
    assert [type(event) for event in told.done("2026-11-23 11:11", EXISTS, COLLECTOR)] == [Verified]


def test_who_verifies_at_the_last_instant_is_not_late() -> None:
    assert [type(event) for event in sent().done("2026-11-23 11:10", EXISTS, COLLECTOR)] == [Verified]


def test_who_lets_verify_when_acceptance_is_late_is_told_first() -> None:
    report = Waiting()
    breached, assigned = report.done("2026-11-23 11:01", ASSIGN, ACCEPTOR)
    assert isinstance(breached, ReportClockBreached)
    assert (breached.stage, breached.due_at) == ("accept", local("2026-11-23 11:00"))
    assert isinstance(assigned, VerificationAssigned)
    # The breach stays: acceptance, moved by the pause, tells nothing a second time.
    report.done("2026-11-23 11:30", EXISTS, COLLECTOR)
    assert report.wakes_at() is None
    assert report.known.clocks[0].told == 100


def test_a_wake_of_acceptance_that_comes_while_somebody_verifies_tells_nothing() -> None:
    report = sent()
    assert report.decided("2026-11-23 10:31", FireClocks(due_at=local("2026-11-23 10:30")), person("leader")) == []


def test_what_acceptance_told_before_the_verification_it_does_not_tell_again() -> None:
    report = Waiting()
    report.fired("2026-11-23 10:30")
    report.done("2026-11-23 10:35", ASSIGN, ACCEPTOR)
    report.done("2026-11-23 10:45", UNDETERMINED, COLLECTOR)
    assert report.fired("2026-11-23 10:58") == [("accept", 80)]


def test_every_verification_has_a_clock_of_its_own_and_every_pause_stays() -> None:
    report = sent()
    report.fired("2026-11-23 10:40")
    report.done("2026-11-23 10:40", UNDETERMINED, COLLECTOR)
    report.done("2026-11-23 10:50", ASSIGN, ACCEPTOR)
    assert report.fired("2026-11-23 11:20") == [("verify", 50)]
    report.done("2026-11-23 11:20", EXISTS, COLLECTOR)
    acceptance, first, second = report.known.clocks
    assert [(one.clock.stage, one.told, one.stopped_at) for one in (first, second)] == [
        ("verify", 50, local("2026-11-23 10:40")),
        ("verify", 50, local("2026-11-23 11:20")),
    ]
    assert len(acceptance.clock.pauses) == 2
    assert acceptance.clock.due_at == local("2026-11-23 12:00")


def test_a_report_that_is_rejected_while_somebody_verifies_has_used_what_it_had_when_it_was_sent() -> None:
    report = sent()
    report.done("2026-11-23 10:40", REJECT, ACCEPTOR)
    assert [(one.clock.stage, one.stopped_at, one.paused_at) for one in report.known.clocks] == [
        ("accept", local("2026-11-23 10:10"), None),
        ("verify", local("2026-11-23 10:40"), None),
    ]
    assert report.wakes_at() is None


def test_filing_begins_anew_after_a_verified_report_was_accepted() -> None:
    report = sent()
    report.done("2026-11-23 10:40", EXISTS, COLLECTOR)
    report.done("2026-11-23 10:50", Accept(), ACCEPTOR)
    assert [(one.clock.stage, one.runs) for one in report.known.clocks] == [
        ("accept", False),
        ("verify", False),
        ("file", True),
    ]


def test_acceptance_goes_on_by_the_documents_that_are_in_force_when_it_does() -> None:
    report = sent()
    report.library = LIBRARY.with_document("calendar", CITY, 2, calendar(last_year=2027))
    report.done("2026-11-23 10:40", EXISTS, COLLECTOR)
    acceptance, verification = report.known.clocks
    assert (acceptance.clock.calendar_version, verification.clock.calendar_version) == (2, 1)


def test_a_limit_that_passed_passes_once_more_where_newer_documents_move_it() -> None:
    report = Waiting()
    report.fired("2026-11-23 11:00")
    report.done("2026-11-23 11:01", ASSIGN, ACCEPTOR)
    report.library = LIBRARY.with_document("calendar", CITY, 2, calendar(day_off("2026-11-23")))
    report.done("2026-11-23 11:30", EXISTS, COLLECTOR)
    acceptance = report.known.clocks[0]
    assert (acceptance.clock.due_at, acceptance.breached) == (local("2026-11-24 09:00"), True)
    assert report.wakes_at() == local("2026-11-24 08:30")


@pytest.mark.parametrize("result", ["exists", "absent", "undetermined"])
def test_a_report_of_before_there_were_clocks_is_verified_too(result: VerificationResult) -> None:
    reported = msgspec.structs.replace(WAITING.events[0], accept_clock=None)
    old = Given(reported).after(ASSIGN, ACCEPTOR)
    assert [one.clock.stage for one in old.state.clocks] == ["verify"]
    (verified,) = old.when(Verify(result=result, finding="looked"), COLLECTOR)
    assert isinstance(verified, Verified)
    assert verified.accept_clock is None
    assert Given(*old.events, verified).state.status == "reported"
