"""Examples of the legal track of a leg: ordered, claimed, re-inspected, enforced."""

from datetime import UTC, datetime

from shared.contracts import clocks, rectification
from shared.contracts.common import Message
from shared.contracts.intake import Stranger
from shared.contracts.reference import Limit
from tests.contract.examples_of_cases import AT, CASE, DEPARTMENT, SYSTEM

LIMIT_ENDS = datetime(2026, 11, 26, 16, 0, tzinfo=UTC)
PHOTO = "0f" * 32
RECTIFICATION = clocks.Clock(
    stage="rectification",
    limit=Limit(amount=2, unit="statutory_working_day"),
    started_at=AT,
    original_due_at=LIMIT_ENDS,
    due_at=LIMIT_ENDS,
    warn_at=(datetime(2026, 11, 25, 16, 0, tzinfo=UTC), datetime(2026, 11, 26, 6, 24, tzinfo=UTC)),
    calendar_version=1,
    policy_version=1,
)
REINSPECTION = clocks.Clock(
    stage="reinspection",
    limit=Limit(amount=3, unit="statutory_working_day"),
    started_at=AT,
    original_due_at=datetime(2026, 11, 27, 16, 0, tzinfo=UTC),
    due_at=datetime(2026, 11, 27, 16, 0, tzinfo=UTC),
    warn_at=(datetime(2026, 11, 26, 4, 0, tzinfo=UTC), datetime(2026, 11, 27, 1, 36, tzinfo=UTC)),
    calendar_version=1,
    policy_version=1,
)
LAW_EXAMPLES: tuple[Message | Stranger, ...] = (
    rectification.OrderRectification(
        case_id=CASE,
        leg=2,
        legal_basis="消防法第六十条",
        document_number="责改〔2026〕第 118 号",
        days=2,
        unit="statutory_working_day",
    ),
    rectification.ClaimRectification(case_id=CASE, leg=2, statement="通道杂物已清除", evidence=(PHOTO,)),
    rectification.RecordReinspection(case_id=CASE, leg=2, passed=False, finding="安全出口仍被锁闭", evidence=(PHOTO,)),
    rectification.RecordEnforcement(
        case_id=CASE,
        leg=2,
        measure="penalty",
        legal_basis="消防法第六十条",
        document_number="罚决〔2026〕第 45 号",
    ),
    rectification.LegRectificationOrdered(
        at=AT,
        by=DEPARTMENT,
        leg=2,
        unit="fire-rescue",
        legal_basis="消防法第六十条",
        document_number="责改〔2026〕第 118 号",
        clock=RECTIFICATION,
    ),
    rectification.LegRectificationClaimed(
        at=AT,
        by=DEPARTMENT,
        leg=2,
        unit="fire-rescue",
        statement="通道杂物已清除",
        evidence=(PHOTO,),
        clock=REINSPECTION,
    ),
    rectification.LegRectificationExpired(at=AT, by=SYSTEM, leg=2, unit="fire-rescue", clock=REINSPECTION),
    rectification.LegReinspected(
        at=AT,
        by=DEPARTMENT,
        leg=2,
        unit="fire-rescue",
        passed=False,
        finding="安全出口仍被锁闭",
        evidence=(PHOTO,),
    ),
    rectification.LegEnforcementRecorded(
        at=AT,
        by=DEPARTMENT,
        leg=2,
        unit="fire-rescue",
        measure="penalty",
        legal_basis="消防法第六十条",
        document_number="罚决〔2026〕第 45 号",
        clock=REINSPECTION,
    ),
)
