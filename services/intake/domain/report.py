"""Report 上报: from a problem that somebody reports to a case that dispatch takes over, or to a reasoned "no".

A complete report of a trusted source is reported, accepted and filed in one decision; every other one waits.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, assert_never

from msgspec.structs import asdict, replace

from services.intake.domain.admission import Admission, admit, incomplete, invalid, public_place
from services.intake.domain.clocks import (
    CLOCK_EVENTS,
    ClockEvent,
    Clocks,
    breach_before,
    fire,
    next_stage,
    start,
    tell_of_time,
    wakes_of,
)
from services.intake.domain.commands import (
    Accept,
    Act,
    Channel,
    Command,
    Complete,
    File,
    FireClocks,
    Forget,
    Reject,
    Submit,
)
from services.intake.domain.contents import digest_of, private_content
from services.intake.domain.entitlement import POSTS, is_trusted, not_entitled, units_of
from services.intake.domain.telling import TOLD, CaseAsTold, TellOfCase, ToldEvent, as_told, tell
from shared.contracts.common import Actor, CategoryCode, Instant, Message, Place, Post, TargetType
from shared.contracts.decisions import Context, Decision
from shared.contracts.intake import (
    Accepted,
    Completed,
    Filed,
    MergeTold,
    OutcomeTold,
    Rejected,
    ReportClockBreached,
    ReportClockWarned,
    ReportContentForgotten,
    Reported,
    SubmittedCategory,
    UnmergeTold,
)
from shared.kernel.decider import Wake
from shared.kernel.errors import Refusal

# ----------------------------------------------------------------------------------------------------- events

ReportEvent = Reported | Completed | Accepted | Filed | Rejected | ReportContentForgotten | ToldEvent | ClockEvent
EVENTS: Final = (Reported, Completed, Accepted, Filed, Rejected, ReportContentForgotten, *TOLD, *CLOCK_EVENTS)

AGGREGATE: Final = "report"
"""The aggregate's name in commands and in the ledger."""

INTAKE_ITSELF: Final = Actor(client="intake", unit="intake", post="system")
"""Who accepts and files what a trusted source reports completely, and tells reporters of their cases."""

# ------------------------------------------------------------------------------------------------------ state

Status = Literal["reported", "accepted", "filed", "rejected"]
"""已上报, 已受理, 已立案, 不予受理 or 不予立案."""


class Report(Message, frozen=True, kw_only=True):
    """The state of a report; `revision` counts what was done to it: neither its case nor time makes one stale."""

    revision: int
    status: Status
    source: str
    channel: Channel
    category: CategoryCode | None
    named_category: SubmittedCategory
    place: Place
    observed_at: Instant
    reported_at: Instant
    target_type: TargetType
    campaign: str | None
    missing: tuple[str, ...]
    content_digest: str
    content_forgotten: bool = False
    clocks: Clocks = ()
    told: CaseAsTold | None = None
    """What the reporter was told of the case."""


def evolve(state: Report | None, event: ReportEvent) -> Report:
    """Return the report after the event.

    Raises:
        ValueError: if the first event of a report is not `Reported`, or a later one is.
    """
    if isinstance(event, Reported):
        return _reported(state, event)
    if state is None:
        raise ValueError(f"A report begins with Reported, not with {type(event).__name__}.")
    revision = state.revision + 1
    match event:
        case Completed():
            return replace(state, revision=revision, category=event.category, place=event.place, missing=())
        case Accepted():
            clocks = next_stage(state.clocks, event.at, event.file_clock)
            return replace(state, revision=revision, status="accepted", clocks=clocks)
        case Filed():
            return replace(state, revision=revision, status="filed", clocks=next_stage(state.clocks, event.at))
        case Rejected():
            return replace(state, revision=revision, status="rejected", clocks=next_stage(state.clocks, event.at))
        case ReportContentForgotten():
            return replace(state, revision=revision, content_forgotten=True)
        case MergeTold() | UnmergeTold() | OutcomeTold():
            return replace(state, told=as_told(event))
        case ReportClockWarned() | ReportClockBreached():
            return replace(state, clocks=tell_of_time(state.clocks, event))
        case _:
            assert_never(event)


def _reported(state: Report | None, event: Reported) -> Report:
    if state is not None:
        raise ValueError("A report is reported once.")
    return Report(
        revision=1,
        status="reported",
        source=event.source,
        channel=event.channel,
        category=event.category,
        named_category=event.named_category,
        place=event.place,
        observed_at=event.observed_at,
        reported_at=event.at,
        target_type=event.target_type,
        campaign=event.campaign,
        missing=event.missing,
        content_digest=event.content_digest,
        clocks=next_stage((), event.at, event.accept_clock),
    )


