"""The routes of acts on one leg, of its department and of the centres. One route, one command."""

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.params import FromPath, JSONBody

from services.dispatch.api.bodies import (
    Appealing,
    AppealReview,
    Enforcement,
    ExtensionDecision,
    ExtensionRequest,
    Feedback,
    RectificationClaim,
    RectificationOrder,
    Reinspection,
    Resumption,
    ReturnDecision,
    ReturnRequest,
    Ruling,
    SendingBack,
    Signing,
    SupervisionAnswer,
    SuspensionDecision,
    SuspensionEndorsement,
    SuspensionRequest,
    Waiver,
)
from services.dispatch.api.examples import act
from services.dispatch.api.writing import Answered, Writing
from services.dispatch.domain.adjustments import (
    DecideLegExtension,
    DecideLegSuspension,
    EndorseLegSuspension,
    ReviewLegAppeal,
)
from services.dispatch.domain.commands import DecideLegReturn, RuleLeg, SendLegBack, WaiveLeg
from shared.contracts.adjustments import (
    AnswerSupervision,
    AppealLeg,
    RequestLegExtension,
    RequestLegSuspension,
    ResumeLeg,
)
from shared.contracts.dispatch import FeedBackLeg, RequestLegReturn, SignLeg
from shared.contracts.rectification import (
    ClaimRectification,
    OrderRectification,
    RecordEnforcement,
    RecordReinspection,
)

Case = FromPath[UUID]
Leg = FromPath[int]
_PATH: Final = "/v1/cases/{case_id:uuid}/legs/{leg:int}"


class DepartmentActs(Controller):
    """What a department does on its own leg (I-13); the same acts are read from its topic."""

    path = _PATH
    tags = ("legs",)

    @act("/sign", SignLeg)
    async def sign(self, case_id: Case, leg: Leg, data: JSONBody[Signing], writer: Writing) -> Answered:
        """签收: the department takes the task."""
        return await writer.on_leg(SignLeg, case_id, leg, data)

    @act("/feedback", FeedBackLeg)
    async def feed_back(self, case_id: Case, leg: Leg, data: JSONBody[Feedback], writer: Writing) -> Answered:
        """反馈: the department reports its part done; the lead feeds back last."""
        return await writer.on_leg(FeedBackLeg, case_id, leg, data)

    @act("/return-requests", RequestLegReturn)
    async def request_return(self, case_id: Case, leg: Leg, data: JSONBody[ReturnRequest], writer: Writing) -> Answered:
        """申请回退: the department says that the task is not for it, before it is overdue; twice at most."""
        return await writer.on_leg(RequestLegReturn, case_id, leg, data)

    @act("/extension-requests", RequestLegExtension)
    async def request_extension(
        self, case_id: Case, leg: Leg, data: JSONBody[ExtensionRequest], writer: Writing
    ) -> Answered:
        """申请延期 before the leg is overdue; the clock runs on until it is decided."""
        return await writer.on_leg(RequestLegExtension, case_id, leg, data)

    @act("/suspension-requests", RequestLegSuspension)
    async def request_suspension(
        self, case_id: Case, leg: Leg, data: JSONBody[SuspensionRequest], writer: Writing
    ) -> Answered:
        """申请挂账, once a leg; the clock runs on until it is decided."""
        return await writer.on_leg(RequestLegSuspension, case_id, leg, data)

    @act("/resume", ResumeLeg)
    async def resume(self, case_id: Case, leg: Leg, data: JSONBody[Resumption], writer: Writing) -> Answered:
        """恢复处置 before the end date, by the department or a dispatcher."""
        return await writer.on_leg(ResumeLeg, case_id, leg, data)

    @act("/supervision-answer", AnswerSupervision)
    async def answer_supervision(
        self, case_id: Case, leg: Leg, data: JSONBody[SupervisionAnswer], writer: Writing
    ) -> Answered:
        """督办答复."""
        return await writer.on_leg(AnswerSupervision, case_id, leg, data)

    @act("/appeal", AppealLeg)
    async def appeal(self, case_id: Case, leg: Leg, data: JSONBody[Appealing], writer: Writing) -> Answered:
        """申诉 after the case was closed, once: the overdue fact stays, only statistics exempt it."""
        return await writer.on_leg(AppealLeg, case_id, leg, data)


