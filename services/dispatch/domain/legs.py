"""A leg is one department's part of a case (处置任务): its state; `leg_changes` says how events change it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from services.dispatch.domain.pending import Appeal
from services.dispatch.domain.rectifying import Rectification, RectificationStage
from shared.contracts.adjustments import SuspensionReason
from shared.contracts.clocks import Clock
from shared.contracts.common import Instant, Message
from shared.contracts.dispatch import Explanation, LegRole, ReturnReason
from shared.contracts.reference import Limit
from shared.deadlines.telling import Told

LegStage = Literal["assigned", "handling", "return_pending", "suspended", "fed_back", "waived"]
"""待签收, 处置中, 回退待审, 挂账, 已反馈, 免办."""
LEG_STAGES: Final[tuple[LegStage, ...]] = (
    "assigned",
    "handling",
    "return_pending",
    "suspended",
    "fed_back",
    "waived",
)
DONE: Final[frozenset[LegStage]] = frozenset({"fed_back", "waived"})
STANDING_STILL: Final[frozenset[LegStage]] = DONE | {"suspended"}
"""No clock of the leg runs."""


class PendingExtension(Message, frozen=True, kw_only=True):
    """延期申请 that nobody has decided yet."""

    reason: str
    engineering: bool


class Suspension(Message, frozen=True, kw_only=True, omit_defaults=True):
    """挂账: asked for, endorsed by a dispatcher, and from `started_at` on in force."""

    reason: SuspensionReason
    plan: str
    until: Instant
    endorsed: bool = False
    started_at: Instant | None = None


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
    counted_as_signed: bool = False
    fed_back_at: datetime | None = None
    fed_back_by: str | None = None
    """The person who fed back last, where a token named one."""
    rework: int = 0
    returns: int = 0
    """Return requests that were decided, either way."""
    return_reason: ReturnReason | None = None
    ruled: bool = False
    """The leader has said who handles: no return any more."""
    reason: str | None = None
    """The reason of the last return request, ruling, waiver or failed check."""
    ruling: Explanation | None = None
    """Why this unit has the leg, where a ruling and not the dispatch sent it here."""
    extension: PendingExtension | None = None
    suspension: Suspension | None = None
    """The one that is asked for or in force."""
    suspended_before: bool = False
    sign_clock: Clock | None = None
    handle_clock: Clock | None = None
    """Its own clocks, where they are not those that all legs of the dispatch share (`CaseState`)."""
    sign_told: Told = 0
    handle_told: Told = 0
    overdue_at: datetime | None = None
    """The first handling deadline that passed. It stays, whatever moves the deadline later."""
    appeal: Appeal | None = None
    rectification: Rectification | None = None
    """None while nothing has been ordered."""

    @property
    def done(self) -> bool:
        """Is nothing expected of the unit any more?"""
        return self.state in DONE

    @property
    def rectification_stage(self) -> RectificationStage:
        """Return where its legal track stands."""
        return "none" if self.rectification is None else self.rectification.stage

    @property
    def rectifying(self) -> bool:
        """Does an order wait for a re-inspection that is passed (限期整改中)?"""
        return self.rectification is not None and self.rectification.stage != "cleared"

    @property
    def unsigned(self) -> bool:
        """Does the unit still have to sign?"""
        return self.signed_at is None and self.state in {"assigned", "return_pending"} and not self.counted_as_signed


Legs = tuple[LegState, ...]


def find_leg(legs: Sequence[LegState], number: int) -> LegState | None:
    """Return the leg with this number, or None."""
    return next((leg for leg in legs if leg.leg == number), None)


def units_of(legs: Sequence[LegState]) -> frozenset[str]:
    """Return the units that have a leg in the case: the handling units of I-10."""
    return frozenset(leg.unit for leg in legs)
