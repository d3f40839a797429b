"""Which events leave a mark on a case, and which say that one counts no more."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from services.analytics.domain.facts import CaseFacts
from services.analytics.domain.marks import MarkKind, Marks, holding, marked, over
from shared.contracts import adjustments, clocks, dispatch, merges
from shared.contracts.common import Event

_NOT_SCORED: Final[frozenset[MarkKind]] = frozenset({"overdue", "exempted"})
"""What a unit leaves behind with its clocks, when another one takes the leg over (domain 1.7, rule 5)."""
_SUSPENDED: Final[frozenset[MarkKind]] = frozenset({"suspended"})


def evolve_marks(facts: CaseFacts, event: Event) -> Marks:  # noqa: C901, PLR0911, PLR0912 - one arm an event
    """Return the marks of a case after its next event; `facts` are those before it."""
    marks = facts.marks
    match event:
        case dispatch.CaseChecked(rework=()) | dispatch.LegSigned() | dispatch.LegFedBack():
            return marks
        case dispatch.CaseChecked():
            return _on_legs(facts, "reworked", event.rework, event)
        case adjustments.LegSentBack():
            return marked(marks, "reworked", event.at, leg=event.leg, unit=event.unit)
        case dispatch.LegReturnUpheld():
            returned = marked(marks, "returned", event.at, leg=event.leg, unit=event.unit)
            return over(returned, _NOT_SCORED, event.leg, event.at)
        case adjustments.LegRuled():
            return over(marks, _NOT_SCORED, event.leg, event.at)
        case adjustments.CaseRedispatched():
            for leg in facts.legs:
                marks = over(marks, _NOT_SCORED, leg, event.at)
            return marks
        case adjustments.LegExtended():
            return marked(marks, "extended", event.at, leg=event.leg, unit=event.unit)
        case adjustments.LegSuspended():
            return marked(marks, "suspended", event.at, leg=event.leg, unit=event.unit)
        case adjustments.LegResumed() | dispatch.LegWaived():
            return over(marks, _SUSPENDED, event.leg, event.at)
        case clocks.ClockBreached(stage="handle", leg=int(leg)):
            return marked(marks, "overdue", event.due_at, leg=leg, unit=event.unit)
        case adjustments.LegAppealReviewed(decision="upheld"):
            return _exempted(marks, event)
        case adjustments.CaseReopened():
            return marked(_undone(marks, "closed", event.closed_at, event.at), "reopened", event.at)
        case merges.CaseUnmerged():
            return _undone(marks, "merged", facts.merged_at, event.at)
        case adjustments.CaseSupervised():
            return marked(marks, "supervised", event.at)
        case adjustments.CaseEscalated():
            return marked(marks, "escalated", event.at)
        case _:
            return marks


def _on_legs(facts: CaseFacts, kind: MarkKind, legs: Iterable[int], event: Event) -> Marks:
    marks = facts.marks
    for leg in legs:
        marks = marked(marks, kind, event.at, leg=leg, unit=facts.legs[leg].unit)
    return marks


def _exempted(marks: Marks, event: adjustments.LegAppealReviewed) -> Marks:
    """Exempt each of the leg's breaches that is not exempt yet; the breaches themselves stay (domain 1.4)."""
    for _ in range(holding(marks, "overdue", event.leg) - holding(marks, "exempted", event.leg)):
        marks = marked(marks, "exempted", event.at, leg=event.leg, unit=event.unit)
    return marks


def _undone(marks: Marks, kind: MarkKind, since: datetime | None, until: datetime) -> Marks:
    """Keep from when to when the case counted as closed or merged."""
    return marks if since is None else marked(marks, kind, since, until=until)
