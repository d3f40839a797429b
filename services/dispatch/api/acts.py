"""Routes that change a case: the departments' acts on their legs, and the acts of the centres."""

from uuid import UUID

from litestar import Controller, post
from litestar.params import FromPath, JSONBody

from services.dispatch.api.bodies import (
    Check,
    Closing,
    Feedback,
    HandDispatch,
    ReturnDecision,
    ReturnRequest,
    Signing,
    Waiver,
)
from services.dispatch.api.writing import Answered, Writing
from services.dispatch.domain.commands import CheckCase, CloseCase, DecideLegReturn, DispatchCase, WaiveLeg
from shared.contracts.dispatch import FeedBackLeg, RequestLegReturn, SignLeg

CaseId = FromPath[UUID]
LegNumber = FromPath[int]


class LegActs(Controller):
    """Acts on one leg. A department acts on its own leg only (I-13)."""

    path = "/v1/cases/{case_id:uuid}/legs/{leg:int}"
    tags = ("legs",)

    @post("/sign", status_code=200)
    async def sign(self, case_id: CaseId, leg: LegNumber, data: JSONBody[Signing], writer: Writing) -> Answered:
        """签收: the department takes the task."""
        return await writer.act(SignLeg(case_id=case_id, leg=leg, expected_revision=data.expected_revision))

    @post("/feedback", status_code=200)
    async def feed_back(self, case_id: CaseId, leg: LegNumber, data: JSONBody[Feedback], writer: Writing) -> Answered:
        """反馈: the department reports its part done; the lead feeds back last."""
        command = FeedBackLeg(
            case_id=case_id,
            leg=leg,
            closing_condition=data.closing_condition,
            evidence=data.evidence,
            expected_revision=data.expected_revision,
        )
        return await writer.act(command)

    @post("/return-requests", status_code=200)
    async def request_return(
        self, case_id: CaseId, leg: LegNumber, data: JSONBody[ReturnRequest], writer: Writing
    ) -> Answered:
        """申请回退: the department says that the task is not for it."""
        command = RequestLegReturn(
            case_id=case_id,
            leg=leg,
            reason=data.reason,
            ground=data.ground,
            expected_revision=data.expected_revision,
        )
        return await writer.act(command)

    @post("/return-decision", status_code=200)
    async def decide_return(
        self, case_id: CaseId, leg: LegNumber, data: JSONBody[ReturnDecision], writer: Writing
    ) -> Answered:
        """The duty leader rules on a return request: it goes to another unit, or stays."""
        command = DecideLegReturn(
            case_id=case_id,
            leg=leg,
            upheld=data.upheld,
            reason=data.reason,
            to_unit=data.to_unit,
            expected_revision=data.expected_revision,
        )
        return await writer.act(command)

    @post("/waive", status_code=200)
    async def waive(self, case_id: CaseId, leg: LegNumber, data: JSONBody[Waiver], writer: Writing) -> Answered:
        """免办: a support leg is no longer needed; never the lead's."""
        command = WaiveLeg(case_id=case_id, leg=leg, reason=data.reason, expected_revision=data.expected_revision)
        return await writer.act(command)


class CaseActs(Controller):
    """Acts on the case's own part, by people of the centres."""

    path = "/v1/cases/{case_id:uuid}"
    tags = ("cases",)

    @post("/dispatch", status_code=200)
    async def dispatch(self, case_id: CaseId, data: JSONBody[HandDispatch], writer: Writing) -> Answered:
        """派遣 by hand, where the power list gave no lead that exists."""
        command = DispatchCase(
            case_id=case_id,
            lead=data.lead,
            support=data.support,
            reason=data.reason,
            expected_revision=data.expected_revision,
        )
        return await writer.act(command)

    @post("/checks", status_code=200)
    async def check(self, case_id: CaseId, data: JSONBody[Check], writer: Writing) -> Answered:
        """核查: a collector of a unit that does not handle the case says whether the problem is gone (I-10)."""
        command = CheckCase(
            case_id=case_id,
            passed=data.passed,
            rework=data.rework,
            reason=data.reason,
            expected_revision=data.expected_revision,
        )
        return await writer.act(command)

    @post("/close", status_code=200)
    async def close(self, case_id: CaseId, data: JSONBody[Closing], writer: Writing) -> Answered:
        """结案, through the closure gate (I-11)."""
        return await writer.act(CloseCase(case_id=case_id, expected_revision=data.expected_revision))
