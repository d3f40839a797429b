"""How a report ends before it is a case: 不予受理 or 不予立案; and what is forgotten of it, whatever became of it."""

from collections.abc import Mapping
from typing import Final, Literal

from services.intake.domain.clocks import breach_before
from services.intake.domain.commands import Forget, Reject
from services.intake.domain.refusals import wrong_state
from services.intake.domain.report import INTAKE_ITSELF, Report, Status
from shared.contracts.common import Post
from shared.contracts.decisions import Context, Decision
from shared.contracts.intake import Rejected, ReportContentForgotten
from shared.kernel.errors import Refusal

_REJECTION: Final[Mapping[Status, tuple[Literal["acceptance", "filing"], Post]]] = {
    "reported": ("acceptance", "acceptor"),
    "verifying": ("acceptance", "acceptor"),
    "accepted": ("filing", "duty_leader"),
}


def reject(state: Report, command: Reject, context: Context) -> Decision:
    """Return the end of a report that waits, by the post whose turn it is.

    Not while another one is about to be merged into it: that would come to nothing, or its reporter hear of a rejection
    though it goes on by itself (ADR 0020).
    """
    if state.status not in _REJECTION:
        return wrong_state(state.status, "Only a report that waits for acceptance or filing can be rejected.")
    stage, post = _REJECTION[state.status]
    if context.actor.post != post:
        return Refusal(code="not_entitled_post", detail=f"At {stage} only the {post} rejects.")
    if state.expects:
        return wrong_state("expects_others", f"{state.expects[0]} is about to be merged into it.")
    rejected = Rejected(
        at=context.at,
        by=context.actor,
        stage=stage,
        reason_code=command.reason_code,
        reason=command.reason,
        merged_reports=state.carries,
    )
    return [*breach_before(state.clocks, context, INTAKE_ITSELF), rejected]


def forget(state: Report, command: Forget, context: Context) -> Decision:
    """Return that its private content is forgotten (I-14), in every state and once."""
    if state.content_forgotten:
        return wrong_state("content_forgotten", "The content of this report is forgotten already.")
    return [ReportContentForgotten(at=context.at, by=context.actor, reason=command.reason)]
