"""立案: an accepted report becomes a case, which dispatch takes over."""

from services.intake.domain.clocks import breach_before
from services.intake.domain.refusals import wrong_state
from services.intake.domain.report import INTAKE_ITSELF, Report
from shared.contracts.common import Actor
from shared.contracts.decisions import Context, Decision
from shared.contracts.intake import Filed


def file(state: Report, context: Context) -> Decision:
    """立案: return the filing of an accepted report."""
    if state.status != "accepted":
        return wrong_state(state.status, "Only an accepted report can be filed.")
    return [*breach_before(state.clocks, context, INTAKE_ITSELF), filed(state, context.actor, context)]


def filed(state: Report, by: Actor, context: Context) -> Filed:
    """Return the event of a filing, with every fact that dispatch needs.

    Raises:
        ValueError: if the report has no category, which is incomplete and never accepted.
    """
    if state.category is None:
        raise ValueError("Nothing is missing in an accepted report, least of all its category.")
    return Filed(
        at=context.at,
        by=by,
        source=state.source,
        category=state.category,
        place=state.place,
        observed_at=state.observed_at,
        reported_at=state.reported_at,
        target_type=state.target_type,
        campaign=state.campaign,
    )
