"""A filed report opens a case, which is routed at once."""

from services.dispatch.domain.acting import Acting
from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.clocks import start, start_leg
from services.dispatch.domain.commands import OpenCase
from services.dispatch.domain.numbering import case_number
from services.dispatch.domain.routing import Routed, documents_for, filing_condition, route
from services.dispatch.domain.rule_fit import Matter
from shared.contracts.dispatch import CaseDispatched, CaseOpened, CaseOpeningDeclined, CaseRoutingFailed
from shared.contracts.reference import Limit


def open_case(case: CaseState | None, command: OpenCase, acting: Acting) -> list[CaseEvent]:
    """Return the opening and what routing made of it.

    Raises:
        LookupError: if the report's catalogue, the calendar or the limit policy is not in the library: the policy let
            it pass.
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
        number=case_number(acting.city, acting.context),
    )
    place = command.place
    matter = Matter(
        category=category,
        street=place.street,
        community=place.community,
        target_type=command.target_type,
        at=acting.at,
    )
    routed = route(documents, matter)
    if isinstance(routed, Routed):
        return [opened, _dispatched(routed, condition.limit, acting)]
    failed = CaseRoutingFailed(
        **stamp,
        explanation=routed.explanation,
        reason=routed.reason,
        detail=routed.detail,
        clock=start(acting, "dispatch"),
    )
    return [opened, failed]


def _dispatched(routed: Routed, limit: Limit, acting: Acting) -> CaseDispatched:
    clocks = start_leg(acting, limit)
    return CaseDispatched(
        **acting.stamp,
        legs=routed.legs,
        explanation=routed.explanation,
        level=routed.level,
        sign_clock=clocks.sign,
        handle_clock=clocks.handle,
    )
