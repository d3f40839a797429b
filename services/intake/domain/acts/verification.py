"""核实: whether the problem is there, said on site before anybody accepts the report (domain 9.2, rows 2 and 3).

Never to be confused with 核查, which looks after handling whether it is gone. What the public reports can be verified;
a trusted source has looked itself (domain 1.2).
"""

from services.intake.domain.clocks import breach_before, going_on, start
from services.intake.domain.commands import AssignVerification, Verify
from services.intake.domain.entitlement import has_collectors, is_trusted, units_of
from services.intake.domain.refusals import no_verifier, wrong_state
from services.intake.domain.report import INTAKE_ITSELF, Report
from shared.contracts.decisions import Context, Decision
from shared.contracts.intake import VerificationAssigned, Verified
from shared.kernel.errors import Refusal


def assign(state: Report, command: AssignVerification, context: Context, city: str) -> Decision:
    """派核实: return whom it was assigned to, and by when.

    Again only where the last one could not tell; where one is still to look, another can be told to instead 改派.
    """
    refusal = _not_to_be_verified(state, command.unit)
    if refusal is not None:
        return refusal
    units = units_of(city, context.library)
    if is_trusted(state.source, units):
        return Refusal(
            code="source_is_trusted", detail=f"{state.source} has looked itself: only the public's are verified."
        )
    if not has_collectors(command.unit, units):
        return no_verifier(command.unit)
    clock = start("verify", context, city)
    assigned = VerificationAssigned(at=context.at, by=context.actor, unit=command.unit, clock=clock)
    return [*breach_before(state.clocks, context, INTAKE_ITSELF), assigned]


def _not_to_be_verified(state: Report, unit: str) -> Refusal | None:
    if state.status not in {"reported", "verifying"}:
        return wrong_state(state.status, "Only a report that waits for acceptance can be verified.")
    if state.verification is None or state.verification.result == "undetermined":
        return None
    if state.status == "reported":
        return wrong_state("verified", f"It is verified already: {state.verification.result}.")
    return wrong_state("verifying", f"{unit} is to verify it already.") if state.verification.unit == unit else None


def verify(state: Report, command: Verify, context: Context, city: str) -> Decision:
    """核实: return what was found, by the unit that was to look; a late one comes after its breach."""
    if state.status != "verifying" or state.verification is None:
        return wrong_state(state.status, "Nobody is to verify this report.")
    unit = state.verification.unit
    if context.actor.unit != unit:
        return Refusal(
            code="not_entitled_other_unit", detail=f"{unit} is to verify this report, not {context.actor.unit}."
        )
    verified = Verified(
        at=context.at,
        by=context.actor,
        unit=unit,
        result=command.result,
        finding=command.finding,
        evidence=command.evidence,
        accept_clock=going_on(state.clocks, context, city),
    )
    return [*breach_before(state.clocks, context, INTAKE_ITSELF), verified]
