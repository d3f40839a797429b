"""What a command makes of a report: who may at all, then the act (`acts/`).

From a problem that somebody reports to a case that dispatch takes over, or to a reasoned "no". A complete report of a
trusted source is reported, accepted and filed in one decision; every other one waits.
"""

from typing import assert_never

from services.intake.domain.acts import verification
from services.intake.domain.acts.acceptance import accept, complete
from services.intake.domain.acts.endings import forget, reject
from services.intake.domain.acts.filing import file
from services.intake.domain.acts.merges import answer, request
from services.intake.domain.acts.submission import submit
from services.intake.domain.clocks import fire, recompute
from services.intake.domain.commands import (
    Accept,
    Act,
    AssignVerification,
    Command,
    Complete,
    File,
    FireClocks,
    Forget,
    Merge,
    OrdinaryAct,
    RecomputeClocks,
    Reject,
    Submit,
    Verify,
)
from services.intake.domain.entitlement import POSTS, not_entitled, units_of
from services.intake.domain.merging import MergeCommand
from services.intake.domain.report import Report
from services.intake.domain.telling import TellOfCase, tell
from shared.contracts.decisions import Context, Decision
from shared.kernel.errors import Refusal


def decide(state: Report | None, command: Command, context: Context, *, city: str) -> Decision:
    """Return the events that the command makes of the report, or the refusal.

    `city` names the units and the places document; `Unavailable` is raised while one of them has not arrived.
    """
    if isinstance(command, Submit):
        return submit(state, command, context, city)
    if isinstance(command, FireClocks):
        return fire(state.clocks if state else (), command, context)
    if isinstance(command, RecomputeClocks):
        return recompute(state.clocks if state else (), context, city)
    if state is None:
        return Refusal(code="unknown_report", detail=f"There is no report {context.stream}.")
    if isinstance(command, TellOfCase):
        return tell(command, context, state.carries)
    if isinstance(command, MergeCommand):
        return answer(state, command, context)
    return _not_now(state, command, context, city) or _act(state, command, context, city)


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


def _act(state: Report, command: OrdinaryAct, context: Context, city: str) -> Decision:
    match command:
        case Complete():
            return complete(state, command, context, city)
        case AssignVerification():
            return verification.assign(state, command, context, city)
        case Verify():
            return verification.verify(state, command, context, city)
        case Accept():
            return accept(state, command, context, city)
        case File():
            return file(state, context)
        case Reject():
            return reject(state, command, context)
        case Merge():
            return request(state, command, context)
        case Forget():
            return forget(state, command, context)
        case _:
            assert_never(command)
