"""What a caller may send for each act on a report, as the OpenAPI description shows it: every example runs.

How an example is named and shown is `shared.web.examples`. Codes of places are those of the reader's city, and other
reports such as the reader has: whoever runs an example puts in his own.
"""

from collections.abc import Mapping
from typing import Final

from litestar import post

from services.intake.domain.commands import (
    Accept,
    Act,
    AssignVerification,
    Complete,
    File,
    Forget,
    Merge,
    Reject,
    Verify,
)
from shared.web import examples
from shared.web.examples import ActExample, done, refused

NO_SUCH_REPORT: Final = "01938c3e-7c00-7000-8000-000000000000"

EXAMPLES: Final[Mapping[type[Act], tuple[ActExample, ...]]] = {
    Complete: (
        done("补正网格", place={"grid": "G001"}, expected_revision=1),
        refused("stale_revision", "The report has moved on since", {"place": {}, "expected_revision": 9}),
    ),
    AssignVerification: (
        done("派核实", unit="supervision-centre"),
        refused("invalid", "A unit is to look", {}),
    ),
    Verify: (
        done("现场属实", result="exists", finding="楼道内有电动自行车充电", evidence=["0f" * 32]),
        refused("invalid", "There are three results, and no fourth", {"result": "perhaps", "finding": "看不清"}),
    ),
    Accept: (done("受理", expected_revision=1),),
    File: (done("立案", expected_revision=2),),
    Reject: (
        done("不予受理", reason_code="not_ours", reason="属铁路部门管理"),
        refused("invalid", "The reporter is told why", {"reason_code": "not_ours"}),
    ),
    Merge: (
        done("并案", master="01938c3e-7c00-7000-8000-000000000001", reason="同一地点同一问题"),
        refused("unknown_report", "The master exists", {"master": NO_SUCH_REPORT, "reason": "同一地点同一问题"}),
    ),
    Forget: (
        done("当事人申请", reason="当事人申请"),
        refused("invalid", "Forgetting says why", {}),
    ),
}
"""For each act what is accepted, in the state that it is meant for, and what is wrong with the body itself."""


def act(name: str, command: type[Act]) -> post:
    """Return the decorator of the route of this act on a report, which shows what is answered, and its examples."""
    return examples.act(f"/v1/reports/{{report_id:uuid}}/{name}", EXAMPLES[command])
