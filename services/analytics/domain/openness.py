"""Why a case is open, said from its facts alone: a code for programs, a sentence in both languages for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Final, Literal

from services.analytics.domain.facts import Again, CaseFacts, LegFacts, ReportFacts, SuspensionStage
from services.analytics.domain.names import Name
from shared.contracts.adjustments import VoidReason
from shared.contracts.intake import VerificationResult

ReasonCode = Literal[
    "incomplete",
    "not_verified",
    "not_accepted",
    "not_filed",
    "not_opened",
    "unroutable",
    "not_dispatched",
    "not_signed",
    "return_pending",
    "suspended",
    "suspension_requested",
    "suspension_endorsed",
    "extension_requested",
    "rework",
    "reopened",
    "handling",
    "waiting_for_support",
    "waiting_for_check",
    "waiting_for_closure",
    "void_proposed",
    "merge_pending",
    "supervised",
    "escalated",
    "after_cut_off",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that must happen before the case can close; `unit` is who must act, where that is a leg's unit."""

    code: ReasonCode
    zh: str
    en: str
    unit: str | None = None
    leg: int | None = None


AFTER_CUT_OFF: Final = Reason(
    code="after_cut_off",
    zh="截止时刻之后已办结、作废、并案或不予受理。",
    en="Closed, voided, merged or rejected after the cut-off.",
)
"""Why a case counts as open at an earlier cut-off, though nothing is awaited any more."""

_FIELDS: Final[Mapping[str, Name]] = {
    "category": Name(zh="问题类别", en="category"),
    "condition": Name(zh="立案条件", en="filing condition"),
    "street": Name(zh="街道", en="street"),
    "community": Name(zh="社区", en="community"),
}
_ROLES: Final[Mapping[str, Name]] = {"lead": Name(zh="主办", en="lead"), "support": Name(zh="协办", en="support")}
_UNROUTABLE: Final[Mapping[str, Name]] = {
    "no_rule": Name(zh="权责清单无对应条目", en="no rule of the power list applies"),
    "unknown_unit": Name(zh="权责清单所列单位不存在", en="the power list names a unit that does not exist"),
}
LEVELS: Final[Mapping[str, Name]] = {
    "grid": Name(zh="网格", en="grid"),
    "community": Name(zh="社区", en="community"),
    "street": Name(zh="街道", en="street"),
    "city": Name(zh="市级", en="city"),
}
"""What people call the levels at which a case is solved."""
_VERIFIED: Final[Mapping[VerificationResult | None, Name]] = {
    None: Name(zh="已上报，等待受理员受理。", en="Reported; waits for an acceptor to accept it."),
    "exists": Name(zh="已核实属实，等待受理员受理。", en="Verified; waits for an acceptor to accept it."),
    "absent": Name(zh="核实未发现，等待受理员决定。", en="Not found on site; waits for an acceptor to decide."),
    "undetermined": Name(zh="无法核实，等待受理员决定。", en="Could not be verified; waits for an acceptor to decide."),
}
_VOID_REASONS: Final[Mapping[VoidReason, Name]] = {
    "not_found": Name(zh="现场未发现", en="not found on site"),
    "not_ours": Name(zh="不属管理范围", en="not for this city to handle"),
    "no_handling_needed": Name(zh="无需处置", en="needs no handling"),
    "duplicate": Name(zh="重复", en="a duplicate"),
}
_AGAIN: Final[Mapping[Again, tuple[ReasonCode, Name]]] = {
    "check_failed": ("rework", Name(zh="核查未通过", en="The check failed")),
    "sent_back": ("rework", Name(zh="反馈不充分，退回补充", en="The feedback was sent back as insufficient")),
    "false_closing": ("reopened", Name(zh="案件因虚假结案重开", en="Reopened: it had been closed falsely")),
    "recurrence": ("reopened", Name(zh="案件因问题复发重开", en="Reopened: the problem came back")),
}
_NOW: Final[Mapping[ReasonCode, Name]] = {
    "rework": Name(zh="返工中", en="reworks"),
    "reopened": Name(zh="重新处置中", en="handles it again"),
}
_SUSPENSIONS: Final[Mapping[SuspensionStage, tuple[ReasonCode, Name]]] = {
    "requested": (
        "suspension_requested",
        Name(zh="申请挂账，等待派遣员初审。", en="asked to be suspended; waits for a dispatcher's endorsement."),
    ),
    "endorsed": (
        "suspension_endorsed",
        Name(zh="申请挂账，已初审，等待领导审批。", en="asked to be suspended, endorsed; waits for the leader."),
    ),
}
_BEIJING: Final = timezone(timedelta(hours=8))


