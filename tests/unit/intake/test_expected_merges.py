"""A master that has admitted a report is not rejected until that one has said whether it comes: no problem is lost."""

from services.intake.domain.commands import Accept, File, Reject
from shared.contracts.intake import Rejected
from tests.support.report_merges import MASTER_ID, OTHER_ID, Topic, merge, waiting
from tests.support.reports import REPORT_ID, person

ACCEPTOR = person("acceptor")
REJECT = Reject(reason_code="not_ours", reason="elsewhere")


def admitted() -> Topic:
    """A report and its master, which has admitted it; the report has not heard so yet."""
    topic = Topic(waiting(), waiting())
    topic.given(REPORT_ID, merge())
    assert topic.answer() == ["ReportMergeAdmitted"]
    return topic


def refused(topic: Topic) -> str:
    """Return why the master is not rejected."""
    return topic.reports[MASTER_ID].refuses(REJECT, ACCEPTOR).code


def rejection(topic: Topic) -> Rejected:
    """Reject the master."""
    topic.given(MASTER_ID, REJECT)
    rejected = topic.reports[MASTER_ID].events[-1]
    assert isinstance(rejected, Rejected)
    return rejected


def test_a_master_is_not_rejected_until_the_report_that_it_admitted_has_come() -> None:
    topic = admitted()
    assert refused(topic) == "wrong_state_report_expects_others"
    assert topic.answer() == ["ReportMerged"]
    assert refused(topic) == "wrong_state_report_expects_others"
    assert topic.answer() == ["ReportMergeConfirmed"]
    assert rejection(topic).merged_reports == (REPORT_ID,)


def test_a_master_is_not_rejected_until_the_report_that_it_admitted_has_said_that_it_does_not_come() -> None:
    topic = admitted()
    topic.given(REPORT_ID, Accept())
    topic.given(REPORT_ID, File(), "duty_leader")
    assert topic.answer() == ["ReportMergeAbandoned"]
    assert refused(topic) == "wrong_state_report_expects_others"
    assert topic.answer() == ["ReportMergeReleased"]
    assert rejection(topic).merged_reports == ()


def test_a_master_expects_each_report_by_itself() -> None:
    topic = Topic(waiting(), waiting(), waiting())
    for report in (REPORT_ID, OTHER_ID):
        topic.given(report, merge(report))
    answers = [topic.answer() for _ in range(5)]
    assert answers == [["ReportMergeAdmitted"]] * 2 + [["ReportMerged"]] * 2 + [["ReportMergeConfirmed"]]
    assert refused(topic) == "wrong_state_report_expects_others"
    topic.read()
    assert rejection(topic).merged_reports == (REPORT_ID, OTHER_ID)


def test_a_master_is_accepted_and_filed_before_the_report_that_it_admitted_has_come() -> None:
    topic = admitted()
    topic.given(MASTER_ID, Accept())
    topic.given(MASTER_ID, File(), "duty_leader")
    assert topic.read() == ["ReportMerged", "ReportMergeConfirmed"]
    assert topic.statuses() == ["merged", "filed"]
