"""The commands on a case. A department's own three acts are the contract's messages; the rest is said here.

`expected_revision` is that of what the command changes: of its leg, or of the case's own part (design section 2).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.dispatch.domain.adjustments import (
    DecideLegExtension,
    DecideLegSuspension,
    DecideVoid,
    EndorseLegSuspension,
    EscalateCase,
    FireClocks,
    MergeCase,
    ProposeVoid,
    RecomputeClocks,
    ReopenCase,
    ReviewLegAppeal,
    SuperviseCase,
    UnmergeCase,
)
from services.dispatch.domain.merging import MergeCommand
from shared.contracts.adjustments import (
    AnswerSupervision,
    AppealLeg,
    RequestLegExtension,
    RequestLegSuspension,
    ResumeLeg,
)
from shared.contracts.common import CategoryCode, Place, TargetType
from shared.contracts.dispatch import FeedBackLeg, RequestLegReturn, SignLeg
from shared.contracts.rectification import (
    ClaimRectification,
    OrderRectification,
    RecordEnforcement,
    RecordReinspection,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """A report was filed: policy command, answered in every state and never refused."""

    case_id: UUID
    report_sequence: int
    source: str
    category: CategoryCode
    place: Place
    observed_at: datetime
    reported_at: datetime
    filed_at: datetime
    target_type: TargetType
    campaign: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchCase:
    """派遣 by hand: where the power list gave no lead that exists, or instead of it while nobody has signed (改派)."""

    case_id: UUID
    lead: str
    support: tuple[str, ...]
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddLegs:
    """增派协办: more support legs on a case that is being handled."""

    case_id: UUID
    units: tuple[str, ...]
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideLegReturn:
    """The ruling on a return request: upheld goes to `to_unit`, refused stays where it is."""

    case_id: UUID
    leg: int
    upheld: bool
    reason: str
    to_unit: str | None = None
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLeg:
    """裁定: after two returns the leader says which unit handles; it may be the one that has the leg."""

    case_id: UUID
    leg: int
    to_unit: str
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLegBack:
    """退回补充: what was fed back is obviously insufficient."""

    case_id: UUID
    leg: int
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiveLeg:
    """免办: a support leg is no longer needed."""

    case_id: UUID
    leg: int
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignCheck:
    """派核查 to another unit than the rule chose."""

    case_id: UUID
    unit: str
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCase:
    """核查: is the problem gone? A failed check names legs to rework, or means all that were fed back."""

    case_id: UUID
    passed: bool
    rework: tuple[int, ...] = ()
    reason: str | None = None
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseCase:
    """结案, through the closure gate. On papers, with a reason, only where the category allows it."""

    case_id: UUID
    on_papers: bool = False
    reason: str | None = None
    expected_revision: int | None = None


LegCommand = (
    SignLeg
    | FeedBackLeg
    | RequestLegReturn
    | DecideLegReturn
    | RuleLeg
    | RequestLegExtension
    | DecideLegExtension
    | RequestLegSuspension
    | EndorseLegSuspension
    | DecideLegSuspension
    | ResumeLeg
    | SendLegBack
    | WaiveLeg
    | OrderRectification
    | ClaimRectification
    | RecordReinspection
    | RecordEnforcement
    | AnswerSupervision
    | AppealLeg
    | ReviewLegAppeal
)
CaseCommand = (
    DispatchCase
    | AddLegs
    | AssignCheck
    | CheckCase
    | CloseCase
    | ReopenCase
    | ProposeVoid
    | DecideVoid
    | SuperviseCase
    | EscalateCase
    | MergeCase
    | UnmergeCase
)
ActorCommand = LegCommand | CaseCommand
"""What a person or a department asks for: entitled by post and unit, refused by name otherwise."""
TimeCommand = FireClocks | RecomputeClocks
"""What time asks for: answered in every state."""
Command = OpenCase | MergeCommand | TimeCommand | ActorCommand
