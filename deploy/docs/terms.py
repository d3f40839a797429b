"""The field's Chinese terms of what the code names in English."""

from collections.abc import Mapping
from typing import Final

from services.dispatch.domain import adjustments as of_centres
from services.dispatch.domain import commands, merging
from services.dispatch.domain.case import CaseStage
from services.dispatch.domain.commands import Command
from services.dispatch.domain.legs import LegStage
from services.dispatch.domain.rectifying import RectificationStage
from shared.contracts import adjustments, dispatch, rectification
from shared.contracts.common import Post

POSTS: Final[Mapping[Post, str]] = {
    "department": "专业部门",
    "street": "街道",
    "collector": "监督员",
    "acceptor": "受理员",
    "duty_leader": "值班长",
    "dispatcher": "派遣员",
    "inspector": "督查员",
    "leader": "领导",
    "evaluator": "评价员",
    "administrator": "管理员",
    "source": "上报来源",
    "system": "系统",
}
CASE_STAGES: Final[Mapping[CaseStage, str]] = {
    "filed": "已立案，待派遣",
    "dispatched": "已派遣",
    "handling": "处置中",
    "feedback": "已反馈，待派核查",
    "checking": "核查中",
    "checked": "核查通过",
    "closed": "结案",
    "voided": "作废",
    "merged": "并案",
}
LEG_STAGES: Final[Mapping[LegStage, str]] = {
    "assigned": "待签收",
    "handling": "处置中",
    "return_pending": "回退待审",
    "suspended": "挂账",
    "fed_back": "已反馈",
    "waived": "免办",
}
RECTIFICATION_STAGES: Final[Mapping[RectificationStage, str]] = {
    "none": "未责令",
    "ordered": "责令改正",
    "claimed": "已报改正，待复查",
    "not_cleared": "复查未通过",
    "enforced": "已处罚或强制执行，待复查",
    "cleared": "复查通过，销号",
}
COMMANDS: Final[Mapping[type[Command], str]] = {
    commands.OpenCase: "立案转派遣",
    commands.DispatchCase: "派遣、改派",
    commands.AddLegs: "增派协办",
    dispatch.SignLeg: "签收",
    dispatch.FeedBackLeg: "反馈",
    dispatch.RequestLegReturn: "申请回退",
    commands.DecideLegReturn: "回退审批",
    commands.RuleLeg: "裁定",
    adjustments.RequestLegExtension: "申请延期",
    of_centres.DecideLegExtension: "延期审批",
    adjustments.RequestLegSuspension: "申请挂账",
    of_centres.EndorseLegSuspension: "挂账初审",
    of_centres.DecideLegSuspension: "挂账审批",
    adjustments.ResumeLeg: "恢复处置",
    commands.SendLegBack: "退回补充",
    commands.WaiveLeg: "免办",
    rectification.OrderRectification: "责令改正",
    rectification.ClaimRectification: "报改正",
    rectification.RecordReinspection: "复查",
    rectification.RecordEnforcement: "处罚、强制执行",
    commands.AssignCheck: "派核查",
    commands.CheckCase: "核查",
    commands.CloseCase: "结案",
    of_centres.ProposeVoid: "提请作废",
    of_centres.DecideVoid: "作废审批",
    of_centres.ReopenCase: "重开",
    of_centres.SuperviseCase: "督办",
    adjustments.AnswerSupervision: "督办答复",
    of_centres.EscalateCase: "升级",
    adjustments.AppealLeg: "申诉",
    of_centres.ReviewLegAppeal: "申诉审核",
    of_centres.MergeCase: "提请并案",
    of_centres.UnmergeCase: "撤销并案",
    merging.AdmitMerge: "主案受理并案",
    merging.CompleteMerge: "并案完成",
    merging.AbandonMerge: "并案未成",
    merging.ReleaseMerge: "主案解除并案",
    merging.LeaveVoidedMaster: "脱离作废主案",
    of_centres.FireClocks: "到时",
    of_centres.RecomputeClocks: "时限重算",
}
