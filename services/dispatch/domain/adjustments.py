"""Commands of the centres, and of time, that change a case's course: what they decide is in `acts`.

What departments ask for is in the contract (`shared.contracts.adjustments`).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.adjustments import ReopenGround, VoidReason
from shared.contracts.common import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideLegExtension:
    """延期审批: the first by the duty leader; a second one, or engineering work, by the leader."""

    case_id: UUID
    leg: int
    approved: bool
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndorseLegSuspension:
    """挂账初审 by a dispatcher: endorsed it goes on to the leader, otherwise it ends here."""

    case_id: UUID
    leg: int
    endorsed: bool
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideLegSuspension:
    """挂账审批 by the leader, after a dispatcher has endorsed it."""

    case_id: UUID
    leg: int
    approved: bool
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLegAppeal:
    """申诉审核 by one of two reviewers, who are not the same person."""

    case_id: UUID
    leg: int
    upheld: bool
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeVoid:
    """提请作废 by the duty leader."""

    case_id: UUID
    reason: VoidReason
    ground: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideVoid:
    """作废审批 by the leader, who did not propose it."""

    case_id: UUID
    approved: bool
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenCase:
    """重开 within 30 days of the closing; no legs named means all of them."""

    case_id: UUID
    ground: ReopenGround
    reason: str
    legs: tuple[int, ...] = ()
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuperviseCase:
    """督办."""

    case_id: UUID
    reason: str
    reply_by: datetime | None = None
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateCase:
    """升级, one level up; categories of safety may jump."""

    case_id: UUID
    to_level: Level
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeCase:
    """并案: this case says the same as `master`, which exists (the caller has seen it)."""

    case_id: UUID
    master: UUID
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmergeCase:
    """撤销并案."""

    case_id: UUID
    reason: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FireClocks:
    """A wake fell due at `due_at`: everything of the case that is due by then happens now, each once."""

    case_id: UUID
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeClocks:
    """A newer calendar or limit policy is in force than the case's running clocks were computed with."""

    case_id: UUID
