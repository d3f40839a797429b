"""What an acceptor does with a report that waits: complete it 补正 until nothing is missing, accept it 受理."""

from msgspec.structs import asdict, replace

from services.intake.domain.admission import Admission, admit, incomplete, invalid
from services.intake.domain.clocks import breach_before, start
from services.intake.domain.commands import Accept, Complete
from services.intake.domain.refusals import verified_absent, wrong_state
from services.intake.domain.report import INTAKE_ITSELF, Report
from shared.contracts.decisions import Context, Decision
from shared.contracts.intake import Accepted, Completed, SubmittedCategory


def complete(state: Report, command: Complete, context: Context, city: str) -> Decision:
    """补正: return the report with category and place that lack nothing."""
    if state.status != "reported":
        return wrong_state(state.status, "Only a report that waits for acceptance can be completed.")
    corrections = asdict(command.place) if command.place else {}
    admission = admit(
        command.category or _named(state),
        replace(state.place, **{name: value for name, value in corrections.items() if value is not None}),
        state.observed_at,
        at=context.at,
        city=city,
        library=context.library,
    )
    if not isinstance(admission, Admission):
        return invalid(admission)
    if admission.category is None or admission.missing:
        return incomplete(admission.missing)
    return [Completed(at=context.at, by=context.actor, category=admission.category, place=admission.place)]


def accept(state: Report, command: Accept, context: Context, city: str) -> Decision:
    """受理: return its acceptance; from now on it waits to be filed.

    What a verification did not find on site is accepted with a reason alone: 核实 tells, the acceptor decides.
    """
    if state.status != "reported":
        return wrong_state(state.status, "Only a report that waits for acceptance can be accepted.")
    if state.missing:
        return incomplete(state.missing)
    if command.reason is None and state.verification is not None and state.verification.result == "absent":
        return verified_absent()
    accepted = Accepted(at=context.at, by=context.actor, file_clock=start("file", context, city), reason=command.reason)
    return [*breach_before(state.clocks, context, INTAKE_ITSELF), accepted]


def _named(state: Report) -> SubmittedCategory:
    """Return the category as it was chosen, with its version, or as it was named."""
    if state.category is None:
        return state.named_category
    return SubmittedCategory(**asdict(state.category))
