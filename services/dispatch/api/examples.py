"""What a caller may send for each act, as the OpenAPI description shows it: every example runs against the service.

How an example is named and shown is `shared.web.examples`.
"""

from collections.abc import Mapping
from typing import Final

from litestar import post

from services.dispatch.api.statuses import status_of_refusal
from services.dispatch.domain import adjustments as of_centres
from services.dispatch.domain import commands
from services.dispatch.domain.commands import ActorCommand
from shared.contracts import adjustments, dispatch, rectification
from shared.web import examples
from shared.web.examples import ActExample, done

NO_SUCH_CASE: Final = "01938c3e-7c00-7000-8000-000000000000"


def _refused(code: str, summary: str, **body: object) -> ActExample:
    return examples.refused(code, summary, body, status_of_refusal)


EXAMPLES: Final[Mapping[type[ActorCommand], tuple[ActExample, ...]]] = {
    dispatch.SignLeg: (
        done("签收", expected_revision=1),
        _refused("stale_revision", "The leg has moved on since", expected_revision=9),
    ),
    dispatch.FeedBackLeg: (
        done("反馈，附现场照片摘要", closing_condition="消防车通道恢复畅通", evidence=["0f" * 32]),
        _refused("invalid", "A feedback claims the closing condition", evidence=[]),
    ),
    dispatch.RequestLegReturn: (
        done("派遣有误", reason="not_our_duty", ground="权责清单第 12 项"),
        _refused("invalid", "There are two honest reasons, and no third", reason="too_busy", ground="人手不足"),
    ),
    commands.DecideLegReturn: (
        done("批准回退，改由交警办理", upheld=True, reason="属交通管理职责", to_unit="traffic-police"),
        _refused("required", "Upheld, it goes to somebody", upheld=True, reason="属交通管理职责"),
    ),
    commands.RuleLeg: (done("裁定由原单位办理", to_unit="public-security", reason="联席会议裁定"),),
    adjustments.RequestLegExtension: (done("申请延期", reason="清障车调度需要时间", engineering=False),),
    of_centres.DecideLegExtension: (done("批准延期", approved=True, reason="情况属实"),),
    adjustments.RequestLegSuspension: (
        done("冬季无法施工", reason="wrong_season", plan="解冻后重新施划标线", until="2027-04-15T18:00:00+08:00"),
        _refused(
            "until_too_far",
            "A suspension ends within a year",
            reason="wrong_season",
            plan="解冻后重新施划标线",
            until="2037-04-15T18:00:00+08:00",
        ),
    ),
    of_centres.EndorseLegSuspension: (done("初审通过", endorsed=True, reason="现场已封冻"),),
    of_centres.DecideLegSuspension: (done("批准挂账", approved=True, reason="按计划春季实施"),),
    adjustments.ResumeLeg: (done("提前恢复处置", reason="气温回升，可以施工"),),
    commands.SendLegBack: (done("退回补充", reason="照片不是同一地点"),),
    commands.WaiveLeg: (
        done("无需协办", reason="现场不在物业区域内"),
        _refused("invalid", "A waiver says why"),
    ),
    rectification.OrderRectification: (
        done(
            "责令限期改正，三个工作日",
            legal_basis="消防法第六十条",
            document_number="责改〔2026〕第 118 号",
            days=3,
            unit="statutory_working_day",
        ),
        _refused("invalid", "An order has a number and a legal basis", days=0),
    ),
    rectification.ClaimRectification: (done("当事人报改正", statement="通道杂物已清除", evidence=["0f" * 32]),),
    rectification.RecordReinspection: (
        done("复查通过", passed=True, finding="通道畅通", evidence=["0f" * 32]),
        _refused("invalid", "A re-inspection says what was found", passed=True),
    ),
    rectification.RecordEnforcement: (
        done(
            "行政处罚",
            measure="penalty",
            legal_basis="消防法第六十条",
            document_number="罚决〔2026〕第 45 号",
        ),
    ),
    adjustments.AnswerSupervision: (done("督办答复", answer="今日清理完毕"),),
    adjustments.AppealLeg: (done("申诉", ground="道路封闭，车辆无法进入"),),
    of_centres.ReviewLegAppeal: (done("同意申诉", upheld=True, reason="封路情况属实"),),
    commands.DispatchCase: (
        done(
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
        done("增派协办", units=["traffic-police"], reason="需要拖移车辆"),
        _refused("required", "Somebody must be named", units=[], reason="需要拖移车辆"),
    ),
    commands.AssignCheck: (
        done("改派核查", unit="supervision-centre", reason="由监督中心统一核查"),
        _refused("no_checker", "Who handles does not check", unit="fire-rescue", reason="熟悉现场"),
    ),
    commands.CheckCase: (
        done("核查通过", passed=True),
        _refused("required", "A failed check says why", passed=False),
    ),
    commands.CloseCase: (
        done("结案"),
        _refused(
            "site_check_required", "Only some categories close on papers", on_papers=True, reason="验收单 2026-11"
        ),
    ),
    of_centres.ProposeVoid: (done("提请作废", reason="not_found", ground="两次到场均未发现"),),
    of_centres.DecideVoid: (done("不予作废", approved=False, reason="照片显示问题存在"),),
    of_centres.ReopenCase: (
        done("问题复发，全部重开", ground="recurrence", reason="车道再次被占"),
        _refused(
            "leg_not_fed_back", "Only what was fed back is reopened", ground="recurrence", reason="再次被占", legs=[9]
        ),
    ),
    of_centres.SuperviseCase: (
        done("督办，限期答复", reason="群众反映强烈", reply_by="2026-12-31T18:00:00+08:00"),
        _refused("in_the_past", "An answer takes time", reason="群众反映强烈", reply_by="2020-01-01T00:00:00+08:00"),
    ),
    of_centres.EscalateCase: (
        done("升级到市级", to_level="city", reason="街道无权处置"),
        _refused("not_upwards", "Escalated is only upwards", to_level="grid", reason="无权处置"),
    ),
    of_centres.MergeCase: (
        done("并案", master="01938c3e-7c00-7000-8000-000000000001", reason="同一地点同一问题"),
        _refused("unknown_case", "The master exists", master=NO_SUCH_CASE, reason="同一地点同一问题"),
    ),
    of_centres.UnmergeCase: (done("撤销并案", reason="经核实为两处问题"),),
}
"""For each act what is accepted, in the state that it is meant for, and what is wrong with the body itself.

Instants and other cases are such as the reader has: whoever runs an example puts in his own.
"""


def act(path: str, command: type[ActorCommand]) -> post:
    """Return the decorator of the route of this act, which shows what is answered, and its examples."""
    return examples.act(path, EXAMPLES[command])
