"""The clock of a waiting report follows a newer calendar or limit policy (`tests/support/waiting.py`)."""

from services.intake.domain.commands import Accept, AssignVerification, File, RecomputeClocks, Reject, Verify
from services.intake.domain.report import columns
from shared.contracts.intake import Accepted, ReportClockBreached, ReportClockRecomputed
from tests.support import reports
from tests.support.reports import CITY, LIBRARY, TRUSTED, Given, person, source, submit
from tests.support.waiting import SYSTEM, Waiting
from tests.support.working_hours import calendar, day_off, hours, limit, local, season

ACCEPTOR, COLLECTOR, DUTY_LEADER = person("acceptor"), person("collector"), person("duty_leader")
RECOMPUTE = RecomputeClocks()
STORM = LIBRARY.with_document("calendar", CITY, 2, calendar(day_off("2026-11-23"), first_year=2020))
"""The Monday of the report is a day off after all: its hour is used up on Tuesday at nine."""


def versions(report: Waiting) -> tuple[object, object]:
    """On which documents lists find the report."""
    row = columns(report.known)
    return row["calendar_version"], row["policy_version"]


def followed(report: Waiting, at: str) -> ReportClockRecomputed:
    (event,) = report.done(at, RECOMPUTE, SYSTEM)
    assert isinstance(event, ReportClockRecomputed)
    return event


def test_the_clock_that_runs_follows_a_newer_calendar_and_keeps_its_first_deadline() -> None:
    report = Waiting()
    assert versions(report) == (1, 1)
    report.library = STORM
    event = followed(report, "2026-11-23 10:10")
    assert (event.due_was, event.clock.due_at) == (local("2026-11-23 11:00"), local("2026-11-24 09:00"))
    assert event.clock.original_due_at == local("2026-11-23 11:00")
    assert event.by == SYSTEM
    assert report.known.clocks[0].clock == event.clock
    assert report.wakes_at() == local("2026-11-24 08:30")
    assert versions(report) == (2, 1)


def test_of_an_accepted_report_the_clock_of_filing_moves_and_that_of_acceptance_stays() -> None:
    report = Waiting()
    report.done("2026-11-23 10:20", Accept(), ACCEPTOR)
    before = report.known.clocks[0]
    report.library = STORM
    assert followed(report, "2026-11-23 10:30").clock.stage == "file"
    assert report.known.clocks[0] == before


def test_a_newer_limit_policy_moves_the_hours_and_not_the_limit_that_a_clock_began_with() -> None:
    report = Waiting()
    later = hours(season("01-01", ("10:30", "18:00")), stage=limit(5, "working_hour"))
    report.library = LIBRARY.with_document("limit_policy", CITY, 2, later)
    event = followed(report, "2026-11-23 10:10")
    assert (event.clock.limit, event.clock.due_at) == (limit(1, "working_hour"), local("2026-11-23 11:30"))
    assert versions(report) == (1, 2)


def test_a_clock_that_does_not_move_follows_too_so_that_nobody_looks_for_it_again() -> None:
    report = Waiting()
    report.library = LIBRARY.with_document("calendar", CITY, 2, calendar(first_year=2020))
    event = followed(report, "2026-11-23 10:10")
    assert event.due_was == event.clock.due_at
    assert versions(report) == (2, 1)
    assert report.done("2026-11-23 10:11", RECOMPUTE, SYSTEM) == []


def test_while_a_report_is_verified_that_clock_follows_and_acceptance_goes_on_by_the_newer_calendar() -> None:
    report = Waiting()
    report.done("2026-11-23 10:10", AssignVerification(unit="supervision-centre"), ACCEPTOR)
    report.library = STORM
    assert followed(report, "2026-11-23 10:20").clock.stage == "verify"
    acceptance, verification = report.known.clocks
    assert (acceptance.clock.calendar_version, verification.clock.calendar_version) == (1, 2)
    assert (versions(report), report.wakes_at()) == ((2, 1), local("2026-11-24 08:30"))
    report.done("2026-11-24 08:20", Verify(result="exists", finding="as photographed"), COLLECTOR)
    # It used nothing up on the day off, nor while somebody looked: its hour begins now.
    assert (versions(report), report.known.clocks[0].clock.due_at) == ((2, 1), local("2026-11-24 09:20"))


def test_what_was_told_is_not_told_again_unless_it_lies_ahead_now() -> None:
    report = Waiting()
    report.fired("2026-11-23 10:50")
    report.library = LIBRARY.with_document("calendar", CITY, 2, calendar(first_year=2020))
    followed(report, "2026-11-23 10:51")
    assert report.wakes_at() == local("2026-11-23 11:00")
    report.library = STORM.with_document("calendar", CITY, 3, STORM.documents["calendar", CITY][2])
    followed(report, "2026-11-23 10:52")
    assert report.fired("2026-11-24 09:00") == [("accept", 50), ("accept", 80), ("accept", 100)]


def test_documents_that_move_nothing_take_away_no_warning_whose_wake_is_about_to_fire() -> None:
    report = Waiting()
    report.library = LIBRARY.with_document("calendar", CITY, 2, calendar(first_year=2020))
    followed(report, "2026-11-23 10:31")
    assert report.wakes_at() == local("2026-11-23 10:30")
    assert report.fired("2026-11-23 10:31", "2026-11-23 10:30") == [("accept", 50)]


