"""A leg is one department's part of a case (处置任务): its state, its revision, and how events change it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

from shared.contracts.common import Message
from shared.contracts.dispatch import (
    CaseChecked,
    CaseDispatched,
    Explanation,
    LegFedBack,
    LegReturnRefused,
    LegReturnRequested,
    LegReturnUpheld,
    LegRole,
    LegSigned,
    LegWaived,
)
from shared.contracts.reference import Limit

LegStage = Literal["assigned", "handling", "return_pending", "fed_back", "waived"]
"""待签收, 处置中, 回退待审, 已反馈, 免办."""
LEG_STAGES: Final[tuple[LegStage, ...]] = ("assigned", "handling", "return_pending", "fed_back", "waived")
DONE: Final[frozenset[LegStage]] = frozenset({"fed_back", "waived"})


class LegState(Message, frozen=True, kw_only=True, omit_defaults=True):
    """One leg. `revision` counts its changes from 1; `assigned_at` is when its unit's handling clock started."""

    leg: int
    unit: str
    role: LegRole
    limit: Limit
    state: LegStage
    revision: int
    assigned_at: datetime
    signed_at: datetime | None = None
    fed_back_at: datetime | None = None
    fed_back_by: str | None = None
    """The person who fed back, where a token named one: may not check or close (I-10)."""
    rework: int = 0
    returns: int = 0
    reason: str | None = None
    """The reason of the last return request, ruling, waiver or failed check."""
    ruling: Explanation | None = None
    """Why this unit has the leg, where a ruling and not the dispatch sent it here."""

    @property
    def done(self) -> bool:
        """Is nothing expected of the unit any more?"""
        return self.state in DONE


Legs = tuple[LegState, ...]

LegEvent = CaseDispatched | LegSigned | LegFedBack | LegReturnRequested | LegReturnRefused | LegReturnUpheld | LegWaived


def find_leg(legs: Sequence[LegState], number: int) -> LegState | None:
    """Return the leg with this number, or None."""
    return next((leg for leg in legs if leg.leg == number), None)


def units_of(legs: Sequence[LegState]) -> frozenset[str]:
    """Return the units that have a leg in the case: the handling units of I-10."""
    return frozenset(leg.unit for leg in legs)


def evolve_legs(legs: Legs, event: LegEvent | CaseChecked) -> Legs:
    """Return the legs after the event."""
    match event:
        case CaseDispatched():
            return tuple(
                LegState(
                    leg=leg.leg,
                    unit=leg.unit,
                    role=leg.role,
                    limit=leg.limit,
                    state="assigned",
                    revision=1,
                    assigned_at=event.at,
                )
                for leg in event.legs
            )
        case CaseChecked():
            return _changed(legs, event.rework, lambda leg: _reworked(leg, event.reason))
        case _:
            return _changed(legs, (event.leg,), lambda leg: _evolve_leg(leg, event))


def _changed(legs: Legs, numbers: Sequence[int], change: Callable[[LegState], LegState]) -> Legs:
    return tuple(
        msgspec.structs.replace(change(leg), revision=leg.revision + 1) if leg.leg in numbers else leg for leg in legs
    )


def _reworked(leg: LegState, reason: str | None) -> LegState:
    return msgspec.structs.replace(leg, state="handling", fed_back_at=None, rework=leg.rework + 1, reason=reason)


def _evolve_leg(
    leg: LegState,
    event: LegSigned | LegFedBack | LegReturnRequested | LegReturnRefused | LegReturnUpheld | LegWaived,
) -> LegState:
    match event:
        case LegSigned():
            return msgspec.structs.replace(leg, state="handling", signed_at=event.at)
        case LegFedBack():
            return msgspec.structs.replace(
                leg, state="fed_back", fed_back_at=event.at, fed_back_by=event.by.person, reason=None
            )
        case LegReturnRequested():
            return msgspec.structs.replace(leg, state="return_pending", reason=event.ground)
        case LegReturnRefused():
            return msgspec.structs.replace(leg, state="handling", reason=event.reason)
        case LegReturnUpheld():
            return LegState(
                leg=leg.leg,
                unit=event.to_unit,
                role=leg.role,
                limit=leg.limit,
                state="assigned",
                revision=leg.revision,
                assigned_at=event.at,
                rework=leg.rework,
                returns=leg.returns + 1,
                reason=event.explanation.reason,
                ruling=event.explanation,
            )
        case LegWaived():
            return msgspec.structs.replace(leg, state="waived", reason=event.reason)
