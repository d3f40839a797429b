"""What events of other services, and of other cases, mean for a case; pure, and never a refusal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from services.dispatch.domain.commands import OpenCase
from services.dispatch.domain.merging import (
    AbandonMerge,
    AdmitMerge,
    CompleteMerge,
    LeaveVoidedMaster,
    MergeCommand,
    ReleaseMerge,
)
from shared.contracts.adjustments import CaseVoided
from shared.contracts.decisions import Delivery, WaitForReference
from shared.contracts.intake import Filed
from shared.contracts.library import ReferenceLibrary
from shared.contracts.merges import (
    CaseMergeAbandoned,
    CaseMergeAdmitted,
    CaseMergeDeclined,
    CaseMergeRequested,
    CaseUnmerged,
)
from shared.contracts.reference import Kind
from shared.contracts.validation import decode

OF_THE_CITY: Final[tuple[Kind, ...]] = ("units", "calendar", "limit_policy", "routing")
"""Without these nothing is dispatched, and no clock starts: a case is not routed past a rule of the city's own."""


def open_case(city: str, delivery: Delivery, library: ReferenceLibrary) -> OpenCase | WaitForReference | None:
    """Return the command that a filed report becomes, or the document that must arrive first (I-19).

    Every other event of intake means nothing here: None.

    Raises:
        Unreadable: if the event is not what its type says.
    """
    if delivery.event.type != Filed.type:
        return None
    filed = decode(Filed, delivery.event.data)
    category = filed.category
    if library.catalogue(category.system, category.version) is None:
        return WaitForReference(kind="catalogue", name=category.system, version=category.version)
    for kind in OF_THE_CITY:
        if library.current(kind, city) is None:
            return WaitForReference(kind=kind, name=city, version=1)
    return OpenCase(
        case_id=delivery.stream,
        report_sequence=delivery.sequence,
        source=filed.source,
        category=category,
        place=filed.place,
        observed_at=filed.observed_at,
        reported_at=filed.reported_at,
        filed_at=filed.at,
        target_type=filed.target_type,
        campaign=filed.campaign,
    )


def continue_merge(delivery: Delivery) -> Sequence[MergeCommand]:
    """Return what a case's event means for the other case of a merge (design section 2); most mean nothing.

    Raises:
        Unreadable: if the event is not what its type says.
    """
    found = _MERGES.get(delivery.event.type)
    if found is None:
        return ()
    event_type, meaning = found
    return meaning(delivery.stream, decode(event_type, delivery.event.data))


def _requested(case: UUID, event: CaseMergeRequested) -> Sequence[MergeCommand]:
    return [AdmitMerge(case_id=event.master, merged=case)]


def _admitted(master: UUID, event: CaseMergeAdmitted) -> Sequence[MergeCommand]:
    return [CompleteMerge(case_id=event.merged, master=master)]


def _declined(master: UUID, event: CaseMergeDeclined) -> Sequence[MergeCommand]:
    return [AbandonMerge(case_id=event.merged, master=master, reason=event.reason)]


def _abandoned(case: UUID, event: CaseMergeAbandoned) -> Sequence[MergeCommand]:
    return [ReleaseMerge(case_id=event.master, merged=case)] if event.admitted else []


def _unmerged(case: UUID, event: CaseUnmerged) -> Sequence[MergeCommand]:
    return [ReleaseMerge(case_id=event.master, merged=case)]


def _voided(master: UUID, event: CaseVoided) -> Sequence[MergeCommand]:
    return [LeaveVoidedMaster(case_id=case, master=master) for case in event.unmerges]


_MERGES: Final[Mapping[str, tuple[type[Any], Callable[[UUID, Any], Sequence[MergeCommand]]]]] = {
    CaseMergeRequested.type: (CaseMergeRequested, _requested),
    CaseMergeAdmitted.type: (CaseMergeAdmitted, _admitted),
    CaseMergeDeclined.type: (CaseMergeDeclined, _declined),
    CaseMergeAbandoned.type: (CaseMergeAbandoned, _abandoned),
    CaseUnmerged.type: (CaseUnmerged, _unmerged),
    CaseVoided.type: (CaseVoided, _voided),
}
