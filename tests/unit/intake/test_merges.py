"""并案 before filing: two reports agree on a merge by what each says to the other, whatever happens meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from services.intake.domain.clocks import wakes_of
from services.intake.domain.commands import (
    Accept,
    AssignVerification,
    Command,
    Complete,
    File,
    Forget,
    Merge,
    Reject,
    Verify,
)
from services.intake.domain.merging import AbandonMerge, AdmitMerge, CompleteMerge, ConfirmMerge, ReleaseMerge
from services.intake.domain.report import INTAKE_ITSELF
from services.intake.domain.telling import CaseNews, TellOfCase
from shared.contracts.adjustments import CaseReopened, CaseVoided
from shared.contracts.common import Actor
from shared.contracts.dispatch import CaseClosed
from shared.contracts.intake import OutcomeTold, Rejected, ReportClockBreached
from shared.contracts.merges import CaseMerged
from shared.contracts.report_merges import (
    ReportMergeAbandoned,
    ReportMerged,
    ReportMergeDeclined,
    ReportMergeRequested,
)
from shared.kernel.errors import Refusal
from tests.support import reports
from tests.support.report_merges import MASTER_ID, OTHER_ID, Topic, asking, asks, merge, merged, waiting
from tests.support.reports import NOW, REPORT_ID, TRUSTED, Given, person, source, submit

ACCEPTOR, DUTY_LEADER, LEADER = person("acceptor"), person("duty_leader"), person("leader")
ASSIGN = AssignVerification(unit="supervision-centre")
ABSENT = Verify(result="absent", finding="nothing there")
REJECT = Reject(reason_code="not_ours", reason="elsewhere")
STAMP: dict[str, Any] = {"at": NOW, "by": Actor(client="dispatch", unit="dispatch", post="system")}
CLOSED = CaseClosed(**STAMP)
REOPENED = CaseReopened(**STAMP, legs=(1,), ground="recurrence", reason="again", closed_at=NOW)
VOIDED = CaseVoided(**STAMP, reason="not_found", ground="nothing there", unmerges=())
MERGED = ["ReportMergeAdmitted", "ReportMerged", "ReportMergeConfirmed"]
GONE_ON = CaseMerged(**STAMP, master=OTHER_ID)


def accepted() -> Given:
    return waiting().after(Accept(), ACCEPTOR)


def verifying() -> Given:
    return waiting().after(ASSIGN, ACCEPTOR)


def filed_though_it_asked() -> Given:
    return asking().after(Accept(), ACCEPTOR).after(File(), DUTY_LEADER)


def filed(*news: CaseNews) -> Given:
    given = Given(*Given().when(submit(), source(TRUSTED)))
    for sequence, one in enumerate(news, start=2):
        given = given.after(TellOfCase(report_id=REPORT_ID, case_sequence=sequence, news=one), INTAKE_ITSELF)
    return given


def rejected() -> Given:
    return waiting().after(REJECT, ACCEPTOR)


def one_merged(master: Given | None = None) -> Topic:
    topic = Topic(waiting(), master or waiting(), waiting())
    topic.given(REPORT_ID, merge())
    topic.read()
    return topic


def refused(topic: Topic, command: Merge, actor: Actor = ACCEPTOR) -> str:
    decision = topic.when(command.report_id, command, actor)
    assert isinstance(decision, Refusal), decision
    return decision.code


# ---------------------------------------------------------------------------------------------------- the usual course


@pytest.mark.parametrize("given,post", [(waiting, "acceptor"), (accepted, "duty_leader"), (accepted, "acceptor")])
@pytest.mark.parametrize(
    "master", [waiting, verifying, accepted, filed, filed_though_it_asked, lambda: filed(CLOSED, REOPENED)]
)
def test_a_report_is_merged_when_its_master_admits_it(
    given: Callable[[], Given], post: str, master: Callable[[], Given]
) -> None:
    topic, before = Topic(given(), master()), master().state.status
    topic.given(REPORT_ID, merge(), post)
    assert topic.state().merging == MASTER_ID
    assert topic.read() == MERGED
    assert topic.statuses() == ["merged", before]
    assert (topic.state().master, topic.state().merging) == (MASTER_ID, None)
    assert (topic.state(MASTER_ID).carries, topic.state(MASTER_ID).expects) == ((REPORT_ID,), ())


def test_the_request_says_who_asked_and_why() -> None:
    assert waiting().when(merge(), ACCEPTOR) == [
        ReportMergeRequested(at=NOW, by=ACCEPTOR, master=MASTER_ID, reason="the same heap")
    ]


def test_a_master_takes_several_on() -> None:
    topic = Topic(waiting(), waiting(), waiting())
    topic.given(REPORT_ID, merge())
    topic.given(OTHER_ID, merge(OTHER_ID))
    topic.read()
    assert topic.statuses() == ["merged", "reported", "merged"]
    assert topic.state(MASTER_ID).carries == (REPORT_ID, OTHER_ID)


def test_nothing_is_due_of_a_merged_report_and_nothing_is_done_to_it_but_forgetting() -> None:
    given = merged()
    assert wakes_of(asking().state.clocks)
    assert not wakes_of(given.state.clocks)
    acts: list[Command] = [Complete(), Accept(), REJECT, merge()]
    for act, actor in (*((act, ACCEPTOR) for act in acts), (File(), DUTY_LEADER)):
        assert given.refuses(act, actor).code == "wrong_state_report_merged"
    assert given.after(Forget(reason="asked"), LEADER).state.content_forgotten


def test_a_report_whose_limit_passed_before_the_answer_came_has_breached_it_and_is_merged() -> None:
    given, late = asking(), NOW + timedelta(days=30)
    context = reports.context(INTAKE_ITSELF, at=late)
    decision = reports.decide(given.state, CompleteMerge(report_id=REPORT_ID, master=MASTER_ID), context)
    assert not isinstance(decision, Refusal)
    assert [type(event) for event in decision] == [ReportClockBreached, ReportMerged]


# --------------------------------------------------------------------------------------------------- what is declined


@pytest.mark.parametrize(
    "master,reason",
    [
        (rejected, "rejected"),
        (merged, "merged"),
        (asking, "merging"),
        (lambda: filed(CLOSED), "closed"),
        (lambda: filed(VOIDED), "voided"),
        (lambda: filed(GONE_ON), "merged"),
    ],
    ids=["rejected", "merged", "merging", "closed", "voided", "its case is merged"],
)
def test_a_master_that_has_ended_or_goes_elsewhere_declines(master: Callable[[], Given], reason: str) -> None:
    topic = Topic(waiting(), master(), waiting())
    before = topic.state(MASTER_ID)
    topic.given(REPORT_ID, merge())
    assert topic.read() == ["ReportMergeDeclined", "ReportMergeAbandoned"]
    declined, abandoned = topic.reports[MASTER_ID].events[-1], topic.reports[REPORT_ID].events[-1]
    assert isinstance(declined, ReportMergeDeclined)
    assert isinstance(abandoned, ReportMergeAbandoned)
    assert (declined.reason, abandoned.reason, abandoned.admitted) == (reason, reason, False)
    assert topic.state(MASTER_ID) == before
    assert (topic.state().status, topic.state().merging) == ("reported", None)


def test_a_report_that_was_declined_goes_on_as_before_with_its_clocks_and_can_ask_another() -> None:
    topic = Topic(waiting(), rejected(), waiting())
    clocks = topic.state().clocks
    topic.given(REPORT_ID, merge())
    topic.read()
    assert topic.state().clocks == clocks
    topic.given(REPORT_ID, merge(master=OTHER_ID))
    assert topic.read() == MERGED
    topic.given(OTHER_ID, Accept())


def test_two_reports_that_ask_each_other_at_once_stay_as_they_are() -> None:
    topic = Topic(waiting(), waiting())
    topic.given(REPORT_ID, merge())
    topic.given(MASTER_ID, merge(MASTER_ID, REPORT_ID))
    assert topic.read() == ["ReportMergeDeclined"] * 2 + ["ReportMergeAbandoned"] * 2
    assert topic.statuses() == ["reported", "reported"]
    topic.given(MASTER_ID, merge(MASTER_ID, REPORT_ID))
    assert topic.read() == MERGED


# -------------------------------------------------------------------------------------------------------- no chains


def test_a_master_that_asks_a_third_meanwhile_declines() -> None:
    topic = Topic(waiting(), waiting(), waiting())
    topic.given(MASTER_ID, merge(MASTER_ID, OTHER_ID))
    topic.given(REPORT_ID, merge())
    topic.read()
    assert topic.statuses() == ["reported", "merged", "reported"]
    assert [state.carries for state in map(topic.state, (REPORT_ID, MASTER_ID, OTHER_ID))] == [(), (), (MASTER_ID,)]


def test_three_in_a_circle_stay_as_they_are() -> None:
    topic = Topic(waiting(), waiting(), waiting())
    for stream, master in ((REPORT_ID, MASTER_ID), (MASTER_ID, OTHER_ID), (OTHER_ID, REPORT_ID)):
        topic.given(stream, merge(stream, master))
    assert set(topic.read()) == {"ReportMergeDeclined", "ReportMergeAbandoned"}
    assert topic.statuses() == ["reported"] * 3


def test_a_report_that_carries_others_or_is_about_to_is_not_merged() -> None:
    assert refused(one_merged(), merge(MASTER_ID, OTHER_ID)) == "wrong_state_report_carries_others"
    topic = Topic(waiting(), waiting(), waiting())
    topic.given(REPORT_ID, merge())
    topic.answer()
    assert refused(topic, merge(MASTER_ID, OTHER_ID)) == "wrong_state_report_carries_others"


# ----------------------------------------------------------------------------------------- what happens in between


@pytest.mark.parametrize(
    "acts,status",
    [
        ([(Accept(), "acceptor"), (File(), "duty_leader")], "filed"),
        ([(REJECT, "acceptor")], "rejected"),
        ([(ASSIGN, "acceptor")], "verifying"),
    ],
)
def test_a_report_that_has_moved_on_meanwhile_is_released_again(acts: list[tuple[Command, str]], status: str) -> None:
    topic = Topic(waiting(), waiting(), waiting())
    topic.given(REPORT_ID, merge())
    for act, post in acts:
        topic.given(REPORT_ID, act, post)
    assert topic.read() == ["ReportMergeAdmitted", "ReportMergeAbandoned", "ReportMergeReleased"]
    abandoned = topic.reports[REPORT_ID].events[-1]
    assert isinstance(abandoned, ReportMergeAbandoned)
    assert (abandoned.reason, abandoned.admitted) == (status, True)
    assert (topic.state().status, topic.state().merging, topic.state(MASTER_ID).carries) == (status, None, ())
    topic.given(MASTER_ID, merge(MASTER_ID, OTHER_ID))


@pytest.mark.parametrize("acts", [[(Accept(), "acceptor")], [(ASSIGN, "acceptor"), (ABSENT, "collector")]])
def test_a_report_that_is_accepted_or_was_verified_meanwhile_is_merged_all_the_same(
    acts: list[tuple[Command, str]],
) -> None:
    topic = Topic(waiting(), waiting())
    topic.given(REPORT_ID, merge())
    for act, post in acts:
        topic.given(REPORT_ID, act, post)
    assert topic.read() == MERGED
    assert not wakes_of(topic.state().clocks)


def test_an_answer_that_nobody_waits_for_changes_nothing() -> None:
    for command in (
        CompleteMerge(report_id=REPORT_ID, master=OTHER_ID),
        AbandonMerge(**_of(OTHER_ID), reason="merged"),
    ):
        given = asking().after(command, INTAKE_ITSELF)
        assert isinstance(given.events[-1], ReportMergeAbandoned)
        assert given.state == asking().state
    for answer in (ConfirmMerge, ReleaseMerge):
        told = waiting().after(answer(report_id=REPORT_ID, merged=OTHER_ID), INTAKE_ITSELF)
        assert told.state == waiting().state


def _of(master: object) -> dict[str, Any]:
    return {"report_id": REPORT_ID, "master": master}


@pytest.mark.parametrize("given", [waiting(), verifying(), accepted(), filed(), rejected(), asking(), merged()])
def test_in_every_state_what_another_report_asks_is_answered_once_and_makes_no_revision_stale(given: Given) -> None:
    for command in (
        AdmitMerge(report_id=REPORT_ID, merged=OTHER_ID),
        CompleteMerge(**_of(MASTER_ID)),
        AbandonMerge(**_of(MASTER_ID), reason="merged"),
        ConfirmMerge(report_id=REPORT_ID, merged=OTHER_ID),
        ReleaseMerge(report_id=REPORT_ID, merged=OTHER_ID),
    ):
        after = given.after(command, INTAKE_ITSELF)
        assert len(after.events) == len(given.events) + 1
        assert after.state.revision == given.state.revision


# ------------------------------------------------------------------------------------------------- who hears of it


def test_what_the_reporter_of_the_master_is_told_those_of_merged_reports_are_told_too() -> None:
    topic = one_merged(filed())
    (told,) = topic.reports[MASTER_ID].when(
        TellOfCase(report_id=MASTER_ID, case_sequence=9, news=CLOSED), INTAKE_ITSELF
    )
    assert isinstance(told, OutcomeTold)
    assert told.merged_reports == (REPORT_ID,)


def test_a_master_is_rejected_for_all() -> None:
    (event,) = one_merged().reports[MASTER_ID].when(REJECT, ACCEPTOR)
    assert isinstance(event, Rejected)
    assert event.merged_reports == (REPORT_ID,)


# ------------------------------------------------------------------------------------------------------- refusals


def test_a_report_is_not_merged_into_itself() -> None:
    assert waiting().refuses(merge(master=REPORT_ID), ACCEPTOR).code == "same_report"


def test_a_report_asks_one_other_at_a_time() -> None:
    assert asking().refuses(merge(master=OTHER_ID), DUTY_LEADER).code == "wrong_state_report_merging"


@pytest.mark.parametrize(
    "given,status", [(verifying(), "verifying"), (filed(), "filed"), (rejected(), "rejected"), (merged(), "merged")]
)
def test_a_report_that_does_not_wait_for_acceptance_or_filing_is_not_merged(given: Given, status: str) -> None:
    assert given.refuses(merge(), ACCEPTOR).code == f"wrong_state_report_{status}"


def test_a_request_on_what_was_seen_before_is_refused() -> None:
    assert accepted().refuses(merge(expected_revision=1), ACCEPTOR).code == "stale_revision"


def test_what_is_asked_of_a_report_that_does_not_exist_is_an_error_by_name() -> None:
    assert Given().refuses(AdmitMerge(report_id=REPORT_ID, merged=OTHER_ID), INTAKE_ITSELF).code == "unknown_report"


# ---------------------------------------------------------------------------------------------- what a report asks


def test_other_events_of_reports_mean_nothing_to_other_reports() -> None:
    commands: list[object] = [submit(), Accept(), File(), REJECT, merge(), Forget(reason="asked")]
    for command in commands:
        assert [asks(event, command) for event in accepted().after(File(), DUTY_LEADER).events] == [[]] * 3
