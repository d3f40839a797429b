"""What departments hear of their legs: one message on the unit's receipts topic for each change."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.dispatch.domain.case import ENDED, CaseEvent, CaseState
from services.dispatch.domain.columns import running_clock_by_law, running_handle_clock
from services.dispatch.domain.commands import Command
from services.dispatch.domain.legs import LegState, find_leg
from shared.contracts.adjustments import (
    CaseRedispatched,
    CaseReopened,
    CaseSupervised,
    CaseSupervisionAnswered,
    CaseVoided,
    LegAppealed,
    LegAppealReviewed,
    LegExtended,
    LegExtensionRefused,
    LegExtensionRequested,
    LegResumed,
    LegRuled,
    LegsAdded,
    LegSentBack,
    LegSuspended,
    LegSuspensionEndorsed,
    LegSuspensionRefused,
    LegSuspensionRequested,
)
from shared.contracts.clocks import ClockBreached, ClocksRecomputed, ClockStage, ClockWarned, LegCountedAsSigned
from shared.contracts.decisions import Publish
from shared.contracts.dispatch import (
    CaseChecked,
    CaseClosed,
    CaseDispatched,
    Leg,
    LegFedBack,
    LegReturnRefused,
    LegReturnRequested,
    LegReturnUpheld,
    LegSigned,
    LegWaived,
)
from shared.contracts.merges import CaseMerged, CaseUnmerged
from shared.contracts.rectification import (
    LegEnforcementRecorded,
    LegRectificationClaimed,
    LegRectificationExpired,
    LegRectificationOrdered,
    LegReinspected,
)
from shared.contracts.registry import DISPATCH_RECEIPTS_PREFIX
from shared.contracts.tasks import TaskChange, TaskChanged

_OF_ONE_LEG: Final[dict[type[CaseEvent], TaskChange]] = {
    LegSigned: "signed",
    LegFedBack: "fed_back",
    LegReturnRequested: "return_requested",
    LegReturnRefused: "return_refused",
    LegWaived: "waived",
    LegSentBack: "sent_back",
    LegExtensionRequested: "extension_requested",
    LegExtended: "extended",
    LegExtensionRefused: "extension_refused",
    LegSuspensionRequested: "suspension_requested",
    LegSuspensionEndorsed: "suspension_endorsed",
    LegSuspensionRefused: "suspension_refused",
    LegSuspended: "suspended",
    LegResumed: "resumed",
    LegRectificationOrdered: "rectification_ordered",
    LegRectificationClaimed: "rectification_claimed",
    LegRectificationExpired: "rectification_expired",
    LegEnforcementRecorded: "enforced",
    LegCountedAsSigned: "counted_as_signed",
    ClockWarned: "warned",
    ClockBreached: "breached",
    CaseSupervisionAnswered: "supervision_answered",
    LegAppealed: "appealed",
}
"""What the event means for the unit of the leg that it names."""
_OF_EVERY_LEG: Final[dict[type[CaseEvent], TaskChange]] = {
    CaseDispatched: "assigned",
    CaseClosed: "closed",
    CaseVoided: "voided",
    CaseMerged: "merged",
    CaseUnmerged: "unmerged",
}
"""What the event means for the units of all legs. Events that are in neither concern some legs, or none."""


class News(NamedTuple):
    """What one unit hears. A `Leg` is one that is gone: its number may be another unit's by now."""

    unit: str
    change: TaskChange
    leg: LegState | Leg


def task_messages(case: CaseState, event: CaseEvent, command: Command) -> Sequence[Publish]:
    """Return the messages that tell units of the event; `case` is the state after it.

    Only units that handle cases have legs, and each of them has topics, so every message has a reader.
    """
    told = _news(case, event)
    if not told:
        return ()
    key = str(command.case_id).encode()
    facts = _facts(event)
    return [
        Publish(
            topic=DISPATCH_RECEIPTS_PREFIX + news.unit,
            key=key,
            message=_message(case, event.at, command.case_id, news, facts),
        )
        for news in told
    ]


def _news(case: CaseState, event: CaseEvent) -> Sequence[News]:
    change = _OF_ONE_LEG.get(type(event))
    if change is not None:
        return _of(case, [getattr(event, "leg", None)], change)
    change = _OF_EVERY_LEG.get(type(event))
    if change is not None:
        return [News(leg.unit, change, leg) for leg in case.legs]
    told = _OF_SOME_LEGS.get(type(event))
    return told(case, event) if told is not None else ()


def _of(case: CaseState, numbers: Iterable[int | None], change: TaskChange) -> list[News]:
    found = [find_leg(case.legs, number) for number in numbers if number is not None]
    return [News(leg.unit, change, leg) for leg in found if leg is not None]


def _handed_over(case: CaseState, event: LegReturnUpheld | LegRuled) -> list[News]:
    """The unit that has the leg now hears that it has it, and the one that had it that it has not."""
    ruled = isinstance(event, LegRuled)
    if ruled and event.unit == event.to_unit:
        return _of(case, [event.leg], "ruled")
    gone: TaskChange = "withdrawn" if ruled else "return_upheld"
    taken = _of(case, [event.leg], "assigned")
    return [*taken, *(News(event.unit, gone, news.leg) for news in taken)]


