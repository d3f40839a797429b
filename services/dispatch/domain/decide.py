"""What happens to a case when somebody asks for something: events, or a refusal by name.

A policy command is answered in every state; everything else passes the table of transitions first.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from services.dispatch.domain.acting import Acting, CaseDecision
from services.dispatch.domain.acts import (
    appeals,
    checks,
    clocks,
    dispatching,
    endings,
    extensions,
    legs,
    merges,
    opening,
    oversight,
    rectification,
    returns,
    suspensions,
)
from services.dispatch.domain.adjustments import (
    DecideLegExtension,
    DecideLegSuspension,
    DecideVoid,
    EndorseLegSuspension,
    EscalateCase,
    MergeCase,
    ProposeVoid,
    ReopenCase,
    ReviewLegAppeal,
    SuperviseCase,
    UnmergeCase,
)
from services.dispatch.domain.case import CaseState
from services.dispatch.domain.commands import (
    ActorCommand,
    AddLegs,
    AssignCheck,
    CheckCase,
    CloseCase,
    Command,
    DecideLegReturn,
    DispatchCase,
    OpenCase,
    RuleLeg,
    SendLegBack,
    TimeCommand,
    WaiveLeg,
)
from services.dispatch.domain.merging import MergeCommand
from services.dispatch.domain.transitions import permit
from shared.contracts.adjustments import (
    AnswerSupervision,
    AppealLeg,
    RequestLegExtension,
    RequestLegSuspension,
    ResumeLeg,
)
from shared.contracts.decisions import Context
from shared.contracts.dispatch import FeedBackLeg, RequestLegReturn, SignLeg
from shared.contracts.rectification import (
    ClaimRectification,
    OrderRectification,
    RecordEnforcement,
    RecordReinspection,
)
from shared.kernel.errors import Refusal

ACTS: Final[Mapping[type[ActorCommand], Callable[[CaseState, Any, Acting], CaseDecision]]] = {
    DispatchCase: dispatching.dispatch,
    AddLegs: dispatching.add_legs,
    SignLeg: legs.sign,
    FeedBackLeg: legs.feed_back,
    RequestLegReturn: returns.request_return,
    DecideLegReturn: returns.decide_return,
    RuleLeg: returns.rule,
    RequestLegExtension: extensions.request_extension,
    DecideLegExtension: extensions.decide_extension,
    RequestLegSuspension: suspensions.request_suspension,
    EndorseLegSuspension: suspensions.endorse_suspension,
    DecideLegSuspension: suspensions.decide_suspension,
    ResumeLeg: suspensions.resume,
    SendLegBack: legs.send_back,
    WaiveLeg: legs.waive,
    OrderRectification: rectification.order,
    ClaimRectification: rectification.claim,
    RecordReinspection: rectification.reinspect,
    RecordEnforcement: rectification.enforce,
    AssignCheck: checks.assign,
    CheckCase: checks.check,
    CloseCase: endings.close,
    ProposeVoid: endings.propose_void,
    DecideVoid: endings.decide_void,
    ReopenCase: endings.reopen,
    SuperviseCase: oversight.supervise,
    AnswerSupervision: oversight.answer,
    EscalateCase: oversight.escalate,
    AppealLeg: appeals.appeal,
    ReviewLegAppeal: appeals.review,
    MergeCase: merges.request,
    UnmergeCase: merges.unmerge,
}
"""What each permitted act does."""


def decide(city: str, case: CaseState | None, command: Command, context: Context) -> CaseDecision:
    """Return the events that the command makes, or the refusal.

    Args:
        city: name of the units document in force.
        case: the state, None where there is no such case.
        command: what is asked for.
        context: instant, actor and reference documents.

    Raises:
        LookupError: if a document that an opened case rests on is not in the library: our fault, not the actor's.
    """
    acting = _acting(city, context)
    if isinstance(command, OpenCase):
        return opening.open_case(case, command, acting)
    if isinstance(command, TimeCommand):
        return clocks.pass_time(case, command, acting)
    if case is None:
        return Refusal(code="unknown_case", detail=f"There is no case {command.case_id}.")
    if isinstance(command, MergeCommand):
        return merges.answer(case, command, acting)
    refusal = permit(case, command, context.actor, acting.units)
    return refusal if refusal is not None else ACTS[type(command)](case, command, acting)


def _acting(city: str, context: Context) -> Acting:
    found = context.library.units(city)
    if found is None:
        raise LookupError(f"The units of {city} have not been published.")
    version, units = found
    return Acting(city=city, context=context, units_version=version, units=units)
