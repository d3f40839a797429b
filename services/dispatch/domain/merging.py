"""The commands by which two cases agree on a merge: each is what the other one asks (`asking`)."""

from dataclasses import dataclass
from uuid import UUID

from shared.contracts.merges import MergeObstacle


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmitMerge:
    """`merged` asks this case to carry it. Answered by `CaseMergeAdmitted` or `CaseMergeDeclined`."""

    case_id: UUID
    merged: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteMerge:
    """The master has admitted this case. Answered by `CaseMerged` or `CaseMergeAbandoned`."""

    case_id: UUID
    master: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonMerge:
    """The master has declined this case."""

    case_id: UUID
    master: UUID
    reason: MergeObstacle


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseMerge:
    """`merged` goes on by itself, or never came."""

    case_id: UUID
    merged: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveVoidedMaster:
    """The master was voided: this case goes on by itself."""

    case_id: UUID
    master: UUID


MergeCommand = AdmitMerge | CompleteMerge | AbandonMerge | ReleaseMerge | LeaveVoidedMaster
"""Answered by an event in every state of the case."""
