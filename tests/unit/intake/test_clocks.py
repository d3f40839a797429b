"""What time does to a report that waits for acceptance or filing (`tests/support/waiting.py`)."""

import pytest

from services.intake.domain.clocks import wakes_of, woken
from services.intake.domain.commands import Accept, File, FireClocks, Forget, Reject
from services.intake.domain.report import wakes
from shared.contracts.intake import (
    Accepted,
    Filed,
    Rejected,
    ReportClockBreached,
    Reported,
)
from shared.contracts.library import ReferenceLibrary
from shared.kernel.decider import Wake
from shared.kernel.errors import Unavailable
from tests.support import reports
from tests.support.reports import CITY, LIBRARY, REPORT_ID, TRUSTED, Given, person, source, submit
from tests.support.waiting import SYSTEM, Waiting
from tests.support.working_hours import calendar, limit, local

ACCEPTOR, DUTY_LEADER = person("acceptor"), person("duty_leader")
REJECT = Reject(reason_code="not_found", reason="nothing there")


def test_acceptance_has_a_clock_from_when_the_report_comes_in() -> None:
    report = Waiting()
    (reported,) = report.events
    assert isinstance(reported, Reported)
    clock = reported.accept_clock
    assert clock is not None
    assert (clock.stage, clock.limit, clock.started_at) == (
        "accept",
        limit(1, "working_hour"),
        local("2026-11-23 10:00"),
    )
    assert clock.warn_at == (local("2026-11-23 10:30"), local("2026-11-23 10:48"))
    assert (clock.due_at, clock.original_due_at) == (local("2026-11-23 11:00"), local("2026-11-23 11:00"))
    assert (clock.calendar_version, clock.policy_version, clock.provisional) == (1, 1, False)


def test_filing_has_a_clock_from_acceptance() -> None:
    report = Waiting()
    (accepted,) = report.done("2026-11-23 10:20", Accept(), ACCEPTOR)
    assert isinstance(accepted, Accepted)
    assert accepted.file_clock is not None
    assert (accepted.file_clock.stage, accepted.file_clock.due_at) == ("file", local("2026-11-23 11:20"))
    assert report.wakes_at() == local("2026-11-23 10:50")
    assert [one.stopped_at for one in report.known.clocks] == [local("2026-11-23 10:20"), None]


def test_what_comes_in_before_the_end_of_work_is_due_after_the_weekend() -> None:
    report = Waiting("2026-11-20 17:45")  # a Friday; 15 minutes are left
    assert report.known.clocks[0].clock.due_at == local("2026-11-23 08:45")
    assert report.wakes_at() == local("2026-11-23 08:15")


def test_what_reaches_into_a_year_that_is_not_published_is_provisional() -> None:
    report = Waiting("2026-12-31 17:30")
    clock = report.known.clocks[0].clock
    # 1 January is a holiday on a fixed date, the 2nd and 3rd are a weekend.
    assert (clock.due_at, clock.provisional) == (local("2027-01-04 08:30"), True)


def test_a_clock_warns_twice_and_breaches_each_once_and_then_nothing_is_left_to_wake_for() -> None:
    report = Waiting()
    assert wakes(report.known) == (Wake(kind="clock", due_at=local("2026-11-23 10:30")),)
    assert woken(REPORT_ID, wakes(report.known)[0]) == FireClocks(due_at=local("2026-11-23 10:30"))
    assert report.fired("2026-11-23 10:30") == [("accept", 50)]
    assert report.wakes_at() == local("2026-11-23 10:48")
    assert report.fired("2026-11-23 10:48") == [("accept", 80)]
    assert report.wakes_at() == local("2026-11-23 11:00")
    assert report.fired("2026-11-23 11:00") == [("accept", 100)]
    assert report.wakes_at() is None
    assert report.fired("2026-11-30 11:00") == []


def test_after_a_stop_everything_that_was_due_is_told_in_order_as_of_now() -> None:
    report = Waiting()
    assert report.fired("2026-11-24 09:00", due_at="2026-11-23 11:00") == [
        ("accept", 50),
        ("accept", 80),
        ("accept", 100),
    ]
    breached = report.events[-1]
    assert breached == ReportClockBreached(
        at=local("2026-11-24 09:00"), by=SYSTEM, stage="accept", due_at=local("2026-11-23 11:00")
    )


def test_a_wake_that_comes_late_tells_nothing_that_is_due_after_it() -> None:
    report = Waiting()
    assert report.fired("2026-11-24 09:00", due_at="2026-11-23 10:48") == [("accept", 50), ("accept", 80)]


