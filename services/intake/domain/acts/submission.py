"""上报: a problem is reported. A complete report of a trusted source is accepted and filed in the same decision."""

from services.intake.domain.acts.filing import filed
from services.intake.domain.admission import Admission, admit, invalid, public_place
from services.intake.domain.clocks import start
from services.intake.domain.commands import Submit
from services.intake.domain.contents import digest_of, private_content
from services.intake.domain.entitlement import is_trusted, units_of
from services.intake.domain.refusals import wrong_state
from services.intake.domain.report import INTAKE_ITSELF, Report, evolve
from shared.contracts.decisions import Context, Decision
from shared.contracts.intake import Accepted, Reported
from shared.kernel.errors import Refusal


def submit(state: Report | None, command: Submit, context: Context, city: str) -> Decision:
    """Return the report; what a trusted source reports completely is accepted and filed with it."""
    if state is not None:
        return wrong_state("exists", f"There is a report {context.stream} already.")
    source = context.actor.client
    trusted = is_trusted(source, units_of(city, context.library))
    if trusted is None:
        return Refusal(code="not_entitled_source", detail=f"{source} is not among the city's sources of reports.")
    submission = command.submission
    admission = admit(
        submission.category,
        public_place(submission.place),
        submission.observed_at,
        at=context.at,
        city=city,
        library=context.library,
    )
    if not isinstance(admission, Admission):
        return invalid(admission)
    at_once = trusted and not admission.missing
    reported = Reported(
        at=context.at,
        by=context.actor,
        source=source,
        channel=command.channel,
        category=admission.category,
        named_category=submission.category,
        place=admission.place,
        observed_at=submission.observed_at,
        target_type=submission.target_type,
        campaign=submission.campaign,
        content_digest=digest_of(private_content(submission, command.salt)),
        missing=admission.missing,
        places_version=admission.places_version,
        accept_clock=None if at_once else start("accept", context, city),
    )
    return _followed_up(reported, context) if at_once else [reported]


def _followed_up(reported: Reported, context: Context) -> Decision:
    accepted = Accepted(at=context.at, by=INTAKE_ITSELF)
    return [reported, accepted, filed(evolve(None, reported), INTAKE_ITSELF, context)]
