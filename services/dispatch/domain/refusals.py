"""Every name by which an act on a case can be refused, and what it means: public, and never given another meaning.

What the table of transitions refuses is the same for all acts; the rest belongs to some of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.dispatch.domain import adjustments as of_centres
from services.dispatch.domain import commands
from services.dispatch.domain.case import CASE_STAGES
from services.dispatch.domain.commands import ActorCommand
from services.dispatch.domain.legs import LEG_STAGES
from services.dispatch.domain.rectifying import RECTIFICATION_STAGES
from shared.contracts import adjustments, dispatch, rectification


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a refusal means, in the field's words and in English.

    `of_state`: asked in another state of the case, or at another time, the same act might be allowed. Names that begin
    with `wrong_state` say so themselves.
    """

    zh: str
    en: str
    of_state: bool = False


def _meaning(zh: str, en: str) -> Meaning:
    return Meaning(zh=zh, en=en)


def _of_state(zh: str, en: str) -> Meaning:
    return Meaning(zh=zh, en=en, of_state=True)


OF_THE_TABLE: Final[Mapping[str, Meaning]] = {
    "unknown_case": _meaning("案件不存在", "there is no such case"),
    "unknown_leg": _meaning("处置任务不存在", "the case has no such leg"),
    "not_entitled_unknown_unit": _meaning("单位不存在", "there is no such unit"),
    "not_entitled_post_of_unit": _meaning("该单位无此岗位", "the unit has no such post"),
    "not_entitled_post": _meaning("岗位无权", "this act is for another post"),
    "not_entitled_other_leg": _meaning("非本单位任务", "the leg is another department's (I-13)"),
    "not_entitled_handler": _meaning("处置单位应回避", "who handles the case neither rules, checks nor closes (I-10)"),
    "stale_revision": _meaning("版本已变", "the leg, or the case's own part, has moved on"),
    **{f"wrong_state_case_{stage}": _meaning("案件状态不符", f"the case is {stage}") for stage in CASE_STAGES},
    **{f"wrong_state_leg_{stage}": _meaning("任务状态不符", f"the leg is {stage}") for stage in LEG_STAGES},
    **{
        f"wrong_state_rectification_{stage}": _meaning("责令改正阶段不符", f"the legal track of the leg is at {stage}")
        for stage in RECTIFICATION_STAGES
    },
}
"""By the table of transitions, before the act is looked at."""
OF_ACTS: Final[Mapping[str, Meaning]] = {
    "unknown_unit": _meaning("处置单位不存在", "no such unit handles cases"),
    "unit_has_leg": _meaning("该单位已有任务", "the unit already has a leg"),
    "nothing_changes": _of_state("派遣未变", "these units have the case already"),
    "required": _meaning("缺少必填项", "something must be said here"),
    "not_expected": _meaning("不应填写", "nothing may be said here"),
    "invalid": _meaning("多处有误", "several things are wrong, each named"),
    "already_ruled": _of_state("已裁定", "the leader has ruled who handles"),
    "returns_exhausted": _of_state("回退已满两次", "returned twice: now the leader rules"),
    "returns_not_exhausted": _of_state("回退未满两次", "ruled only after two returns"),
    "overdue": _of_state("已超期", "the deadline has passed: ask before"),
    "void_needed": _meaning("应走作废", "that the lead has nothing to handle voids the case"),
    "no_clock": _of_state("无时限", "the leg has no deadline, from before there were clocks"),
    "extensions_exhausted": _of_state("延期已满两次", "extended twice already"),
    "extension_pending": _of_state("延期待审", "an extension waits for its decision"),
    "suspension_pending": _of_state("挂账待审", "a suspension waits for its decision"),
    "no_extension_pending": _of_state("无待审延期", "nobody has asked for an extension"),
    "no_suspension_pending": _of_state("无待审挂账", "nobody has asked for a suspension"),
    "suspended_before": _of_state("已挂过账", "a leg is suspended once"),
    "until_not_future": _meaning("挂账期限已过", "a suspension ends in the future"),
    "until_too_far": _meaning("挂账超过一年", "a suspension ends within a year"),
    "already_endorsed": _of_state("初审已过", "the suspension waits for the leader"),
    "not_endorsed": _of_state("未经初审", "a dispatcher looks at a suspension first"),
    "until_passed": _of_state("挂账期限已过", "the end date passed while the request waited"),
    "lead_not_waivable": _meaning("主办不可免办", "only support legs are waived"),
    "limit_not_over": _of_state("改正期限未满", "the party still has time, and has not said that it is done"),
    "wrong_state_support_open": _meaning("协办未完成", "the lead feeds back last"),
    "no_checker": _meaning("不能核查", "the unit has no collectors, or handles the case"),
    "already_assigned": _of_state("已派该单位核查", "the unit is to check already"),
    "not_entitled_other_unit": _meaning("非指定核查单位", "another unit was chosen to check"),
    "leg_not_fed_back": _meaning("任务未反馈", "only a leg that was fed back goes on again"),
    "site_check_required": _meaning("须现场核查", "the category is not closed on papers"),
    "wrong_state_no_single_lead": _meaning("主办不唯一", "the case has not exactly one lead leg (I-11)"),
    "wrong_state_reinspection_open": _meaning("复查未通过", "an order's re-inspection has not passed (I-11)"),
    "wrong_state_leg_open": _meaning("任务未完成", "a leg is neither fed back nor waived (I-11)"),
    "wrong_state_not_checked": _meaning("未核查通过", "no check has passed (I-11)"),
    "wrong_state_void_proposed": _meaning("作废待审", "to void the case is proposed already"),
    "wrong_state_no_void_proposed": _meaning("无待审作废", "nobody has proposed to void the case"),
    "not_entitled_proposer": _meaning("提请人不得审批", "who proposed does not decide"),
    "too_late": _of_state("结案超过三十日", "closed more than 30 days ago"),
    "in_the_past": _meaning("答复期限已过", "an answer is wanted by an instant that has passed"),
    "wrong_state_not_supervised": _meaning("未督办", "nobody supervises the case"),
    "wrong_state_supervision_answered": _meaning("已答复", "the unit has answered already"),
    "not_entitled_other_street": _meaning("非本街道案件", "the case is not at a place of this street"),
    "not_upwards": _of_state("只能向上升级", "escalated is only upwards"),
    "level_jump": _of_state("不得越级", "only matters of safety may jump"),
    "wrong_state_already_appealed": _meaning("已申诉", "one appeal a leg"),
    "wrong_state_not_overdue": _meaning("未计超期", "the leg is not counted as overdue"),
    "wrong_state_no_appeal": _meaning("无待审申诉", "no appeal waits for a review"),
    "not_entitled_reviewer": _meaning("须另一人审核", "the second review is by another person"),
    "same_case": _meaning("不能并入自身", "a case is not merged into itself"),
    "wrong_state_carries_others": _meaning("已有案件并入", "other cases are merged into this one: no chains"),
    "wrong_state_merging": _meaning("正在并案", "the case is about to be merged"),
}
"""By the act itself, after the table has let it pass."""