def _redispatched(case: CaseState, event: CaseRedispatched) -> list[News]:
    taken = _of(case, [leg.leg for leg in event.legs], "assigned")
    return [*taken, *(News(leg.unit, "withdrawn", leg) for leg in event.withdrawn)]


def _supervised(case: CaseState, _event: CaseSupervised) -> list[News]:
    return [News(leg.unit, "supervised", leg) for leg in case.legs if leg.state != "waived"]


def _recomputed(case: CaseState, event: ClocksRecomputed) -> list[News]:
    return _of(case, sorted({moved.leg for moved in event.moved if moved.leg}), "recomputed")


def _reviewed(case: CaseState, event: LegAppealReviewed) -> list[News]:
    if event.decision is None:
        return []
    return _of(case, [event.leg], "appeal_upheld" if event.decision == "upheld" else "appeal_rejected")


_OF_SOME_LEGS: Final[dict[type[CaseEvent], Callable[[CaseState, Any], list[News]]]] = {
    LegReturnUpheld: _handed_over,
    LegRuled: _handed_over,
    CaseRedispatched: _redispatched,
    LegsAdded: lambda case, event: _of(case, [leg.leg for leg in event.legs], "assigned"),
    CaseChecked: lambda case, event: _of(case, event.rework, "rework"),
    CaseReopened: lambda case, event: _of(case, event.legs, "reopened"),
    CaseSupervised: _supervised,
    ClocksRecomputed: _recomputed,
    LegAppealReviewed: _reviewed,
    LegReinspected: lambda case, event: _of(
        case, [event.leg], "reinspection_passed" if event.passed else "reinspection_failed"
    ),
}
_FACTS: Final[dict[type[CaseEvent], Callable[[Any], dict[str, Any]]]] = {
    ClockWarned: lambda event: {"stage": event.stage, "percent": event.percent},
    ClockBreached: lambda event: {"stage": event.stage, "percent": 100},
    CaseSupervised: lambda event: {"reason": event.reason, "until": event.reply_by},
    LegSuspensionRequested: lambda event: {"reason": event.plan, "until": event.until},
    LegSuspended: lambda event: {"reason": event.plan, "until": event.until},
    CaseMerged: lambda event: {"master": event.master},
    CaseUnmerged: lambda event: {"reason": event.reason, "master": event.master},
    CaseVoided: lambda event: {"reason": event.ground},
    LegReturnRequested: lambda event: {"reason": event.ground},
    LegAppealed: lambda event: {"reason": event.ground},
    LegReturnUpheld: lambda event: {"reason": event.explanation.reason},
    LegRuled: lambda event: {"reason": event.explanation.reason},
    CaseRedispatched: lambda event: {"reason": event.explanation.reason},
    LegsAdded: lambda event: {"reason": event.explanation.reason},
    LegReinspected: lambda event: {"reason": event.finding},
    LegRectificationClaimed: lambda event: {"reason": event.statement},
    LegRectificationOrdered: lambda event: {"reason": event.document_number},
    LegEnforcementRecorded: lambda event: {"reason": event.document_number},
}
"""What of the event a unit is told beside the leg, where that is more than its reason."""


def _facts(event: CaseEvent) -> dict[str, Any]:
    facts = _FACTS.get(type(event))
    if facts is not None:
        return facts(event)
    reason = getattr(event, "reason", None)
    return {} if reason is None else {"reason": reason}


def _message(case: CaseState, at: datetime, case_id: UUID, news: News, facts: dict[str, Any]) -> TaskChanged:
    leg, opened = news.leg, case.opened
    known = leg if isinstance(leg, LegState) else None
    due_at, sign_by = (None, None) if known is None or known.unit != news.unit else _due(case, known)
    if "reason" not in facts and known is not None and known.reason is not None:
        facts = {**facts, "reason": known.reason}
    return TaskChanged(
        change=news.change,
        case_id=case_id,
        case_number=opened.number,
        leg=leg.leg,
        unit=news.unit,
        role=leg.role,
        limit=leg.limit,
        revision=0 if known is None else known.revision,
        category=opened.category,
        place=opened.place,
        closing_condition_zh=opened.closing_condition_zh,
        closing_condition_en=opened.closing_condition_en,
        at=at,
        due_at=due_at,
        sign_by=sign_by,
        rectify_by=_due_by_law(case, known, "rectification"),
        reinspect_by=_due_by_law(case, known, "reinspection"),
        **facts,
    )


def _due(case: CaseState, leg: LegState) -> tuple[datetime | None, datetime | None]:
    """Say until when the leg has to be handled, and signed; None where that clock does not run."""
    handle = running_handle_clock(case, leg)
    sign = case.sign_clock_of(leg) if leg.unsigned and case.state not in ENDED else None
    return handle.due_at if handle else None, sign.due_at if sign else None


def _due_by_law(case: CaseState, leg: LegState | None, stage: ClockStage) -> datetime | None:
    """Say until when the party has to do as ordered, or the unit has to look again; None where that does not run."""
    running = None if leg is None else running_clock_by_law(case, leg)
    return running.due_at if running is not None and running.stage == stage else None