def test_of_one_deadline_nothing_is_told_twice_where_its_warnings_alone_move() -> None:
    """Noon begins and ends a quarter of an hour earlier: half of the hour is used at 14:00 instead of 12:00."""
    report = Waiting("2026-11-23 11:30")
    assert report.fired("2026-11-23 12:00") == [("accept", 50)]
    noon = hours(season("01-01", ("08:00", "11:45"), ("13:45", "18:00")), stage=limit(1, "working_hour"))
    report.library = LIBRARY.with_document("limit_policy", CITY, 2, noon)
    event = followed(report, "2026-11-23 12:10")
    assert (event.clock.due_at, event.clock.warn_at[0]) == (event.due_was, local("2026-11-23 14:00"))
    assert report.fired("2026-11-23 14:30") == [("accept", 80), ("accept", 100)]


def test_acceptance_that_newer_documents_move_while_it_stands_still_warns_again_as_if_it_had_run() -> None:
    report = Waiting()
    report.fired("2026-11-23 10:48")
    report.done("2026-11-23 10:50", AssignVerification(unit="supervision-centre"), ACCEPTOR)
    report.library = STORM
    report.done("2026-11-23 10:55", Verify(result="exists", finding="as photographed"), COLLECTOR)
    assert report.fired("2026-11-24 09:00") == [("accept", 50), ("accept", 80), ("accept", 100)]


def test_a_warning_that_was_due_when_acceptance_stood_still_is_told_when_it_goes_on() -> None:
    report = Waiting()
    report.done("2026-11-23 10:31", AssignVerification(unit="supervision-centre"), ACCEPTOR)
    report.library = LIBRARY.with_document("calendar", CITY, 2, calendar(first_year=2020))
    report.done("2026-11-23 10:41", Verify(result="exists", finding="as photographed"), COLLECTOR)
    assert report.fired("2026-11-23 10:58") == [("accept", 50), ("accept", 80)]


def test_a_deadline_that_moved_can_pass_once_more_and_the_first_breach_stays_a_fact() -> None:
    report = Waiting()
    report.fired("2026-11-23 11:00")
    report.library = STORM
    followed(report, "2026-11-23 11:10")
    [clock] = report.known.clocks
    assert (clock.breached, clock.told) == (True, 0)
    breached, _accepted = report.done("2026-11-24 09:01", Accept(), ACCEPTOR)
    assert isinstance(breached, ReportClockBreached)
    assert breached.due_at == local("2026-11-24 09:00")


def test_a_limit_passes_once_where_a_calendar_was_published_by_mistake_and_is_corrected() -> None:
    report = Waiting()
    report.fired("2026-11-23 11:00")
    report.library = STORM
    assert followed(report, "2026-11-23 11:10").clock.passed == (local("2026-11-23 11:00"),)
    report.library = STORM.with_document("calendar", CITY, 3, calendar(first_year=2020))
    assert followed(report, "2026-11-23 11:20").clock.due_at == local("2026-11-23 11:00")
    assert report.wakes_at() is None
    (accepted,) = report.done("2026-11-23 11:30", Accept(), ACCEPTOR)
    assert isinstance(accepted, Accepted)


def test_every_deadline_that_passed_passes_once_however_often_the_calendar_changes() -> None:
    report = Waiting()
    report.fired("2026-11-23 11:00")
    for version in range(2, 6):
        days = (day_off("2026-11-23"),) if version % 2 == 0 else ()
        report.library = report.library.with_document("calendar", CITY, version, calendar(*days, first_year=2020))
        followed(report, f"2026-11-25 10:0{version}")
        told = [("accept", 100)] if version == 2 else []
        assert report.fired(f"2026-11-25 10:0{version}") == told


def test_who_accepts_by_the_new_deadline_is_not_late() -> None:
    report = Waiting()
    report.library = STORM
    followed(report, "2026-11-23 10:10")
    (accepted,) = report.done("2026-11-24 09:00", Accept(), ACCEPTOR)
    assert isinstance(accepted, Accepted)


def test_where_no_clock_runs_there_is_nothing_to_recompute() -> None:
    rejected, filed = Waiting(), Waiting()
    rejected.done("2026-11-23 10:20", Reject(reason_code="not_found", reason="nothing there"), ACCEPTOR)
    filed.done("2026-11-23 10:20", Accept(), ACCEPTOR)
    filed.done("2026-11-23 10:20", File(), DUTY_LEADER)
    for report in (rejected, filed):
        assert versions(report) == (None, None)
        report.library = STORM
        assert report.done("2026-11-23 10:30", RECOMPUTE, SYSTEM) == []
    at_once = Given(*Given().when(submit(), source(TRUSTED)))
    assert at_once.when(RECOMPUTE, SYSTEM) == []
    assert reports.decide(None, RECOMPUTE, reports.context(SYSTEM)) == []


def test_following_a_calendar_makes_no_revision_stale() -> None:
    report = Waiting()
    report.library = STORM
    followed(report, "2026-11-23 10:10")
    (accepted,) = report.done("2026-11-23 10:20", Accept(expected_revision=1), ACCEPTOR)
    assert isinstance(accepted, Accepted)