def test_who_accepts_late_without_a_wake_having_told_so_is_told_first() -> None:
    report = Waiting()
    breached, accepted = report.done("2026-11-23 11:01", Accept(expected_revision=1), ACCEPTOR)
    assert breached == ReportClockBreached(
        at=local("2026-11-23 11:01"), by=SYSTEM, stage="accept", due_at=local("2026-11-23 11:00")
    )
    assert isinstance(accepted, Accepted)
    assert report.known.revision == 2
    assert report.fired("2026-11-23 12:00") == [("file", 50), ("file", 80)]


def test_who_accepts_at_the_last_instant_is_not_late() -> None:
    (accepted,) = Waiting().done("2026-11-23 11:00", Accept(), ACCEPTOR)
    assert isinstance(accepted, Accepted)


def test_a_breach_that_was_told_is_not_told_again_by_the_act() -> None:
    report = Waiting()
    report.fired("2026-11-23 11:00")
    (accepted,) = report.done("2026-11-23 15:00", Accept(), ACCEPTOR)
    assert isinstance(accepted, Accepted)


def test_who_files_late_is_told_first() -> None:
    report = Waiting()
    report.done("2026-11-23 10:20", Accept(), ACCEPTOR)
    breached, filed = report.done("2026-11-23 11:21", File(), DUTY_LEADER)
    assert isinstance(breached, ReportClockBreached)
    assert (breached.stage, breached.due_at) == ("file", local("2026-11-23 11:20"))
    assert isinstance(filed, Filed)


def test_who_rejects_late_is_told_first() -> None:
    report = Waiting()
    breached, rejected = report.done("2026-11-23 14:00", REJECT, ACCEPTOR)
    assert isinstance(breached, ReportClockBreached)
    assert isinstance(rejected, Rejected)


@pytest.mark.parametrize("ended", ["filed", "rejected"])
def test_nothing_wakes_a_report_that_has_ended(ended: str) -> None:
    report = Waiting()
    if ended == "filed":
        report.done("2026-11-23 10:10", Accept(), ACCEPTOR)
        report.done("2026-11-23 10:20", File(), DUTY_LEADER)
    else:
        report.done("2026-11-23 10:20", REJECT, ACCEPTOR)
    assert report.known.status == ended
    assert report.wakes_at() is None
    assert report.fired("2026-11-30 09:00") == []
    assert report.known.clocks[-1].stopped_at == local("2026-11-23 10:20")


def test_time_makes_no_revision_stale() -> None:
    report = Waiting()
    report.fired("2026-11-23 10:48")
    assert report.known.revision == 1
    (accepted,) = report.done("2026-11-23 10:50", Accept(expected_revision=1), ACCEPTOR)
    assert isinstance(accepted, Accepted)


def test_forgetting_the_content_stops_no_clock() -> None:
    report = Waiting()
    report.done("2026-11-23 10:10", Forget(reason="asked"), person("administrator"))
    assert report.wakes_at() == local("2026-11-23 10:30")


def test_what_is_accepted_and_filed_as_it_comes_in_has_no_clock() -> None:
    filed = Given().after(submit(), source(TRUSTED))
    assert filed.state.clocks == ()
    assert wakes_of(filed.state.clocks) == ()


def test_an_incomplete_report_of_a_trusted_source_has_to_be_accepted_in_time_too() -> None:
    events = Given().when(submit(category=reports.category("E0203")), source(TRUSTED))
    (reported,) = events
    assert isinstance(reported, Reported)
    assert reported.accept_clock is not None


def test_a_wake_of_a_report_that_nobody_knows_tells_nothing() -> None:
    decision = reports.decide(None, FireClocks(due_at=reports.NOW), reports.context(SYSTEM))
    assert decision == []


@pytest.mark.parametrize("kind", ["calendar", "limit_policy"])
def test_nothing_waits_without_a_clock(kind: str) -> None:
    without = ReferenceLibrary({name: known for name, known in LIBRARY.documents.items() if name[0] != kind})
    with pytest.raises(Unavailable, match="limit policy"):
        Waiting(library=without)


def test_a_clock_names_the_calendar_that_was_in_force_when_its_stage_began() -> None:
    newer = LIBRARY.with_document("calendar", CITY, 2, calendar(last_year=2027))
    report = Waiting()
    report.library = newer
    report.done("2026-11-23 10:20", Accept(), ACCEPTOR)
    assert [one.clock.calendar_version for one in report.known.clocks] == [1, 2]
