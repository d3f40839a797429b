"""责令改正 and 复查 on a leg: the legal track that runs beside handling (domain 4.3 and the end of 9.2).

The authority that has the leg orders, records what the party says, looks again, and goes on by law where nothing has
changed. Every document hangs on one authority, thus on its leg.
"""

from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from shared.contracts.clocks import Clock
from shared.contracts.common import Digest, Event, Number, ShortText
from shared.contracts.dispatch import LegAction

RectificationUnit = Literal["statutory_working_day", "natural_day"]
"""How an order counts its days: 法定工作日, 自然日."""
EnforcementMeasure = Literal["penalty", "compulsory_enforcement"]
"""行政处罚, 强制执行."""
Evidence = Annotated[tuple[Digest, ...], Meta(max_length=20)]
"""Digests of photos and documents that the department keeps."""


# ------------------------------------------------------------------------------- what departments do, by topic too


class OrderRectification(LegAction, frozen=True, kw_only=True):
    """责令改正: at once (责令立即改正), or within so many `days` (责令限期改正)."""

    type: ClassVar[str] = "jointenforcement.leg.rectification_ordered.v1"
    legal_basis: ShortText
    document_number: ShortText
    days: Annotated[int, Meta(ge=1, le=365)] | None = None
    unit: RectificationUnit = "statutory_working_day"


class ClaimRectification(LegAction, frozen=True, kw_only=True):
    """报改正: the party says that it has done as ordered; its department records it."""

    type: ClassVar[str] = "jointenforcement.leg.rectification_claimed.v1"
    statement: ShortText
    evidence: Evidence = ()


class RecordReinspection(LegAction, frozen=True, kw_only=True):
    """复查: what the department found; after the party's claim, or when its limit has ended."""

    type: ClassVar[str] = "jointenforcement.leg.reinspected.v1"
    passed: bool
    finding: ShortText
    evidence: Evidence = ()


class RecordEnforcement(LegAction, frozen=True, kw_only=True):
    """处罚 or 强制执行 after a re-inspection that was not passed; another one follows."""

    type: ClassVar[str] = "jointenforcement.leg.enforced.v1"
    measure: EnforcementMeasure
    legal_basis: ShortText
    document_number: ShortText


# ----------------------------------------------------------------------------------------------------- what happened


class LegRectificationOrdered(Event, frozen=True, kw_only=True):
    """责令改正: the party has until `clock` is due; at once, the clock of the re-inspection runs from the order."""

    type: ClassVar[str] = "jointenforcement.case.leg_rectification_ordered.v1"
    leg: Number
    unit: str
    legal_basis: str
    document_number: str
    clock: Clock | None = None
    reinspection_clock: Clock | None = None


class LegRectificationClaimed(Event, frozen=True, kw_only=True):
    """报改正. `clock` is that of the re-inspection: from now on, or since the limit ended where that was before."""

    type: ClassVar[str] = "jointenforcement.case.leg_rectification_claimed.v1"
    leg: Number
    unit: str
    statement: str
    evidence: tuple[Digest, ...]
    clock: Clock


class LegRectificationExpired(Event, frozen=True, kw_only=True):
    """限改期满: the limit of the order ended and nobody has claimed anything; `clock` is that of the re-inspection."""

    type: ClassVar[str] = "jointenforcement.case.leg_rectification_expired.v1"
    leg: Number
    unit: str
    clock: Clock


class LegReinspected(Event, frozen=True, kw_only=True):
    """复查: passed, the order is cleared (销号); not passed, a new order or an enforcement follows."""

    type: ClassVar[str] = "jointenforcement.case.leg_reinspected.v1"
    leg: Number
    unit: str
    passed: bool
    finding: str
    evidence: tuple[Digest, ...]


class LegEnforcementRecorded(Event, frozen=True, kw_only=True):
    """处罚 or 强制执行, and the clock of the re-inspection that follows it. Its own file lives on elsewhere."""

    type: ClassVar[str] = "jointenforcement.case.leg_enforcement_recorded.v1"
    leg: Number
    unit: str
    measure: EnforcementMeasure
    legal_basis: str
    document_number: str
    clock: Clock


RectificationEvent = (
    LegRectificationOrdered
    | LegRectificationClaimed
    | LegRectificationExpired
    | LegReinspected
    | LegEnforcementRecorded
)
RECTIFICATION_EVENTS: Final[tuple[type[RectificationEvent], ...]] = (
    LegRectificationOrdered,
    LegRectificationClaimed,
    LegRectificationExpired,
    LegReinspected,
    LegEnforcementRecorded,
)
RECTIFICATION_ACTIONS: Final[tuple[type[LegAction], ...]] = (
    OrderRectification,
    ClaimRectification,
    RecordReinspection,
    RecordEnforcement,
)
