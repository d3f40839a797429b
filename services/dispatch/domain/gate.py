"""The closure gate (I-11): the only place that says whether a case may close, and why not."""

from services.dispatch.domain.case import CaseState
from shared.kernel.errors import FieldError


def obstacles(case: CaseState, *, on_papers: bool = False) -> tuple[FieldError, ...]:
    """Return everything that stands between the case and its closing; empty means that it may close.

    `on_papers`: without a look on site, as its category allows.

    Codes: `no_single_lead`, `reinspection_open`, `leg_open`, `not_checked`. A field names the leg (`legs.2`) where
    it is about one.
    """
    leads = sum(leg.role == "lead" for leg in case.legs)
    found = []
    if leads != 1:
        found.append(FieldError(field="legs", code="no_single_lead", message=f"The case has {leads} lead legs."))
    found += [
        FieldError(
            field=f"legs.{leg.leg}",
            code="reinspection_open",
            message=f"What {leg.unit} has ordered by law has not passed its re-inspection.",
        )
        for leg in case.legs
        if leg.rectifying
    ]
    found += [
        FieldError(
            field=f"legs.{leg.leg}",
            code="leg_open",
            message=f"The {leg.role} leg of {leg.unit} is {leg.state}; it must be fed back or waived.",
        )
        for leg in case.legs
        if not leg.done
    ]
    if case.checked_by is None and not on_papers:
        found.append(FieldError(field="check", code="not_checked", message="No check on site has passed yet."))
    return tuple(found)
