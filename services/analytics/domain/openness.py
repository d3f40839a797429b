"""Why a case is open, said from its facts alone: a code for programs, a sentence in both languages for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from services.analytics.domain.facts import CaseFacts, LegFacts, ReportFacts
from services.analytics.domain.names import Name

ReasonCode = Literal[
    "incomplete",
    "not_accepted",
    "not_filed",
    "not_opened",
    "unroutable",
    "not_dispatched",
    "not_signed",
    "return_pending",
    "rework",
    "handling",
    "waiting_for_support",
    "waiting_for_check",
    "waiting_for_closure",
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
    code="after_cut_off", zh="截止时刻之后已办结或不予受理。", en="Closed or rejected after the cut-off."
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


def why_open(report: ReportFacts | None, case: CaseFacts | None, units: Mapping[str, Name]) -> tuple[Reason, ...]:
    """Return what the case waits for, the first thing first; nothing when it is closed or its report was rejected.

    Args:
        report: what intake said of it; None when that has not arrived.
        case: what dispatch said of it; None when that has not arrived.
        units: the units' names; a unit without one is called by its code.
    """
    if case is not None:
        return () if case.closed_at is not None else _of_case(case, units)
    if report is None or report.rejected_at is not None:
        return ()
    return (_of_report(report),)


def _of_report(report: ReportFacts) -> Reason:
    if report.filed_at is not None:
        return Reason(
            code="not_opened", zh="已立案，等待派遣系统接收。", en="Filed; dispatch has not opened the case yet."
        )
    if report.accepted_at is not None:
        return Reason(
            code="not_filed", zh="已受理，等待值班长立案。", en="Accepted; waits for the duty leader to file it."
        )
    if report.missing:
        names = [_field(field) for field in report.missing]
        return Reason(
            code="incomplete",
            zh=f"已上报，尚缺：{'、'.join(name.zh for name in names)}。",
            en=f"Reported; still missing: {', '.join(name.en for name in names)}.",
        )
    return Reason(
        code="not_accepted", zh="已上报，等待受理员受理。", en="Reported; waits for an acceptor to accept it."
    )


def _of_case(case: CaseFacts, units: Mapping[str, Name]) -> tuple[Reason, ...]:
    if case.unroutable is not None:
        why = _UNROUTABLE.get(case.unroutable, Name(zh=case.unroutable, en=case.unroutable))
        return (
            Reason(
                code="unroutable",
                zh=f"已立案，无法自动派遣（{why.zh}），等待派遣员人工派遣。",
                en=f"Filed, cannot be routed ({why.en}); waits for a dispatcher.",
            ),
        )
    if not case.legs:
        return (Reason(code="not_dispatched", zh="已立案，等待派遣。", en="Filed; waits to be dispatched."),)
    open_legs = [leg for _, leg in sorted(case.legs.items()) if not leg.done]
    if open_legs:
        supports = [leg for leg in open_legs if leg.role == "support"]
        return tuple(_of_leg(leg, supports, case, units) for leg in open_legs)
    if case.check_passed:
        return (
            Reason(
                code="waiting_for_closure", zh="核查已通过，等待结案。", en="The check has passed; waits to be closed."
            ),
        )
    return (
        Reason(
            code="waiting_for_check", zh="各单位均已反馈，等待核查。", en="Every unit has fed back; waits for a check."
        ),
    )


def _of_leg(leg: LegFacts, supports: list[LegFacts], case: CaseFacts, units: Mapping[str, Name]) -> Reason:
    unit, role = _unit(leg.unit, units), _ROLES[leg.role]
    zh, en = f"{unit.zh}（{role.zh}）", f"{unit.en} ({role.en})"
    code: ReasonCode
    match leg.state:
        case "assigned":
            code, zh, en = "not_signed", f"{zh}尚未签收。", f"{en} has not signed."
        case "return_pending":
            code, zh, en = (
                "return_pending",
                f"{zh}申请回退，等待裁定。",
                f"{en} asked to return the task; awaits a ruling.",
            )
        case _ if leg.in_rework:
            code = "rework"
            zh = f"核查未通过（{case.check_reason or '未说明原因'}）；{zh}返工中。"
            en = f"The check failed ({case.check_reason or 'no reason given'}); {en} reworks."
        case _ if leg.role == "lead" and supports:
            code = "waiting_for_support"
            waited = [_unit(support.unit, units) for support in supports]
            zh = f"{zh}处置中，等待{'、'.join(name.zh for name in waited)}反馈。"
            en = f"{en} is handling and waits for feedback of {', '.join(name.en for name in waited)}."
        case _:
            code, zh, en = "handling", f"{zh}处置中，尚未反馈。", f"{en} is handling and has not fed back."
    return Reason(code=code, zh=zh, en=en, unit=leg.unit, leg=leg.leg)


def _unit(code: str, units: Mapping[str, Name]) -> Name:
    return units.get(code, Name(zh=code, en=code))


def _field(name: str) -> Name:
    return _FIELDS.get(name.rsplit(".", 1)[-1], Name(zh=name, en=name))