def why_open(report: ReportFacts | None, case: CaseFacts | None, units: Mapping[str, Name]) -> tuple[Reason, ...]:
    """Return what the case waits for, the first thing first; nothing when it has ended, was rejected or merged.

    Args:
        report: what intake said of it; None when that has not arrived.
        case: what dispatch said of it; None when that has not arrived.
        units: the units' names; a unit without one is called by its code.
    """
    if case is not None:
        return () if case.ended else (*_decisions(case), *_of_case(case, units), *_oversight(case))
    if report is None or report.rejected_at is not None or report.report_merged_at is not None:
        return ()
    return (*_report_decisions(report), _of_report(report, units))


def _of_report(report: ReportFacts, units: Mapping[str, Name]) -> Reason:
    if report.filed_at is not None:
        return Reason(
            code="not_opened", zh="已立案，等待派遣系统接收。", en="Filed; dispatch has not opened the case yet."
        )
    if report.accepted_at is not None:
        return Reason(
            code="not_filed", zh="已受理，等待值班长立案。", en="Accepted; waits for the duty leader to file it."
        )
    if report.verify_unit is not None:
        unit = _unit(report.verify_unit, units)
        return Reason(
            code="not_verified", zh=f"已上报，等待{unit.zh}核实。", en=f"Reported; {unit.en} is to verify it."
        )
    if report.missing:
        names = [_field(field) for field in report.missing]
        return Reason(
            code="incomplete",
            zh=f"已上报，尚缺：{'、'.join(name.zh for name in names)}。",
            en=f"Reported; still missing: {', '.join(name.en for name in names)}.",
        )
    known = _VERIFIED[report.verified]
    return Reason(code="not_accepted", zh=known.zh, en=known.en)


def _report_decisions(report: ReportFacts) -> Iterator[Reason]:
    """Yield what another report must answer."""
    if report.report_merge_requested is not None:
        zh = f"已提请并入上报 {report.report_merge_requested}，等待答复。"
        en = f"Asked to be merged into report {report.report_merge_requested}; waits for its answer."
        yield Reason(code="merge_pending", zh=zh, en=en)


def _decisions(case: CaseFacts) -> Iterator[Reason]:
    """Yield what somebody must decide about the case as a whole."""
    if case.void_proposed is not None:
        why = _VOID_REASONS[case.void_proposed]
        zh, en = f"已提请作废（{why.zh}），等待领导审批。", f"Proposed to be voided ({why.en}); waits for the leader."
        yield Reason(code="void_proposed", zh=zh, en=en)
    if case.merge_requested is not None:
        zh = f"已提请并入案件 {case.merge_requested}，等待答复。"
        en = f"Asked to be merged into case {case.merge_requested}; waits for its answer."
        yield Reason(code="merge_pending", zh=zh, en=en)


def _oversight(case: CaseFacts) -> Iterator[Reason]:
    """Yield who looks on from above."""
    if case.answer_awaited:
        yield Reason(code="supervised", zh="已督办，等待答复。", en="Supervised; waits for an answer.")
    if case.level is not None and any(mark.kind == "escalated" for mark in case.marks):
        level = LEVELS[case.level]
        zh, en = f"已升级，由{level.zh}负责解决。", f"Escalated: to be solved at {level.en} level."
        yield Reason(code="escalated", zh=zh, en=en)


