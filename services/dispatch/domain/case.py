"""The case: its state, how events change it, and the columns that queries need. Every part is pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

from services.dispatch.domain.legs import Legs, evolve_legs, units_of
from shared.contracts.common import Actor, Message
from shared.contracts.dispatch import (
    CaseChecked,
    CaseClosed,
    CaseDispatched,
    CaseOpened,
    CaseOpeningDeclined,
    CaseRoutingFailed,
    Explanation,
    LegFedBack,
    LegReturnRefused,
    LegReturnRequested,
    LegReturnUpheld,
    LegSigned,
    LegWaived,
)

CaseStage = Literal["filed", "dispatched", "handling", "feedback", "checked", "closed"]
"""已立案 (waits for a dispatcher), 已派遣, 处置中, 已反馈, 核查通过, 结案 (domain 9.2)."""
CASE_STAGES: Final[tuple[CaseStage, ...]] = ("filed", "dispatched", "handling", "feedback", "checked", "closed")

CaseEvent = (
    CaseOpened
    | CaseOpeningDeclined
    | CaseRoutingFailed
    | CaseDispatched
    | LegSigned
    | LegFedBack
    | LegReturnRequested
    | LegReturnRefused
    | LegReturnUpheld
    | LegWaived
    | CaseChecked
    | CaseClosed
)


class CaseState(Message, frozen=True, kw_only=True):
    """One case. `revision` counts the changes of its own part; each leg has its own (design section 2)."""

    opened: CaseOpened
    state: CaseStage
    revision: int
    legs: Legs = ()
    explanation: Explanation | None = None
    """Why it was dispatched as it was, or why routing failed."""
    routing_problem: str | None = None
    dispatched_at: datetime | None = None
    checked_at: datetime | None = None
    checked_by: Actor | None = None
    """Who found the problem gone; None until a check has passed."""
    failed_checks: int = 0
    closed_at: datetime | None = None

    @property
    def lead(self) -> str | None:
        """Return the unit of the lead leg (主办), if the case is dispatched."""
        return next((leg.unit for leg in self.legs if leg.role == "lead"), None)


def evolve(case: CaseState | None, event: CaseEvent) -> CaseState:
    """Return the state after the event.

    Raises:
        ValueError: if the first event is not `CaseOpened`, or a later one is.
    """
    if isinstance(event, CaseOpened):
        if case is not None:
            raise ValueError("A case is opened once.")
        return CaseState(opened=event, state="filed", revision=1)
    if case is None:
        raise ValueError(f"A case begins with CaseOpened, not with {type(event).__name__}.")
    match event:
        case CaseOpeningDeclined():
            return case
        case CaseRoutingFailed():
            return _own_part(case, explanation=event.explanation, routing_problem=event.detail)
        case CaseDispatched():
            return _own_part(
                case,
                legs=evolve_legs(case.legs, event),
                state="dispatched",
                explanation=event.explanation,
                routing_problem=None,
                dispatched_at=event.at,
            )
        case CaseChecked():
            return _checked(case, event)
        case CaseClosed():
            return _own_part(case, state="closed", closed_at=event.at)
        case _:
            legs = evolve_legs(case.legs, event)
            return msgspec.structs.replace(case, legs=legs, state=stage_of(legs))


def stage_of(legs: Legs) -> CaseStage:
    """Return what the legs alone say of the case, between its dispatch and its check."""
    if all(leg.done for leg in legs):
        return "feedback"
    if all(leg.state in {"assigned", "waived"} for leg in legs):
        return "dispatched"
    return "handling"


def columns(case: CaseState) -> Mapping[str, object]:
    """Return the typed columns of the table `cases` beside the ledger's own."""
    opened = case.opened
    return {
        "status": case.state,
        "revision": case.revision,
        "source": opened.source,
        "category_system": opened.category.system,
        "category": opened.category.code,
        "street": opened.place.street,
        "community": opened.place.community,
        "campaign": opened.campaign,
        "lead_unit": case.lead,
        "units": sorted(units_of(case.legs)),
        "legs": [{"unit": leg.unit, "role": leg.role, "state": leg.state} for leg in case.legs],
        "reported_at": opened.reported_at,
        "filed_at": opened.filed_at,
        "opened_at": opened.at,
        "dispatched_at": case.dispatched_at,
        "closed_at": case.closed_at,
    }


def _own_part(case: CaseState, **changes: object) -> CaseState:
    return msgspec.structs.replace(case, revision=case.revision + 1, **changes)


def _checked(case: CaseState, event: CaseChecked) -> CaseState:
    if event.passed:
        return _own_part(case, state="checked", checked_at=event.at, checked_by=event.by)
    legs = evolve_legs(case.legs, event)
    return _own_part(case, legs=legs, state=stage_of(legs), failed_checks=case.failed_checks + 1)