class RectificationActs(Controller):
    """What a department does by law on its own leg: it orders, and looks again; by its topic too."""

    path = _PATH
    tags = ("legs",)

    @act("/rectification-orders", OrderRectification)
    async def order(self, case_id: Case, leg: Leg, data: JSONBody[RectificationOrder], writer: Writing) -> Answered:
        """责令改正, at once or within a limit: until its re-inspection has passed, the leg is not fed back."""
        return await writer.on_leg(OrderRectification, case_id, leg, data)

    @act("/rectification-claims", ClaimRectification)
    async def claim(self, case_id: Case, leg: Leg, data: JSONBody[RectificationClaim], writer: Writing) -> Answered:
        """报改正: the party says that it is done; from now on the limit of the re-inspection runs."""
        return await writer.on_leg(ClaimRectification, case_id, leg, data)

    @act("/reinspections", RecordReinspection)
    async def reinspect(self, case_id: Case, leg: Leg, data: JSONBody[Reinspection], writer: Writing) -> Answered:
        """复查; not passed, a new order or an enforcement follows."""
        return await writer.on_leg(RecordReinspection, case_id, leg, data)

    @act("/enforcements", RecordEnforcement)
    async def enforce(self, case_id: Case, leg: Leg, data: JSONBody[Enforcement], writer: Writing) -> Answered:
        """处罚 or 强制执行 is recorded; another re-inspection follows."""
        return await writer.on_leg(RecordEnforcement, case_id, leg, data)


class LegDecisions(Controller):
    """What the centres decide about a leg."""

    path = _PATH
    tags = ("legs",)

    @act("/return-decision", DecideLegReturn)
    async def decide_return(self, case_id: Case, leg: Leg, data: JSONBody[ReturnDecision], writer: Writing) -> Answered:
        """回退审批 by the duty leader: the task goes to another unit, is not needed, or stays."""
        return await writer.on_leg(DecideLegReturn, case_id, leg, data)

    @act("/ruling", RuleLeg)
    async def rule(self, case_id: Case, leg: Leg, data: JSONBody[Ruling], writer: Writing) -> Answered:
        """裁定 by the leader after two returns: this unit handles, and cannot return it again."""
        return await writer.on_leg(RuleLeg, case_id, leg, data)

    @act("/extension-decision", DecideLegExtension)
    async def decide_extension(
        self, case_id: Case, leg: Leg, data: JSONBody[ExtensionDecision], writer: Writing
    ) -> Answered:
        """延期审批: the first by the duty leader; a second one, or engineering work, by the leader."""
        return await writer.on_leg(DecideLegExtension, case_id, leg, data)

    @act("/suspension-endorsement", EndorseLegSuspension)
    async def endorse_suspension(
        self, case_id: Case, leg: Leg, data: JSONBody[SuspensionEndorsement], writer: Writing
    ) -> Answered:
        """挂账初审 by a dispatcher."""
        return await writer.on_leg(EndorseLegSuspension, case_id, leg, data)

    @act("/suspension-decision", DecideLegSuspension)
    async def decide_suspension(
        self, case_id: Case, leg: Leg, data: JSONBody[SuspensionDecision], writer: Writing
    ) -> Answered:
        """挂账审批 by the leader, after a dispatcher has endorsed it."""
        return await writer.on_leg(DecideLegSuspension, case_id, leg, data)

    @act("/send-back", SendLegBack)
    async def send_back(self, case_id: Case, leg: Leg, data: JSONBody[SendingBack], writer: Writing) -> Answered:
        """退回补充 by a dispatcher: what was fed back is obviously insufficient. Counts as rework."""
        return await writer.on_leg(SendLegBack, case_id, leg, data)

    @act("/waive", WaiveLeg)
    async def waive(self, case_id: Case, leg: Leg, data: JSONBody[Waiver], writer: Writing) -> Answered:
        """免办: a support leg is no longer needed; never the lead's."""
        return await writer.on_leg(WaiveLeg, case_id, leg, data)

    @act("/appeal-reviews", ReviewLegAppeal)
    async def review_appeal(self, case_id: Case, leg: Leg, data: JSONBody[AppealReview], writer: Writing) -> Answered:
        """申诉审核: two different persons uphold it, one rejects it."""
        return await writer.on_leg(ReviewLegAppeal, case_id, leg, data)
