"""What a caller may send for each act, as the OpenAPI description shows it: every example runs against the service.

The name of an example begins with the status that it is answered with; a refused one goes on with the code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example, Operation
from litestar.openapi.spec import OpenAPIMediaType as MediaType
from litestar.openapi.spec import OpenAPIResponse as Response

from services.dispatch.api.statuses import status_of_refusal
from services.dispatch.domain import adjustments as of_centres
from services.dispatch.domain import commands
from services.dispatch.domain.commands import ActorCommand
from shared.contracts import adjustments, dispatch, rectification
from shared.contracts.common import Answer
from shared.web.problem import MEDIA_TYPE, problem

Body = Mapping[str, object]
_ACCEPTED: Final = ResponseSpec(
    data_container=Answer, generate_examples=False, description="Done; the position is that of the last event."
)
NO_SUCH_CASE: Final = "01938c3e-7c00-7000-8000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActExample:
    """A body, and what it is answered with; `code` None where it is accepted."""

    summary: str
    body: Body
    code: str | None = None

    @property
    def status(self) -> HTTPStatus:
        """Return the status of the answer."""
        return HTTPStatus.OK if self.code is None else status_of_refusal(self.code)

    @property
    def name(self) -> str:
        """Return the key in the description."""
        return str(self.status.value) if self.code is None else f"{self.status.value} {self.code}"


def _done(summary: str, **body: object) -> ActExample:
    return ActExample(summary=summary, body=body)


def _refused(code: str, summary: str, **body: object) -> ActExample:
    return ActExample(summary=summary, body=body, code=code)


EXAMPLES: Final[Mapping[type[ActorCommand], tuple[ActExample, ...]]] = {
    dispatch.SignLeg: (
        _done("签收", expected_revision=1),
        _refused("stale_revision", "The leg has moved on since", expected_revision=9),
    ),
    dispatch.FeedBackLeg: (
        _done("反馈，附现场照片摘要", closing_condition="消防车通道恢复畅通", evidence=["0f" * 32]),
        _refused("invalid", "A feedback claims the closing condition", evidence=[]),
    ),
    dispatch.RequestLegReturn: (
        _done("派遣有误", reason="not_our_duty", ground="权责清单第 12 项"),
        _refused("invalid", "There are two honest reasons, and no third", reason="too_busy", ground="人手不足"),
    ),
    commands.DecideLegReturn: (
        _done("批准回退，改由交警办理", upheld=True, reason="属交通管理职责", to_unit="traffic-police"),
        _refused("required", "Upheld, it goes to somebody", upheld=True, reason="属交通管理职责"),
    ),
    commands.RuleLeg: (_done("裁定由原单位办理", to_unit="public-security", reason="联席会议裁定"),),
    adjustments.RequestLegExtension: (_done("申请延期", reason="清障车调度需要时间", engineering=False),),
    of_centres.DecideLegExtension: (_done("批准延期", approved=True, reason="情况属实"),),
    adjustments.RequestLegSuspension: (
        _done("冬季无法施工", reason="wrong_season", plan="解冻后重新施划标线", until="2027-04-15T18:00:00+08:00"),
        _refused(
            "until_too_far",
            "A suspension ends within a year",
            reason="wrong_season",
            plan="解冻后重新施划标线",
            until="2037-04-15T18:00:00+08:00",
        ),
    ),
    of_centres.EndorseLegSuspension: (_done("初审通过", endorsed=True, reason="现场已封冻"),),
    of_centres.DecideLegSuspension: (_done("批准挂账", approved=True, reason="按计划春季实施"),),
    adjustments.ResumeLeg: (_done("提前恢复处置", reason="气温回升，可以施工"),),
    commands.SendLegBack: (_done("退回补充", reason="照片不是同一地点"),),
    commands.WaiveLeg: (
        _done("无需协办", reason="现场不在物业区域内"),
        _refused("invalid", "A waiver says why"),
    ),
    rectification.OrderRectification: (
        _done(
            "责令限期改正，三个工作日",
            legal_basis="消防法第六十条",
            document_number="责改〔2026〕第 118 号",
            days=3,
            unit="statutory_working_day",
        ),
        _refused("invalid", "An order has a number and a legal basis", days=0),
    ),
    rectification.ClaimRectification: (_done("当事人报改正", statement="通道杂物已清除", evidence=["0f" * 32]),),
    rectification.RecordReinspection: (
        _done("复查通过", passed=True, finding="通道畅通", evidence=["0f" * 32]),
        _refused("invalid", "A re-inspection says what was found", passed=True),
    ),
    rectification.RecordEnforcement: (
        _done(
            "行政处罚",
            measure="penalty",
            legal_basis="消防法第六十条",
            document_number="罚决〔2026〕第 45 号",
        ),
    ),
    adjustments.AnswerSupervision: (_done("督办答复", answer="今日清理完毕"),),
    adjustments.AppealLeg: (_done("申诉", ground="道路封闭，车辆无法进入"),),
    of_centres.ReviewLegAppeal: (_done("同意申诉", upheld=True, reason="封路情况属实"),),
    commands.DispatchCase: (
        _done(
            "改派",
            lead="traffic-police",
            support=["fire-rescue"],
            reason="占道车辆由交警牵头",
        ),
        _refused(
            "unit_has_leg",
            "A unit has one leg of a case",
            lead="traffic-police",
            support=["traffic-police"],
            reason="占道车辆由交警牵头",
        ),
    ),
    commands.AddLegs: (
        _done("增派协办", units=["traffic-police"], reason="需要拖移车辆"),
        _refused("required", "Somebody must be named", units=[], reason="需要拖移车辆"),
    ),
    commands.AssignCheck: (
        _done("改派核查", unit="supervision-centre", reason="由监督中心统一核查"),
        _refused("no_checker", "Who handles does not check", unit="fire-rescue", reason="熟悉现场"),
    ),
    commands.CheckCase: (
        _done("核查通过", passed=True),
        _refused("required", "A failed check says why", passed=False),
    ),
    commands.CloseCase: (
        _done("结案"),
        _refused(
            "site_check_required", "Only some categories close on papers", on_papers=True, reason="验收单 2026-11"
        ),
    ),
    of_centres.ProposeVoid: (_done("提请作废", reason="not_found", ground="两次到场均未发现"),),
    of_centres.DecideVoid: (_done("不予作废", approved=False, reason="照片显示问题存在"),),
    of_centres.ReopenCase: (
        _done("问题复发，全部重开", ground="recurrence", reason="车道再次被占"),
        _refused(
            "leg_not_fed_back", "Only what was fed back is reopened", ground="recurrence", reason="再次被占", legs=[9]
        ),
    ),
    of_centres.SuperviseCase: (
        _done("督办，限期答复", reason="群众反映强烈", reply_by="2026-12-31T18:00:00+08:00"),
        _refused("in_the_past", "An answer takes time", reason="群众反映强烈", reply_by="2020-01-01T00:00:00+08:00"),
    ),
    of_centres.EscalateCase: (
        _done("升级到市级", to_level="city", reason="街道无权处置"),
        _refused("not_upwards", "Escalated is only upwards", to_level="grid", reason="无权处置"),
    ),
    of_centres.MergeCase: (
        _done("并案", master="01938c3e-7c00-7000-8000-000000000001", reason="同一地点同一问题"),
        _refused("unknown_case", "The master exists", master=NO_SUCH_CASE, reason="同一地点同一问题"),
    ),
    of_centres.UnmergeCase: (_done("撤销并案", reason="经核实为两处问题"),),
}
"""For each act what is accepted, in the state that it is meant for, and what is wrong with the body itself.

Instants and other cases are such as the reader has: whoever runs an example puts in his own.
"""


def act(path: str, command: type[ActorCommand]) -> post:
    """Return the decorator of the route of this act, which shows what is answered, and its examples."""
    return post(path, status_code=HTTPStatus.OK, operation_class=_shown(command), responses={HTTPStatus.OK: _ACCEPTED})


def _shown(command: type[ActorCommand]) -> type[Operation]:
    @dataclass
    class Shown(Operation):
        def __post_init__(self) -> None:
            _show(self, EXAMPLES[command])

    return Shown


def _show(operation: Operation, examples: tuple[ActExample, ...]) -> None:
    body: Any = operation.request_body
    for content in body.content.values():
        content.examples = {one.name: Example(summary=one.summary, value=dict(one.body)) for one in examples}
    responses: Any = operation.responses
    for one in examples:
        if one.code is not None:
            answer = problem(one.code, one.summary, status=one.status)
            responses[str(one.status.value)] = Response(
                description=f"{one.status.phrase}, such as `{one.code}`.",
                content={MEDIA_TYPE: MediaType(examples={one.code: Example(value=msgspec.to_builtins(answer))})},
            )
