"""结案, 作废 and 重开: how a case ends, and how a closed one begins again."""

from datetime import timedelta
from typing import Final

from services.dispatch.domain.acting import Acting, CaseDecision, category_of, refuse, same_person
from services.dispatch.domain.adjustments import DecideVoid, ProposeVoid, ReopenCase
from services.dispatch.domain.case import CaseState
from services.dispatch.domain.clocks import start
from services.dispatch.domain.commands import CloseCase
from services.dispatch.domain.gate import obstacles
from services.dispatch.domain.transitions import BEFORE_FEEDBACK
from shared.contracts.adjustments import CaseReopened, CaseVoided, CaseVoidProposed, CaseVoidRefused
from shared.contracts.dispatch import CaseClosed
from shared.kernel.errors import FieldError, Refusal

REOPENED_WITHIN: Final = timedelta(days=30)
"""Domain 9.2, row 24."""


def close(case: CaseState, command: CloseCase, acting: Acting) -> CaseDecision:
    """结案, after a check on site or on papers (domain 9.2, rows 20 and 22)."""
    if command.on_papers:
        refusal = _refuse_papers(case, command, acting)
        if refusal is not None:
            return refusal
    found = obstacles(case, on_papers=command.on_papers)
    if found:
        detail = " ".join(obstacle.message for obstacle in found)
        return Refusal(code=f"wrong_state_{found[0].code}", detail=detail, errors=found)
    return [CaseClosed(**acting.stamp, level=case.level, on_papers=command.on_papers, reason=command.reason)]


def _refuse_papers(case: CaseState, command: CloseCase, acting: Acting) -> Refusal | None:
    if not category_of(case, acting).no_site_check:
        code = case.opened.category.code
        return Refusal(code="site_check_required", detail=f"Cases of {code} are checked on site before they close.")
    if case.state in {"checking", "checked"}:
        return Refusal(
            code=f"wrong_state_case_{case.state}", detail="A check on site was ordered: its result closes the case."
        )
    if command.reason is None:
        message = "Closing on papers says on which."
        return refuse(message, [FieldError(field="reason", code="required", message=message)])
    return None


def propose_void(case: CaseState, command: ProposeVoid, acting: Acting) -> CaseDecision:
    """提请作废."""
    if case.void_proposal is not None:
        return Refusal(code="wrong_state_void_proposed", detail="To void this case has been proposed already.")
    return [CaseVoidProposed(**acting.stamp, reason=command.reason, ground=command.ground)]


def decide_void(case: CaseState, command: DecideVoid, acting: Acting) -> CaseDecision:
    """作废审批: by another person than who proposed it, and only while nothing has been fed back (row 23)."""
    proposal = case.void_proposal
    if proposal is None:
        return Refusal(code="wrong_state_no_void_proposed", detail="Nobody has proposed to void this case.")
    if proposal.by.post == acting.by.post or same_person(proposal.by, acting.by):
        return Refusal(code="not_entitled_proposer", detail="Who proposed to void a case does not decide it.")
    if not command.approved:
        return [CaseVoidRefused(**acting.stamp, reason=command.reason)]
    if case.state not in BEFORE_FEEDBACK:
        return Refusal(
            code=f"wrong_state_case_{case.state}", detail=f"The case is {case.state}: it is too late to void it."
        )
    return [CaseVoided(**acting.stamp, reason=proposal.reason, ground=proposal.ground, unmerges=case.carries)]


def reopen(case: CaseState, command: ReopenCase, acting: Acting) -> CaseDecision:
    """重开: the legs that were fed back, or some of them, go on with their units."""
    if case.closed_at is None or acting.at - case.closed_at > REOPENED_WITHIN:
        return Refusal(code="too_late", detail=f"The case was closed at {case.closed_at}, more than 30 days ago.")
    fed_back = tuple(leg.leg for leg in case.legs if leg.state == "fed_back")
    errors = [
        FieldError(field=f"legs.{index}", code="leg_not_fed_back", message=f"Leg {leg} was not fed back.")
        for index, leg in enumerate(command.legs)
        if leg not in fed_back
    ]
    if errors:
        return refuse("The case cannot be reopened so.", errors)
    return [
        CaseReopened(
            **acting.stamp,
            legs=tuple(sorted(set(command.legs))) or fed_back,
            ground=command.ground,
            reason=command.reason,
            closed_at=case.closed_at,
            handle_clock=start(acting, "handle", case.opened.limit),
        )
    ]