_TO_A_UNIT: Final = ("unknown_unit", "unit_has_leg")
_PENDING: Final = ("extension_pending", "suspension_pending")

REFUSALS: Final[Mapping[type[ActorCommand], tuple[str, ...]]] = {
    commands.DispatchCase: (*_TO_A_UNIT, "invalid", "nothing_changes", "already_ruled"),
    commands.AddLegs: ("required", *_TO_A_UNIT, "invalid"),
    dispatch.SignLeg: (),
    dispatch.FeedBackLeg: ("wrong_state_support_open",),
    dispatch.RequestLegReturn: ("already_ruled", "returns_exhausted", "overdue"),
    commands.DecideLegReturn: ("not_expected", "required", *_TO_A_UNIT, "void_needed"),
    commands.RuleLeg: ("already_ruled", "returns_not_exhausted", *_TO_A_UNIT),
    adjustments.RequestLegExtension: ("no_clock", "extensions_exhausted", *_PENDING, "overdue"),
    of_centres.DecideLegExtension: ("no_extension_pending", "not_entitled_post"),
    adjustments.RequestLegSuspension: (
        "no_clock",
        "suspended_before",
        *_PENDING,
        "until_not_future",
        "until_too_far",
    ),
    of_centres.EndorseLegSuspension: ("no_suspension_pending", "already_endorsed"),
    of_centres.DecideLegSuspension: ("no_suspension_pending", "not_endorsed", "until_passed"),
    adjustments.ResumeLeg: (),
    commands.SendLegBack: (),
    commands.WaiveLeg: ("lead_not_waivable",),
    rectification.OrderRectification: (),
    rectification.ClaimRectification: (),
    rectification.RecordReinspection: ("limit_not_over",),
    rectification.RecordEnforcement: (),
    adjustments.AnswerSupervision: ("wrong_state_not_supervised", "wrong_state_supervision_answered"),
    adjustments.AppealLeg: ("wrong_state_already_appealed", "wrong_state_not_overdue"),
    of_centres.ReviewLegAppeal: ("wrong_state_no_appeal", "not_entitled_reviewer"),
    commands.AssignCheck: ("no_checker", "already_assigned"),
    commands.CheckCase: ("not_entitled_other_unit", "not_expected", "required", "leg_not_fed_back", "invalid"),
    commands.CloseCase: (
        "site_check_required",
        "wrong_state_case_checking",
        "wrong_state_case_checked",
        "required",
        "wrong_state_no_single_lead",
        "wrong_state_reinspection_open",
        "wrong_state_leg_open",
        "wrong_state_not_checked",
    ),
    of_centres.ProposeVoid: ("wrong_state_void_proposed",),
    of_centres.DecideVoid: (
        "wrong_state_no_void_proposed",
        "not_entitled_proposer",
        "wrong_state_case_feedback",
        "wrong_state_case_checking",
        "wrong_state_case_checked",
    ),
    of_centres.ReopenCase: ("too_late", "leg_not_fed_back", "invalid"),
    of_centres.SuperviseCase: ("in_the_past",),
    of_centres.EscalateCase: ("not_entitled_other_street", "not_upwards", "level_jump"),
    of_centres.MergeCase: (
        "same_case",
        "wrong_state_carries_others",
        "wrong_state_merging",
        "wrong_state_reinspection_open",
    ),
    of_centres.UnmergeCase: (),
}
"""What each act can be refused by itself, in the order in which it is looked at."""