def columns(state: Report) -> Mapping[str, object]:
    """Return what queries search by."""
    category = state.category or state.named_category
    return {
        "status": state.status,
        "source": state.source,
        "street": state.place.street,
        "category_system": category.system,
        "category": category.code,
        "campaign": state.campaign,
        "reported_at": state.reported_at,
    }


def wakes(state: Report) -> Sequence[Wake]:
    """Return what should wake the report."""
    return wakes_of(state.clocks)


# ----------------------------------------------------------------------------------------------------- decide

_REJECTION: Final[Mapping[Status, tuple[Literal["acceptance", "filing"], Post]]] = {
    "reported": ("acceptance", "acceptor"),
    "accepted": ("filing", "duty_leader"),
}


def decide(state: Report | None, command: Command, context: Context, *, city: str) -> Decision:
    """Return the events that the command makes of the report, or the refusal.

    `city` names the units and the places document; `Unavailable` is raised while one of them has not arrived.
    """
    if isinstance(command, Submit):
        return _submit(state, command, context, city)
    if isinstance(command, FireClocks):
        return fire(state.clocks if state else (), command, context)
    if state is None:
        return Refusal(code="unknown_report", detail=f"There is no report {context.stream}.")
    if isinstance(command, TellOfCase):
        return tell(command, context)
    return _not_now(state, command, context, city) or _act(state, command, context, city)


def _submit(state: Report | None, command: Submit, context: Context, city: str) -> Decision:
    if state is not None:
        return _wrong_state("exists", f"There is a report {context.stream} already.")
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
    return [reported, accepted, _filed(evolve(None, reported), INTAKE_ITSELF, context)]


def _not_now(state: Report, command: Act, context: Context, city: str) -> Refusal | None:
    refusal = not_entitled(context.actor, POSTS[type(command)], units_of(city, context.library))
    if refusal is not None:
        return refusal
    if command.expected_revision not in {None, state.revision}:
        return Refusal(
            code="stale_revision",
            detail=f"The report is at revision {state.revision}, not {command.expected_revision}.",
            revision=state.revision,
        )
    return None


def _act(state: Report, command: Complete | Accept | File | Reject | Forget, context: Context, city: str) -> Decision:
    match command:
        case Complete():
            return _complete(state, command, context, city)
        case Accept():
            return _accept(state, context, city)
        case File():
            return _file(state, context)
        case Reject():
            return _reject(state, command, context)
        case Forget():
            return _forget(state, command, context)
        case _:
            assert_never(command)


def _complete(state: Report, command: Complete, context: Context, city: str) -> Decision:
    if state.status != "reported":
        return _wrong_state(state.status, "Only a report that waits for acceptance can be completed.")
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


def _named(state: Report) -> SubmittedCategory:
    """Return the category as it was chosen, with its version, or as it was named."""
    if state.category is None:
        return state.named_category
    return SubmittedCategory(**asdict(state.category))


def _accept(state: Report, context: Context, city: str) -> Decision:
    if state.status != "reported":
        return _wrong_state(state.status, "Only a report that waits for acceptance can be accepted.")
    if state.missing:
        return incomplete(state.missing)
    accepted = Accepted(at=context.at, by=context.actor, file_clock=start("file", context, city))
    return [*breach_before(state.clocks, context, INTAKE_ITSELF), accepted]


def _file(state: Report, context: Context) -> Decision:
    if state.status != "accepted":
        return _wrong_state(state.status, "Only an accepted report can be filed.")
    return [*breach_before(state.clocks, context, INTAKE_ITSELF), _filed(state, context.actor, context)]


def _filed(state: Report, by: Actor, context: Context) -> Filed:
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


def _reject(state: Report, command: Reject, context: Context) -> Decision:
    if state.status not in _REJECTION:
        return _wrong_state(state.status, "Only a report that waits for acceptance or filing can be rejected.")
    stage, post = _REJECTION[state.status]
    if context.actor.post != post:
        return Refusal(code="not_entitled_post", detail=f"At {stage} only the {post} rejects.")
    rejected = Rejected(
        at=context.at, by=context.actor, stage=stage, reason_code=command.reason_code, reason=command.reason
    )
    return [*breach_before(state.clocks, context, INTAKE_ITSELF), rejected]


def _forget(state: Report, command: Forget, context: Context) -> Decision:
    if state.content_forgotten:
        return _wrong_state("content_forgotten", "The content of this report is forgotten already.")
    return [ReportContentForgotten(at=context.at, by=context.actor, reason=command.reason)]


def _wrong_state(state: str, detail: str) -> Refusal:
    return Refusal(code=f"wrong_state_report_{state}", detail=detail)
