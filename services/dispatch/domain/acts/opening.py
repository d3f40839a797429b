"""A filed report opens a case, which is routed at once."""

from services.dispatch.domain.acting import Acting
from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.commands import OpenCase
from services.dispatch.domain.routing import Routed, documents_for, filing_condition, route
from services.dispatch.domain.rule_fit import Matter
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
    documents = documents_for(acting.context.library, acting.city, category)
    condition = filing_condition(documents.catalogue[1], category)
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
    matter = Matter(category=category, place=command.place, target_type=command.target_type, at=acting.at)
    routed = route(documents, matter)
    if isinstance(routed, Routed):
        dispatched = CaseDispatched(**stamp, legs=routed.legs, explanation=routed.explanation, level=routed.level)
        return [opened, dispatched]
    failed = CaseRoutingFailed(**stamp, explanation=routed.explanation, reason=routed.reason, detail=routed.detail)
    return [opened, failed]
