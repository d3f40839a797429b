"""What events of other services mean for a case; pure, and never a refusal."""

from typing import Final

from services.dispatch.domain.commands import OpenCase
from shared.contracts.decisions import Delivery, WaitForReference
from shared.contracts.intake import Filed
from shared.contracts.library import ReferenceLibrary
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
