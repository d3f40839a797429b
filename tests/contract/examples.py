"""One complete example of every message in the registry, from which golden files are written and compared."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from shared.contracts import clocks, dispatch, intake, reference, registry, tasks
from shared.contracts.common import Actor, Answer, CategoryCode, FieldProblem, Message, Place, Position, Receipt
from shared.contracts.intake import Stranger
from tests.contract.examples_of_cases import CASE_EXAMPLES, DISPATCH, HANDLE, MOVED, OTHER, SIGN
from tests.contract.examples_of_law import LAW_EXAMPLES
from tests.contract.examples_of_reports import REPORT_MERGE_EXAMPLES

AT = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
CASE = UUID("01938c3e-7c00-7000-8000-000000000001")
CASE_NUMBER = "220281-JE-20261124-000123"
BY = Actor(client="supervision-desk", unit="supervision-centre", post="duty_leader", person="p-017")
INTAKE = Actor(client="intake", unit="intake", post="system")
DEPARTMENT = Actor(client="fire-rescue", unit="fire-rescue", post="department")
CATEGORY = CategoryCode(system="jiaohe", version=1, code="E0701", condition="1")
PLACE = Place(longitude=127.345, latitude=43.72, street="220281001", community="220281001001", grid="G001")
DIGEST = "0f" * 32
LIMIT = reference.Limit(amount=2, unit="urgent_hour")
EXPLANATION = dispatch.Explanation(
    rule="jiaohe/E0701",
    catalogue_version=1,
    units_version=1,
    legal_basis="消防法 28, 60(三)",
    considered=(dispatch.ConsideredRule(rule="jiaohe/E0701", verdict="won"),),
    decided_by="power_list",
)
ONE_HOUR = reference.Limit(amount=1, unit="working_hour")
ACCEPTANCE = clocks.Clock(
    stage="accept",
    limit=ONE_HOUR,
    started_at=AT,
    original_due_at=AT + timedelta(hours=1),
    due_at=AT + timedelta(hours=1),
    warn_at=(AT + timedelta(minutes=30), AT + timedelta(minutes=48)),
    calendar_version=1,
    policy_version=1,
)
FILING = msgspec.structs.replace(ACCEPTANCE, stage="file")
VERIFYING = msgspec.structs.replace(ACCEPTANCE, stage="verify")
RESUMED = msgspec.structs.replace(
    ACCEPTANCE,
    due_at=AT + timedelta(hours=2),
    pauses=(clocks.Pause(started_at=AT, ended_at=AT + timedelta(hours=1)),),
)
SUBMITTED_CATEGORY = intake.SubmittedCategory(system="jiaohe", code="E0701", version=1, condition="1")
ANSWER = Answer(
    outcome="refused",
    subject=CASE,
    position=Position(topic="intake.reports", stream=CASE, sequence=3),
    code="invalid",
    detail="The message has fields that are not valid.",
    errors=(FieldProblem(field="place.latitude", code="maximum", message="200 is greater than the maximum of 90"),),
    revision=4,
)

EXAMPLES: tuple[Message | Stranger, ...] = (
    *CASE_EXAMPLES,
    *LAW_EXAMPLES,
    *REPORT_MERGE_EXAMPLES,
    intake.ReportSubmission(
        category=SUBMITTED_CATEGORY,
        place=intake.SubmittedPlace(
            longitude=127.345, latitude=43.72, street="220281001", community="220281001001", address="3 号楼 2 单元"
        ),
        observed_at=AT,
        description="安全出口被杂物堵塞",
        target_type="property_company",
        campaign="2026-11",
        contact=intake.Contact(name="网格员", phone="0432"),
        photos=("photos/1.jpg",),
    ),
    intake.Reported(
        at=AT,
        by=DEPARTMENT,
        source="fire-rescue",
        channel="topic",
        category=CATEGORY,
        named_category=SUBMITTED_CATEGORY,
        place=PLACE,
        observed_at=AT,
        target_type="property_company",
        campaign="2026-11",
        content_digest=DIGEST,
        missing=("place.community",),
        places_version=1,
        accept_clock=ACCEPTANCE,
    ),
    intake.Completed(at=AT, by=BY, category=CATEGORY, place=PLACE),
    intake.VerificationAssigned(at=AT, by=BY, unit="supervision-centre", clock=VERIFYING),
    intake.Verified(
        at=AT,
        by=BY,
        unit="supervision-centre",
        result="absent",
        finding="现场通道畅通，未见堵塞",
        evidence=(DIGEST,),
        accept_clock=RESUMED,
    ),
    intake.Accepted(at=AT, by=BY, file_clock=FILING, reason="举报人补充了当时的视频"),
    intake.Filed(
        at=AT,
        by=BY,
        source="fire-rescue",
        category=CATEGORY,
        place=PLACE,
        observed_at=AT,
        reported_at=AT,
        target_type="property_company",
        campaign="2026-11",
    ),
    intake.Rejected(
        at=AT, by=BY, stage="filing", reason_code="not_found", reason="现场未发现", merged_reports=(OTHER,)
    ),
    intake.ReportContentForgotten(at=AT, by=BY, reason="当事人申请"),
    intake.ReportClockWarned(at=ACCEPTANCE.warn_at[1], by=INTAKE, stage="accept", percent=80, due_at=ACCEPTANCE.due_at),
    intake.ReportClockBreached(at=ACCEPTANCE.due_at, by=INTAKE, stage="accept", due_at=ACCEPTANCE.due_at),
    intake.ReportClockRecomputed(at=AT, by=INTAKE, due_was=AT, clock=msgspec.structs.replace(ACCEPTANCE, passed=(AT,))),
    intake.MergeTold(at=AT, by=INTAKE, case_sequence=5, happened_at=AT, merged_reports=(OTHER,), master=OTHER),
    intake.UnmergeTold(at=AT, by=INTAKE, case_sequence=6, happened_at=AT, merged_reports=(OTHER,), master=OTHER),
    intake.OutcomeTold(at=AT, by=INTAKE, case_sequence=14, happened_at=AT, merged_reports=(OTHER,), outcome="closed"),
    intake.Content(report_id=CASE, description="安全出口被杂物堵塞", address="3 号楼 2 单元", photos=("photos/1.jpg",)),
    intake.ContentForgotten(),
    reference.ReferencePublished(
        at=AT, by=BY, kind="units", name="jiaohe", version=1, document=msgspec.Raw(b'{"units":[],"sources":[]}')
    ),
    dispatch.SignLeg(case_id=CASE, leg=1, expected_revision=1),
    dispatch.FeedBackLeg(case_id=CASE, leg=1, closing_condition="疏散通道恢复畅通", evidence=(DIGEST,)),
    dispatch.RequestLegReturn(case_id=CASE, leg=2, reason="not_our_duty", ground="权责清单第 12 项"),
    dispatch.CaseOpened(
        at=AT,
        by=BY,
        source="fire-rescue",
        category=CATEGORY,
        place=PLACE,
        observed_at=AT,
        reported_at=AT,
        filed_at=AT,
        target_type="property_company",
        campaign="2026-11",
        limit=LIMIT,
        closing_condition_zh="疏散通道恢复畅通",
        closing_condition_en="The exit is clear again",
        number=CASE_NUMBER,
    ),
    dispatch.CaseOpeningDeclined(at=AT, by=BY, reason="case_exists", report_sequence=4),
    dispatch.CaseRoutingFailed(
        at=AT,
        by=BY,
        explanation=EXPLANATION,
        reason="unknown_unit",
        detail="The unit fire-rescue is unknown.",
        clock=DISPATCH,
    ),
    dispatch.CaseDispatched(
        at=AT,
        by=BY,
        legs=(dispatch.Leg(leg=1, unit="fire-rescue", role="lead", limit=LIMIT),),
        explanation=EXPLANATION,
        level="street",
        sign_clock=SIGN,
        handle_clock=HANDLE,
    ),
    dispatch.LegSigned(at=AT, by=DEPARTMENT, leg=1, unit="fire-rescue"),
    dispatch.LegFedBack(
        at=AT, by=DEPARTMENT, leg=1, unit="fire-rescue", closing_condition="疏散通道恢复畅通", evidence=(DIGEST,)
    ),
    dispatch.LegReturnRequested(
        at=AT, by=DEPARTMENT, leg=2, unit="fire-rescue", reason="not_our_duty", ground="权责清单第 12 项"
    ),
    dispatch.LegReturnRefused(at=AT, by=BY, leg=2, unit="fire-rescue", reason="属于职责范围"),
    dispatch.LegReturnUpheld(
        at=AT,
        by=BY,
        leg=2,
        unit="fire-rescue",
        to_unit="housing",
        explanation=EXPLANATION,
        sign_clock=SIGN,
        handle_clock=HANDLE,
    ),
    dispatch.LegWaived(at=AT, by=BY, leg=2, unit="fire-rescue", reason="无需协办"),
    dispatch.CaseChecked(at=AT, by=BY, passed=False, rework=(2,), reason="仍有杂物", resumed=(MOVED,)),
    dispatch.CaseClosed(at=AT, by=BY, level="street", on_papers=True, reason="验收单 2026-11"),
    tasks.TaskChanged(
        change="warned",
        case_id=CASE,
        case_number=CASE_NUMBER,
        leg=1,
        unit="fire-rescue",
        role="lead",
        limit=LIMIT,
        revision=1,
        category=CATEGORY,
        place=PLACE,
        closing_condition_zh="疏散通道恢复畅通",
        closing_condition_en="The exit is clear again",
        at=AT,
        reason="主办",
        due_at=AT + timedelta(hours=24),
        sign_by=AT + timedelta(hours=1),
        rectify_by=AT + timedelta(hours=48),
        reinspect_by=AT + timedelta(hours=72),
        stage="handle",
        percent=80,
        until=AT + timedelta(days=9),
        master=OTHER,
    ),
    Receipt(request="m-1", record=None, answer=ANSWER),
    registry.Sealed(cut=AT.isoformat(), streams=6, events=16, root=DIGEST),
    registry.MessageHeld(
        consumer="dispatch.events",
        topic="intake.reports",
        stream=str(CASE),
        sequence=3,
        record="intake.reports:0:17",
        reason="unreadable",
    ),
    registry.MessageDealtWith(
        consumer="dispatch.events",
        topic="intake.reports",
        stream=str(CASE),
        sequence=3,
        act="skip",
        operator="operator",
        reason="Not an event of intake.",
    ),
)


def example_of(name: str) -> Message | Stranger:
    """Return the example of a CloudEvents type."""
    message = registry.MESSAGES[name]
    return next(example for example in EXAMPLES if type(example) is message)
