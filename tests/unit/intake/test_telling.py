"""What happens to a case is told on the report that became it: in every state, and never refused (并案告知)."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from services.intake import policies
from services.intake.consumers import react
from services.intake.domain.commands import Accept, AssignVerification, Complete, File, Forget, Reject
from services.intake.domain.report import INTAKE_ITSELF, Status
from services.intake.domain.telling import CaseAsTold, CaseNews, TellOfCase
from shared.contracts.adjustments import CaseReopened, CaseVoided, CaseVoidProposed
from shared.contracts.clocks import ClockWarned
from shared.contracts.common import Actor, Event
from shared.contracts.decisions import Delivery
from shared.contracts.dispatch import CaseChecked, CaseClosed
from shared.contracts.envelope import CloudEvent
from shared.contracts.intake import MergeTold, OutcomeTold, UnmergeTold
from shared.contracts.merges import CaseMergeAdmitted, CaseMerged, CaseMergeReleased, CaseUnmerged
from shared.contracts.registry import CASE_EVENTS, type_name
from shared.kernel.errors import Refusal, Unreadable
from shared.kernel.identifiers import named_id
from tests.support import reports
from tests.support.dispatching import record
from tests.support.report_merges import merged
from tests.support.reports import LIBRARY, NOW, REPORT_ID, TRUSTED, UNTRUSTED, Given, person, source, submit

MASTER = named_id("test", "master")
HAPPENED = NOW - timedelta(minutes=3)
SYSTEM = Actor(client="dispatch", unit="dispatch", post="system")
STAMP: dict[str, Any] = {"at": HAPPENED, "by": SYSTEM}
MERGED = CaseMerged(**STAMP, master=MASTER)
UNMERGED = CaseUnmerged(**STAMP, master=MASTER, reason="two places")
CLOSED = CaseClosed(**STAMP)
REOPENED = CaseReopened(**STAMP, legs=(1,), ground="recurrence", reason="again", closed_at=NOW)
VOIDED = CaseVoided(**STAMP, reason="not_found", ground="nothing there", unmerges=())

WAITING = Given(*Given().when(submit(), source(UNTRUSTED)))
ACCEPTED = WAITING.after(Accept(), person("acceptor"))
FILED = Given(*Given().when(submit(), source(TRUSTED)))
REJECTED = WAITING.after(Reject(reason_code="not_ours", reason="elsewhere"), person("acceptor"))
VERIFYING = WAITING.after(AssignVerification(unit="supervision-centre"), person("acceptor"))
STATES: dict[Status, Given] = {
    "reported": WAITING,
    "verifying": VERIFYING,
    "accepted": ACCEPTED,
    "filed": FILED,
    "rejected": REJECTED,
    "merged": merged(),
}


def telling(news: CaseNews, case_sequence: int = 4) -> TellOfCase:
    return TellOfCase(report_id=REPORT_ID, case_sequence=case_sequence, news=news)


def told(*news: CaseNews) -> CaseAsTold | None:
    given = FILED
    for sequence, one in enumerate(news, start=2):
        given = given.after(telling(one, sequence), INTAKE_ITSELF)
    return given.state.told


def delivery(event: Event, data: bytes | None = None) -> Delivery:
    cloud_event = CloudEvent(
        id="e-1",
        source="/joint/services/dispatch",
        type=type_name(type(event)),
        subject=str(REPORT_ID),
        sequence=4,
        correlationid="act-1",
        data=msgspec.json.encode(event) if data is None else data,
    )
    case = record("dispatch.cases", cloud_event)
    return Delivery(topic="dispatch.cases", stream=REPORT_ID, sequence=4, event=cloud_event, record=case)


# ------------------------------------------------------------------------------------------------------ the decision


@pytest.mark.parametrize("given", STATES.values(), ids=list(STATES))
def test_in_every_state_of_the_report_its_reporter_is_told_and_nothing_is_refused(given: Given) -> None:
    stamp: dict[str, Any] = {"at": NOW, "by": INTAKE_ITSELF, "case_sequence": 4, "happened_at": HAPPENED}
    assert given.when(telling(MERGED), INTAKE_ITSELF) == [MergeTold(**stamp, master=MASTER)]
    assert given.when(telling(UNMERGED), INTAKE_ITSELF) == [UnmergeTold(**stamp, master=MASTER)]
    assert given.when(telling(CLOSED), INTAKE_ITSELF) == [OutcomeTold(**stamp, outcome="closed")]
    assert given.when(telling(REOPENED), INTAKE_ITSELF) == [OutcomeTold(**stamp, outcome="reopened")]
    assert given.when(telling(VOIDED), INTAKE_ITSELF) == [OutcomeTold(**stamp, outcome="voided")]


def test_a_report_that_intake_does_not_know_is_an_error_by_name() -> None:
    decision = reports.decide(None, telling(MERGED), reports.context(INTAKE_ITSELF))
    assert isinstance(decision, Refusal)
    assert decision.code == "unknown_report"


def test_a_reporter_follows_the_master_until_the_case_goes_on_by_itself() -> None:
    assert told() is None
    assert told(MERGED) == CaseAsTold(state="merged", follows=MASTER)
    assert told(MERGED, UNMERGED) == CaseAsTold(state="open")
    assert told(MERGED, UNMERGED, MERGED) == CaseAsTold(state="merged", follows=MASTER)


def test_a_reporter_knows_how_the_case_ended_and_that_it_goes_on() -> None:
    assert told(CLOSED) == CaseAsTold(state="closed")
    assert told(CLOSED, REOPENED) == CaseAsTold(state="open")
    assert told(CLOSED, REOPENED, CLOSED) == CaseAsTold(state="closed")
    assert told(VOIDED) == CaseAsTold(state="voided")


def test_what_the_case_comes_to_makes_no_act_on_the_report_stale() -> None:
    seen = FILED.state.revision
    given = FILED.after(telling(CLOSED), INTAKE_ITSELF)
    assert (given.state.revision, given.state.status) == (seen, "filed")
    forgotten = given.after(Forget(reason="asked", expected_revision=seen), person("leader"))
    assert (forgotten.state.revision, forgotten.state.told) == (seen + 1, CaseAsTold(state="closed"))


@pytest.mark.parametrize("act", [Complete(), Accept(), File()])
def test_what_was_told_opens_no_way_for_a_report_that_ended(act: Complete | Accept | File) -> None:
    given = FILED.after(telling(VOIDED), INTAKE_ITSELF)
    post = person("duty_leader" if isinstance(act, File) else "acceptor")
    assert given.refuses(act, post).code == "wrong_state_report_filed"


# -------------------------------------------------------------------------------------------------------- the policy


@pytest.mark.parametrize("news", [MERGED, UNMERGED, CLOSED, REOPENED, VOIDED], ids=lambda news: str(type_name(news)))
def test_what_a_reporter_waits_for_becomes_one_command_on_the_report_of_the_same_id(news: CaseNews) -> None:
    [command] = react(delivery(news), LIBRARY)
    assert (command.aggregate, command.stream, command.body) == ("report", REPORT_ID, telling(news))
    assert command.actor == INTAKE_ITSELF
    assert (command.cause.correlation, command.cause.causation) == ("act-1", "e-1")
    assert (command.request, command.receipt) == (None, None)


def test_whatever_else_happens_to_a_case_is_not_even_read() -> None:
    waited_for = {CaseMerged, CaseUnmerged, CaseClosed, CaseReopened, CaseVoided}
    others = [event for event in CASE_EVENTS if event not in waited_for]
    assert {CaseMergeAdmitted, CaseMergeReleased, CaseChecked, CaseVoidProposed, ClockWarned} <= set(others)
    for event in others:
        ignored = delivery(CLOSED, b"no JSON")
        renamed = msgspec.structs.replace(ignored.event, type=type_name(event))
        assert react(msgspec.structs.replace(ignored, event=renamed), LIBRARY) == ()


def test_news_that_cannot_be_read_is_no_news() -> None:
    with pytest.raises(Unreadable):
        policies.tell_of_case(delivery(MERGED, b'{"master": 1}'))
