"""The commands by which two reports agree on a merge: each is what the other one asks (`asking`)."""

from dataclasses import dataclass
from uuid import UUID

from shared.contracts.report_merges import ReportMergeObstacle


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmitMerge:
    """`merged` asks this report to carry it. Answered by `ReportMergeAdmitted` or `ReportMergeDeclined`."""

    report_id: UUID
    merged: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteMerge:
    """The master has admitted this report. Answered by `ReportMerged` or `ReportMergeAbandoned`."""

    report_id: UUID
    master: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonMerge:
    """The master has declined this report."""

    report_id: UUID
    master: UUID
    reason: ReportMergeObstacle


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmMerge:
    """`merged` goes on as this report."""

    report_id: UUID
    merged: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseMerge:
    """`merged` goes on by itself: it had moved on before this report admitted it."""

    report_id: UUID
    merged: UUID


MergeCommand = AdmitMerge | CompleteMerge | AbandonMerge | ConfirmMerge | ReleaseMerge
"""Answered by an event in every state of the report."""
