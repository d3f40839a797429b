"""改派核实: where a unit is to look and has not told yet, another one is told to look instead."""

from services.intake.domain.commands import AssignVerification, Command, Verify
from services.intake.domain.report import Verification
from shared.contracts.clocks import Pause
from shared.contracts.common import Actor
from shared.contracts.intake import ReportClockBreached, VerificationAssigned, Verified
from shared.kernel.errors import Refusal
from tests.support.reports import person, two_units
from tests.support.waiting import Waiting
from tests.support.working_hours import local

CENTRE, OTHER = "supervision-centre", "urban-management"
ACCEPTOR, COLLECTOR, OTHERS = person("acceptor"), person("collector"), person("collector", unit=OTHER)
EXISTS = Verify(result="exists", finding="as photographed")


def sent() -> Waiting:
    """A report that was sent to be verified when ten minutes of the hour of acceptance were used."""
    report = Waiting(library=two_units())
    report.done("2026-11-23 10:10", AssignVerification(unit=CENTRE), ACCEPTOR)
    return report


def reassigned() -> Waiting:
    """Twenty minutes later another unit was told to look."""
    report = sent()
    report.done("2026-11-23 10:30", AssignVerification(unit=OTHER), ACCEPTOR)
    return report


def refused(report: Waiting, command: Command, actor: Actor) -> str:
    decision = report.decided("2026-11-23 10:40", command, actor)
    assert isinstance(decision, Refusal)
    return decision.code


def test_another_unit_looks_and_the_first_no_longer_does() -> None:
    report = reassigned()
    assert report.known.verification == Verification(unit=OTHER, assigned_at=local("2026-11-23 10:30"))
    assert refused(report, EXISTS, COLLECTOR) == "not_entitled_other_unit"
    report.done("2026-11-23 10:40", EXISTS, OTHERS)
    assert (report.known.status, report.known.revision) == ("reported", 4)


def test_the_unit_that_is_to_look_is_not_told_so_twice() -> None:
    assert refused(sent(), AssignVerification(unit=CENTRE), ACCEPTOR) == "wrong_state_report_verifying"
    assert refused(reassigned(), AssignVerification(unit=OTHER), ACCEPTOR) == "wrong_state_report_verifying"


def test_a_unit_without_collectors_is_not_told_to_look_instead() -> None:
    assert refused(sent(), AssignVerification(unit="nowhere"), ACCEPTOR) == "no_verifier"


def test_each_unit_has_the_whole_limit_and_acceptance_stands_still_all_the_time() -> None:
    report = reassigned()
    acceptance, first, second = report.known.clocks
    assert (acceptance.paused_at, acceptance.stopped_at) == (local("2026-11-23 10:10"), None)
    assert (first.stopped_at, first.paused_at) == (local("2026-11-23 10:30"), None)
    assert (second.runs, second.clock.stage, second.clock.due_at) == (True, "verify", local("2026-11-23 11:30"))
    assert report.fired("2026-11-23 11:00") == [("verify", 50)]

    (verified,) = report.done("2026-11-23 11:10", EXISTS, OTHERS)
    assert isinstance(verified, Verified)
    assert verified.accept_clock is not None
    assert verified.accept_clock.pauses == (
        Pause(started_at=local("2026-11-23 10:10"), ended_at=local("2026-11-23 11:10")),
    )
    assert [one.runs for one in report.known.clocks] == [True, False, False]


def test_a_unit_that_did_not_look_in_time_is_late_before_another_is_told_to() -> None:
    report = sent()
    breached, assigned = report.done("2026-11-23 11:11", AssignVerification(unit=OTHER), ACCEPTOR)
    assert isinstance(breached, ReportClockBreached)
    assert (breached.stage, breached.due_at) == ("verify", local("2026-11-23 11:10"))
    assert isinstance(assigned, VerificationAssigned)
    assert [(one.clock.stage, one.breached) for one in report.known.clocks] == [
        ("accept", False),
        ("verify", True),
        ("verify", False),
    ]
