"""What departments hear of their legs: one message on the unit's receipts topic for each change."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.columns import running_handle_clock
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
    key = str(command.case_id).encode()
    return [
        Publish(topic=f"{DISPATCH_RECEIPTS_PREFIX}{news.unit}", key=key, message=_message(case, event, command, news))
        for news in _news(case, event)
    ]


def _news(case: CaseState, event: CaseEvent) -> Iterable[News]:
    change = _OF_ONE_LEG.get(type(event))
    if change is not None:
        return _of(case, [getattr(event, "leg", None)], change)
    change = _OF_EVERY_LEG.get(type(event))
    if change is not None:
        return (News(leg.unit, change, leg) for leg in case.legs)
    return _of_some_legs(case, event)


def _of_some_legs(case: CaseState, event: CaseEvent) -> Iterable[News]:
    match event:
        case LegReturnUpheld() | LegRuled():
            return _handed_over(case, event)
        case CaseRedispatched():
            return _redispatched(case, event)
        case LegsAdded():
            return _of(case, [leg.leg for leg in event.legs], "assigned")
        case CaseChecked():
            return _of(case, event.rework, "rework")
        case CaseReopened():
            return _of(case, event.legs, "reopened")
        case CaseSupervised():
            return (News(leg.unit, "supervised", leg) for leg in case.legs if leg.state != "waived")
        case ClocksRecomputed():
            return _of(case, sorted({moved.leg for moved in event.moved if moved.leg}), "recomputed")
        case LegAppealReviewed() if event.decision is not None:
            return _of(case, [event.leg], "appeal_upheld" if event.decision == "upheld" else "appeal_rejected")
        case _:
            return ()


def _of(case: CaseState, numbers: Sequence[int | None], change: TaskChange) -> Iterator[News]:
    for number in numbers:
        leg = None if number is None else find_leg(case.legs, number)
        if leg is not None:
            yield News(leg.unit, change, leg)


def _handed_over(case: CaseState, event: LegReturnUpheld | LegRuled) -> Iterator[News]:
    """The unit that has the leg now hears that it has it, and the one that had it that it has not."""
    ruled = isinstance(event, LegRuled)
    if ruled and event.unit == event.to_unit:
        yield from _of(case, [event.leg], "ruled")
        return
    yield from _of(case, [event.leg], "assigned")
    gone: TaskChange = "withdrawn" if ruled else "return_upheld"
    yield from (news._replace(unit=event.unit) for news in _of(case, [event.leg], gone))


def _redispatched(case: CaseState, event: CaseRedispatched) -> Iterator[News]:
    yield from _of(case, [leg.leg for leg in event.legs], "assigned")
    yield from (News(leg.unit, "withdrawn", leg) for leg in event.withdrawn)


def _message(case: CaseState, event: CaseEvent, command: Command, news: News) -> TaskChanged:
    leg, opened = news.leg, case.opened
    kept = leg if isinstance(leg, LegState) and leg.unit == news.unit else None
    return TaskChanged(
        change=news.change,
        case_id=command.case_id,
        leg=leg.leg,
        unit=news.unit,
        role=leg.role,
        limit=leg.limit,
        revision=leg.revision if isinstance(leg, LegState) else 0,
        category=opened.category,
        place=opened.place,
        closing_condition_zh=opened.closing_condition_zh,
        closing_condition_en=opened.closing_condition_en,
        at=event.at,
        reason=_reason(event, leg),
        due_at=None if kept is None else _due_at(case, kept),
        sign_by=None if kept is None else _sign_by(case, kept),
        stage=_stage(event),
        percent=_percent(event),
        until=_until(event),
        master=event.master if isinstance(event, CaseMerged | CaseUnmerged) else None,
    )


def _due_at(case: CaseState, leg: LegState) -> datetime | None:
    clock = running_handle_clock(case, leg)
    return clock.due_at if clock else None


def _sign_by(case: CaseState, leg: LegState) -> datetime | None:
    clock = case.sign_clock_of(leg) if leg.unsigned else None
    return clock.due_at if clock else None


def _reason(event: CaseEvent, leg: LegState | Leg) -> str | None:
    """Say why in words: what the event says, else what was said of the leg last."""
    match event:
        case CaseVoided() | LegReturnRequested() | LegAppealed():
            return event.ground
        case LegSuspensionRequested() | LegSuspended():
            return event.plan
        case LegReturnUpheld() | LegRuled() | CaseRedispatched() | LegsAdded():
            return event.explanation.reason
        case _:
            said = getattr(event, "reason", None)
            return said or (leg.reason if isinstance(leg, LegState) else None)


def _stage(event: CaseEvent) -> ClockStage | None:
    return event.stage if isinstance(event, ClockWarned | ClockBreached) else None


def _percent(event: CaseEvent) -> Literal[50, 80, 100] | None:
    if isinstance(event, ClockBreached):
        return 100
    return event.percent if isinstance(event, ClockWarned) else None


def _until(event: CaseEvent) -> datetime | None:
    match event:
        case CaseSupervised():
            return event.reply_by
        case LegSuspensionRequested() | LegSuspended():
            return event.until
        case _:
            return None
