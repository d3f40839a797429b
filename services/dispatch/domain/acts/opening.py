"""A filed report opens a case, which is routed at once."""

from services.dispatch.domain.acting import Acting
from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.commands import OpenCase
from services.dispatch.domain.routing import Routed, filing_condition, route
from shared.contracts.dispatch import CaseDispatched, CaseOpened, CaseOpeningDeclined, CaseRoutingFailed


def open_case(case: CaseState | None, command: OpenCase, acting: Acting) -> list[CaseEvent]:
    """Return the opening and what routing made of it.

    Raises:
        LookupError: if the report's catalogue is not in the library: the policy let it pass.
    """
    stamp = acting.stamp
    if case is not None:
        return [CaseOpeningDeclined(**stamp, reason="case_exists", report_sequence=command.report_sequence)]
    category = command.category
    catalogue = acting.context.library.catalogue(category.system, category.version)
    if catalogue is None:
        raise LookupError(f"Catalogue {category.system} {category.version} has not been published.")
    condition = filing_condition(catalogue, category)
    opened = CaseOpened(
        **stamp,
        source=command.source,
        category=category,
        place=command.place,
        observed_at=command.observed_at,
        reported_at=command.reported_at,
        filed_at=command.filed_at,
        target_type=command.target_type,
        campaign=command.campaign,
        limit=condition.limit,
        closing_condition_zh=condition.closing_condition_zh,
        closing_condition_en=condition.closing_condition_en,
    )
    routed = route(catalogue, acting.units_version, acting.units, category, command.place, command.target_type)
    if isinstance(routed, Routed):
        return [opened, CaseDispatched(**stamp, legs=routed.legs, explanation=routed.explanation)]
    failed = CaseRoutingFailed(**stamp, explanation=routed.explanation, reason=routed.reason, detail=routed.detail)
    return [opened, failed]
