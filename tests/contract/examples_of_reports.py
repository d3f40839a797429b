"""Examples of what reports say of merges before they are filed."""

from shared.contracts import report_merges
from shared.contracts.common import Actor, Message
from tests.contract.examples_of_cases import AT, CASE, OTHER

ACCEPTOR = Actor(client="supervision-desk", unit="supervision-centre", post="acceptor", person="p-009")
INTAKE = Actor(client="intake", unit="intake", post="system")

REPORT_MERGE_EXAMPLES: tuple[Message, ...] = (
    report_merges.ReportMergeRequested(at=AT, by=ACCEPTOR, master=OTHER, reason="同一地点同一问题"),
    report_merges.ReportMergeAdmitted(at=AT, by=INTAKE, merged=CASE),
    report_merges.ReportMergeDeclined(at=AT, by=INTAKE, merged=CASE, reason="rejected"),
    report_merges.ReportMerged(at=AT, by=INTAKE, master=OTHER),
    report_merges.ReportMergeConfirmed(at=AT, by=INTAKE, merged=CASE),
    report_merges.ReportMergeAbandoned(at=AT, by=INTAKE, master=OTHER, reason="rejected", admitted=False),
    report_merges.ReportMergeReleased(at=AT, by=INTAKE, merged=CASE),
    report_merges.ReportMergeAsked(report_id=CASE, asking=OTHER, asks="abandon", obstacle="rejected"),
)
