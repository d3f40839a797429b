"""What a dossier points out about a leg's deadline: by a name, and as a sentence in both languages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from services.dispatch.domain.case import CaseState
from services.dispatch.domain.columns import running_handle_clock
from services.dispatch.domain.legs import LegState
from shared.contracts.clocks import Clock
from shared.contracts.common import Message
from shared.deadlines.working_time import LOCAL

_ZH: Final = (
    "第 {support.leg} 项任务（协办，{support.unit}）{later} 到期，晚于主办（{lead.unit}）的 {sooner}；"
    "主办最后反馈，可以申请延期。"
)
_EN: Final = (
    "Leg {support.leg} (support, {support.unit}) is due on {later}, after its lead ({lead.unit}, {sooner}), which "
    "feeds back last and may ask for an extension."
)


class Remark(Message, frozen=True, kw_only=True):
    """Something about a deadline that somebody should know.

    `due_after_lead`: a support leg that began anew (redispatched, ruled, added, reworked) has its whole limit, though
    its lead, which feeds back last, is due before it.
    """

    code: Literal["due_after_lead"]
    zh: str
    en: str


def remarks_of(case: CaseState, leg: LegState) -> tuple[Remark, ...]:
    """Return what is pointed out about the leg: of its lead, and to the lead of each leg that it waits for."""
    lead = next((one for one in case.legs if one.role == "lead"), None)
    first = None if lead is None else running_handle_clock(case, lead)
    if lead is None or first is None:
        return ()
    supports: Sequence[LegState] = [one for one in case.legs if one.role == "support"] if leg is lead else [leg]
    clocks = [(one, running_handle_clock(case, one)) for one in supports]
    return tuple(
        _due_after_lead(one, clock, lead, first) for one, clock in clocks if clock and clock.due_at > first.due_at
    )


def _due_after_lead(support: LegState, clock: Clock, lead: LegState, first: Clock) -> Remark:
    later, sooner = _local(clock.due_at), _local(first.due_at)
    zh, en = (text.format(support=support, lead=lead, later=later, sooner=sooner) for text in (_ZH, _EN))
    return Remark(code="due_after_lead", zh=zh, en=en)


def _local(instant: datetime) -> str:
    return f"{instant.astimezone(LOCAL):%Y-%m-%d %H:%M}"
