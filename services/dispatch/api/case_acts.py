"""The routes of what centres and streets do to a case: acts on the case's own part. One route, one command."""

from http import HTTPStatus
from uuid import UUID

from litestar import Controller
from litestar.params import FromPath, JSONBody

from services.dispatch.api.bodies import (
    Check,
    CheckAssignment,
    Closing,
    Escalation,
    HandDispatch,
    Merging,
    MoreLegs,
    Reopening,
    Supervising,
    Unmerging,
    VoidDecision,
    VoidProposal,
)
from services.dispatch.api.examples import act
from services.dispatch.api.parameters import Reads
from services.dispatch.api.writing import Answered, Writing
from services.dispatch.domain.adjustments import (
    DecideVoid,
    EscalateCase,
    MergeCase,
    ProposeVoid,
    ReopenCase,
    SuperviseCase,
    UnmergeCase,
)
from services.dispatch.domain.commands import AddLegs, AssignCheck, CheckCase, CloseCase, DispatchCase
from services.dispatch.domain.transitions import TRANSITIONS
from shared.contracts.common import FieldProblem
from shared.web.authentication import Caller
from shared.web.problem import ProblemError

CaseId = FromPath[UUID]


class CaseActs(Controller):
    """Acts on the case's own part, by people of the centres and of streets."""

    path = "/v1/cases/{case_id:uuid}"
    tags = ("cases",)

    @act("/dispatch", DispatchCase)
    async def dispatch(self, case_id: CaseId, data: JSONBody[HandDispatch], writer: Writing) -> Answered:
        """派遣 by hand, where the power list gave no lead that exists; 改派 while nobody has signed."""
        return await writer.on_case(DispatchCase, case_id, data)

    @act("/legs", AddLegs)
    async def add_legs(self, case_id: CaseId, data: JSONBody[MoreLegs], writer: Writing) -> Answered:
        """增派协办: more support legs beside those that there are."""
        return await writer.on_case(AddLegs, case_id, data)

    @act("/check-assignment", AssignCheck)
    async def assign_check(self, case_id: CaseId, data: JSONBody[CheckAssignment], writer: Writing) -> Answered:
        """派核查 to another unit than the rule chose; never to one that handles the case (I-10)."""
        return await writer.on_case(AssignCheck, case_id, data)

    @act("/checks", CheckCase)
    async def check(self, case_id: CaseId, data: JSONBody[Check], writer: Writing) -> Answered:
        """核查: a collector of the unit that was chosen for it says whether the problem is gone (I-10)."""
        return await writer.on_case(CheckCase, case_id, data)

    @act("/close", CloseCase)
    async def close(self, case_id: CaseId, data: JSONBody[Closing], writer: Writing) -> Answered:
        """结案, through the closure gate (I-11); on papers where the category needs no look on site."""
        return await writer.on_case(CloseCase, case_id, data)

    @act("/void-proposals", ProposeVoid)
    async def propose_void(self, case_id: CaseId, data: JSONBody[VoidProposal], writer: Writing) -> Answered:
        """提请作废 before anything was fed back."""
        return await writer.on_case(ProposeVoid, case_id, data)

    @act("/void-decision", DecideVoid)
    async def decide_void(self, case_id: CaseId, data: JSONBody[VoidDecision], writer: Writing) -> Answered:
        """作废审批, by somebody else than who proposed it."""
        return await writer.on_case(DecideVoid, case_id, data)

    @act("/reopen", ReopenCase)
    async def reopen(self, case_id: CaseId, data: JSONBody[Reopening], writer: Writing) -> Answered:
        """重开 within 30 days of the closing: back to the same units, with a new clock."""
        return await writer.on_case(ReopenCase, case_id, data)

    @act("/supervision", SuperviseCase)
    async def supervise(self, case_id: CaseId, data: JSONBody[Supervising], writer: Writing) -> Answered:
        """督办: the units of the legs have to answer."""
        return await writer.on_case(SuperviseCase, case_id, data)

    @act("/escalation", EscalateCase)
    async def escalate(self, case_id: CaseId, data: JSONBody[Escalation], writer: Writing) -> Answered:
        """升级, one level up; matters of safety may jump. A street escalates its own cases."""
        return await writer.on_case(EscalateCase, case_id, data)

    @act("/merge", MergeCase)
    async def merge(
        self, case_id: CaseId, data: JSONBody[Merging], actor: Caller, writer: Writing, database: Reads
    ) -> Answered:
        """并案 into a case that exists and says the same; that case answers a moment later, as an event of this one."""
        # What was seen once stays: a case never goes away, so this is no race with the decision. Whoever may not merge
        # is told that by the decision, and not which cases there are.
        if actor.post in TRANSITIONS[MergeCase].posts and not await database.exists(data.master):
            raise _no_master(data.master)
        return await writer.on_case(MergeCase, case_id, data)

    @act("/unmerge", UnmergeCase)
    async def unmerge(self, case_id: CaseId, data: JSONBody[Unmerging], writer: Writing) -> Answered:
        """撤销并案: the case goes on from where it was."""
        return await writer.on_case(UnmergeCase, case_id, data)


def _no_master(master: UUID) -> ProblemError:
    detail = f"There is no case {master} to merge this one into."
    missing = FieldProblem(field="master", code="unknown_case", message=detail)
    return ProblemError(HTTPStatus.NOT_FOUND, "unknown_case", detail, [missing])
