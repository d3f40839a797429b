"""Routes that change a case: the departments' acts on their legs, and the acts of the centres."""

from uuid import UUID

from litestar import Controller, post

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
from services.dispatch.api.writing import Answered, Caller, Writer
from services.dispatch.domain.commands import CheckCase, CloseCase, DecideLegReturn, DispatchCase, WaiveLeg
from shared.contracts.dispatch import FeedBackLeg, RequestLegReturn, SignLeg


class LegActs(Controller):
    """Acts on one leg. A department acts on its own leg only (I-13)."""

    path = "/v1/cases/{case_id:uuid}/legs/{leg:int}"
    tags = ("legs",)

    @post("/sign", status_code=200)
    async def sign(self, case_id: UUID, leg: int, data: Signing, caller: Caller, writer: Writer) -> Answered:
        """签收: the department takes the task."""
        return await writer.act(SignLeg(case_id=case_id, leg=leg, expected_revision=data.expected_revision), caller)

    @post("/feedback", status_code=200)
    async def feed_back(self, case_id: UUID, leg: int, data: Feedback, caller: Caller, writer: Writer) -> Answered:
        """反馈: the department reports its part done; the lead feeds back last."""
        command = FeedBackLeg(
            case_id=case_id,
            leg=leg,
            closing_condition=data.closing_condition,
            evidence=data.evidence,
            expected_revision=data.expected_revision,
        )
        return await writer.act(command, caller)

    @post("/return-requests", status_code=200)
    async def request_return(
        self, case_id: UUID, leg: int, data: ReturnRequest, caller: Caller, writer: Writer
    ) -> Answered:
        """申请回退: the department says that the task is not for it."""
        command = RequestLegReturn(
            case_id=case_id,
            leg=leg,
            reason=data.reason,
            ground=data.ground,
            expected_revision=data.expected_revision,
        )
        return await writer.act(command, caller)

    @post("/return-decision", status_code=200)
    async def decide_return(
        self, case_id: UUID, leg: int, data: ReturnDecision, caller: Caller, writer: Writer
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
        return await writer.act(command, caller)

    @post("/waive", status_code=200)
    async def waive(self, case_id: UUID, leg: int, data: Waiver, caller: Caller, writer: Writer) -> Answered:
        """免办: a support leg is no longer needed; never the lead's."""
        command = WaiveLeg(case_id=case_id, leg=leg, reason=data.reason, expected_revision=data.expected_revision)
        return await writer.act(command, caller)


class CaseActs(Controller):
    """Acts on the case's own part, by people of the centres."""

    path = "/v1/cases/{case_id:uuid}"
    tags = ("cases",)

    @post("/dispatch", status_code=200)
    async def dispatch(self, case_id: UUID, data: HandDispatch, caller: Caller, writer: Writer) -> Answered:
        """派遣 by hand, where the power list gave no lead that exists."""
        command = DispatchCase(
            case_id=case_id,
            lead=data.lead,
            support=data.support,
            reason=data.reason,
            expected_revision=data.expected_revision,
        )
        return await writer.act(command, caller)

    @post("/checks", status_code=200)
    async def check(self, case_id: UUID, data: Check, caller: Caller, writer: Writer) -> Answered:
        """核查: a collector of a unit that does not handle the case says whether the problem is gone (I-10)."""
        command = CheckCase(
            case_id=case_id,
            passed=data.passed,
            rework=data.rework,
            reason=data.reason,
            expected_revision=data.expected_revision,
        )
        return await writer.act(command, caller)

    @post("/close", status_code=200)
    async def close(self, case_id: UUID, data: Closing, caller: Caller, writer: Writer) -> Answered:
        """结案, through the closure gate (I-11)."""
        return await writer.act(CloseCase(case_id=case_id, expected_revision=data.expected_revision), caller)