def _of_case(case: CaseFacts, units: Mapping[str, Name]) -> tuple[Reason, ...]:
    if case.unroutable is not None:
        why = _UNROUTABLE.get(case.unroutable, Name(zh=case.unroutable, en=case.unroutable))
        zh = f"已立案，无法自动派遣（{why.zh}），等待派遣员人工派遣。"
        return (Reason(code="unroutable", zh=zh, en=f"Filed, cannot be routed ({why.en}); waits for a dispatcher."),)
    if not case.legs:
        return (Reason(code="not_dispatched", zh="已立案，等待派遣。", en="Filed; waits to be dispatched."),)
    open_legs = [leg for _, leg in sorted(case.legs.items()) if not leg.done]
    if open_legs:
        supports = [leg for leg in open_legs if leg.role == "support"]
        return tuple(reason for leg in open_legs for reason in _of_leg(leg, supports, units))
    if case.check_passed:
        zh, en = "核查已通过，等待结案。", "The check has passed; waits to be closed."
        return (Reason(code="waiting_for_closure", zh=zh, en=en),)
    if case.check_unit is not None:
        checker = _unit(case.check_unit, units)
        zh, en = (
            f"各单位均已反馈，等待{checker.zh}核查。",
            f"Every unit has fed back; waits for a check by {checker.en}.",
        )
        return (Reason(code="waiting_for_check", zh=zh, en=en),)
    zh, en = "各单位均已反馈，等待核查。", "Every unit has fed back; waits for a check."
    return (Reason(code="waiting_for_check", zh=zh, en=en),)


def _of_leg(leg: LegFacts, supports: Sequence[LegFacts], units: Mapping[str, Name]) -> Iterator[Reason]:
    """Yield what the unit has to do, then what it asked for."""
    unit, role = _unit(leg.unit, units), _ROLES[leg.role]
    who = Name(zh=f"{unit.zh}（{role.zh}）", en=f"{unit.en} ({role.en})")
    waited = [_unit(support.unit, units) for support in supports] if leg.role == "lead" else []
    reasons = [_course(leg, who, waited)]
    if leg.extension_requested:
        zh, en = f"{who.zh}申请延期，等待审批。", f"{who.en} asked for more time; awaits a decision."
        reasons.append(Reason(code="extension_requested", zh=zh, en=en))
    if leg.suspension is not None:
        code, what = _SUSPENSIONS[leg.suspension]
        reasons.append(Reason(code=code, zh=f"{who.zh}{what.zh}", en=f"{who.en} {what.en}"))
    return (replace(reason, unit=leg.unit, leg=leg.leg) for reason in reasons)


def _course(leg: LegFacts, who: Name, waited: Sequence[Name]) -> Reason:
    if leg.state == "assigned":
        return Reason(code="not_signed", zh=f"{who.zh}尚未签收。", en=f"{who.en} has not signed.")
    if leg.state == "return_pending":
        zh, en = f"{who.zh}申请回退，等待裁定。", f"{who.en} asked to return the task; awaits a ruling."
        return Reason(code="return_pending", zh=zh, en=en)
    if leg.state == "suspended" and leg.suspended_until is not None:
        until = _local(leg.suspended_until)
        return Reason(code="suspended", zh=f"{who.zh}已挂账，至{until}。", en=f"{who.en} is suspended until {until}.")
    if leg.again is not None:
        code, why = _AGAIN[leg.again]
        now = _NOW[code]
        zh = f"{why.zh}（{leg.again_reason or '未说明原因'}）；{who.zh}{now.zh}。"
        en = f"{why.en} ({leg.again_reason or 'no reason given'}); {who.en} {now.en}."
        return Reason(code=code, zh=zh, en=en)
    if waited:
        zh = f"{who.zh}处置中，等待{'、'.join(name.zh for name in waited)}反馈。"
        en = f"{who.en} is handling and waits for feedback of {', '.join(name.en for name in waited)}."
        return Reason(code="waiting_for_support", zh=zh, en=en)
    zh, en = f"{who.zh}处置中，尚未反馈。", f"{who.en} is handling and has not fed back."
    return Reason(code="handling", zh=zh, en=en)


def _local(at: datetime) -> str:
    return f"{at.astimezone(_BEIJING):%Y-%m-%d %H:%M}"


def _unit(code: str, units: Mapping[str, Name]) -> Name:
    return units.get(code, Name(zh=code, en=code))


def _field(name: str) -> Name:
    return _FIELDS.get(name.rsplit(".", 1)[-1], Name(zh=name, en=name))
