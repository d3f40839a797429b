"""Examples of what happens to a case between its dispatch and its archive."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from shared.contracts import adjustments, clocks, dispatch, merges
from shared.contracts.common import Actor, Message
from shared.contracts.intake import Stranger
from shared.contracts.reference import Limit

AT = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
DUE = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
LATER = datetime(2026, 11, 26, 2, 30, tzinfo=UTC)
SPRING = datetime(2027, 4, 15, 10, 0, tzinfo=UTC)
CASE = UUID("01938c3e-7c00-7000-8000-000000000001")
OTHER = UUID("01938c3e-7c00-7000-8000-000000000002")
LIMIT = Limit(amount=1, unit="working_day")
DEPARTMENT = Actor(client="fire-rescue", unit="fire-rescue", post="department")
DISPATCHER = Actor(client="command-desk", unit="command-centre", post="dispatcher", person="p-031")
DUTY_LEADER = Actor(client="supervision-desk", unit="supervision-centre", post="duty_leader", person="p-017")
LEADER = Actor(client="leaders-desk", unit="city-leadership", post="leader", person="p-002")
EVALUATOR = Actor(client="supervision-desk", unit="supervision-centre", post="evaluator", person="p-044")
SYSTEM = Actor(client="dispatch", unit="dispatch", post="system")
BY_HAND = dispatch.Explanation(
    rule=None,
    catalogue_version=1,
    units_version=1,
    legal_basis="",
    considered=(),
    decided_by="dispatcher",
    reason="占道车辆由交警牵头",
    overrides="E0496",
)
RULED = dispatch.Explanation(
    rule=None,
    catalogue_version=1,
    units_version=1,
    legal_basis="",
    considered=(),
    decided_by="ruling",
    reason="联席会议裁定",
)
SIGN = clocks.Clock(
    stage="sign",
    limit=Limit(amount=1, unit="working_hour"),
    started_at=AT,
    original_due_at=datetime(2026, 11, 24, 3, 30, tzinfo=UTC),
    due_at=datetime(2026, 11, 24, 3, 30, tzinfo=UTC),
    warn_at=(datetime(2026, 11, 24, 3, 0, tzinfo=UTC), datetime(2026, 11, 24, 3, 18, tzinfo=UTC)),
    calendar_version=1,
    policy_version=1,
)
HANDLE = clocks.Clock(
    stage="handle",
    limit=LIMIT,
    started_at=AT,
    original_due_at=DUE,
    due_at=DUE,
    warn_at=(datetime(2026, 11, 24, 8, 30, tzinfo=UTC), datetime(2026, 11, 25, 0, 54, tzinfo=UTC)),
    calendar_version=1,
    policy_version=1,
)
EXTENDED = clocks.Clock(
    stage="handle",
    limit=LIMIT,
    started_at=AT,
    original_due_at=DUE,
    due_at=LATER,
    warn_at=(DUE, datetime(2026, 11, 25, 9, 18, tzinfo=UTC)),
    calendar_version=1,
    policy_version=1,
    extensions=1,
)
PAUSED = clocks.Clock(
    stage="handle",
    limit=LIMIT,
    started_at=AT,
    original_due_at=DUE,
    due_at=LATER,
    warn_at=(datetime(2026, 11, 25, 8, 30, tzinfo=UTC), datetime(2026, 11, 26, 0, 54, tzinfo=UTC)),
    calendar_version=1,
    policy_version=2,
    pauses=(clocks.Pause(started_at=AT, ended_at=DUE),),
    provisional=True,
)
CHECK = clocks.Clock(
    stage="check",
    limit=Limit(amount=4, unit="urgent_hour"),
    started_at=AT,
    original_due_at=datetime(2026, 11, 24, 6, 30, tzinfo=UTC),
    due_at=datetime(2026, 11, 24, 6, 30, tzinfo=UTC),
    warn_at=(datetime(2026, 11, 24, 4, 30, tzinfo=UTC), datetime(2026, 11, 24, 5, 42, tzinfo=UTC)),
    calendar_version=1,
    policy_version=1,
)
DISPATCH = clocks.Clock(
    stage="dispatch",
    limit=Limit(amount=1, unit="urgent_hour"),
    started_at=AT,
    original_due_at=datetime(2026, 11, 24, 3, 30, tzinfo=UTC),
    due_at=datetime(2026, 11, 24, 3, 30, tzinfo=UTC),
    warn_at=(datetime(2026, 11, 24, 3, 0, tzinfo=UTC), datetime(2026, 11, 24, 3, 18, tzinfo=UTC)),
    calendar_version=1,
    policy_version=1,
)
MOVED = clocks.MovedClock(leg=2, due_was=DUE, clock=PAUSED)
MOVED_AFTER_IT_PASSED = msgspec.structs.replace(MOVED, clock=msgspec.structs.replace(PAUSED, passed=(DUE,)))
LEAD = dispatch.Leg(leg=1, unit="traffic-police", role="lead", limit=LIMIT)
SUPPORT = dispatch.Leg(leg=3, unit="housing", role="support", limit=LIMIT)
GONE = dispatch.Leg(leg=1, unit="fire-rescue", role="lead", limit=LIMIT)

ACTIONS: tuple[Message | Stranger, ...] = (
    adjustments.RequestLegExtension(case_id=CASE, leg=2, reason="清障车调度需要时间", engineering=True),
    adjustments.RequestLegSuspension(
        case_id=CASE, leg=2, reason="wrong_season", plan="解冻后重新施划标线", until=SPRING, expected_revision=3
    ),
    adjustments.ResumeLeg(case_id=CASE, leg=2, reason="气温回升，可以施工"),
    adjustments.AnswerSupervision(case_id=CASE, leg=2, answer="今日清理完毕"),
    adjustments.AppealLeg(case_id=CASE, leg=2, ground="道路封闭，车辆无法进入"),
)
DISPATCHING: tuple[Message | Stranger, ...] = (
    adjustments.CaseRedispatched(
        at=AT,
        by=DISPATCHER,
        legs=(LEAD,),
        withdrawn=(GONE,),
        explanation=BY_HAND,
        sign_clock=SIGN,
        handle_clock=HANDLE,
    ),
    adjustments.LegsAdded(
        at=AT, by=DISPATCHER, legs=(SUPPORT,), explanation=BY_HAND, sign_clock=SIGN, handle_clock=HANDLE
    ),
    adjustments.LegRuled(
        at=AT,
        by=LEADER,
        leg=2,
        unit="fire-rescue",
        to_unit="housing",
        explanation=RULED,
        sign_clock=SIGN,
        handle_clock=HANDLE,
    ),
    adjustments.LegSentBack(at=AT, by=DISPATCHER, leg=2, unit="fire-rescue", reason="照片不是同一地点", resumed=MOVED),
)
TIME: tuple[Message | Stranger, ...] = (
    clocks.ClockWarned(at=AT, by=SYSTEM, stage="handle", percent=80, due_at=DUE, leg=2, unit="fire-rescue"),
    clocks.ClockBreached(at=AT, by=SYSTEM, stage="check", due_at=DUE),
    clocks.LegCountedAsSigned(at=AT, by=SYSTEM, leg=2, unit="fire-rescue"),
    clocks.ClocksRecomputed(at=AT, by=SYSTEM, calendar_version=2, policy_version=1, moved=(MOVED_AFTER_IT_PASSED,)),
)
EXTENSIONS: tuple[Message | Stranger, ...] = (
    adjustments.LegExtensionRequested(
        at=AT, by=DEPARTMENT, leg=2, unit="fire-rescue", reason="清障车调度需要时间", engineering=False
    ),
    adjustments.LegExtended(
        at=AT, by=DUTY_LEADER, leg=2, unit="fire-rescue", reason="情况属实", due_was=DUE, clock=EXTENDED
    ),
    adjustments.LegExtensionRefused(at=AT, by=DUTY_LEADER, leg=2, unit="fire-rescue", reason="已有车辆可用"),
)
SUSPENSIONS: tuple[Message | Stranger, ...] = (
    adjustments.LegSuspensionRequested(
        at=AT,
        by=DEPARTMENT,
        leg=2,
        unit="fire-rescue",
        reason="wrong_season",
        plan="解冻后重新施划标线",
        until=SPRING,
    ),
    adjustments.LegSuspensionEndorsed(at=AT, by=DISPATCHER, leg=2, unit="fire-rescue", reason="现场已封冻"),
    adjustments.LegSuspended(
        at=AT,
        by=LEADER,
        leg=2,
        unit="fire-rescue",
        reason="wrong_season",
        plan="解冻后重新施划标线",
        until=SPRING,
    ),
    adjustments.LegSuspensionRefused(at=AT, by=LEADER, leg=2, unit="fire-rescue", reason="冬季可以施工"),
    adjustments.LegResumed(
        at=AT,
        by=DEPARTMENT,
        leg=2,
        unit="fire-rescue",
        cause="early",
        reason="气温回升，可以施工",
        due_was=DUE,
        clock=PAUSED,
    ),
)
ENDS: tuple[Message | Stranger, ...] = (
    adjustments.CaseCheckAssigned(
        at=AT,
        by=SYSTEM,
        unit="street-220281002",
        rule="rotating",
        candidates=("street-220281002", "supervision-centre"),
        clock=CHECK,
    ),
    adjustments.CaseVoidProposed(at=AT, by=DUTY_LEADER, reason="not_found", ground="两次到场均未发现"),
    adjustments.CaseVoidRefused(at=AT, by=LEADER, reason="照片显示问题存在"),
    adjustments.CaseVoided(at=AT, by=LEADER, reason="not_found", ground="两次到场均未发现", unmerges=(OTHER,)),
    adjustments.CaseReopened(
        at=AT,
        by=DUTY_LEADER,
        legs=(1, 2),
        ground="recurrence",
        reason="车道再次被占",
        closed_at=AT,
        handle_clock=HANDLE,
    ),
)
OVERSIGHT: tuple[Message | Stranger, ...] = (
    adjustments.CaseSupervised(at=AT, by=LEADER, reason="群众反映强烈", reply_by=DUE),
    adjustments.CaseSupervisionAnswered(at=AT, by=DEPARTMENT, leg=2, unit="fire-rescue", answer="今日清理完毕"),
    adjustments.CaseEscalated(at=AT, by=DUTY_LEADER, from_level="street", to_level="city", reason="街道无权处置"),
    adjustments.LegAppealed(at=AT, by=DEPARTMENT, leg=2, unit="fire-rescue", ground="道路封闭，车辆无法进入"),
    adjustments.LegAppealReviewed(
        at=AT, by=EVALUATOR, leg=2, unit="fire-rescue", upheld=True, reason="封路情况属实", decision="upheld"
    ),
)
MERGES: tuple[Message | Stranger, ...] = (
    merges.CaseMergeRequested(at=AT, by=DUTY_LEADER, master=OTHER, reason="同一地点同一问题"),
    merges.CaseMergeAdmitted(at=AT, by=SYSTEM, merged=CASE),
    merges.CaseMergeDeclined(at=AT, by=SYSTEM, merged=CASE, reason="closed"),
    merges.CaseMerged(at=AT, by=SYSTEM, master=OTHER),
    merges.CaseMergeAbandoned(at=AT, by=SYSTEM, master=OTHER, reason="closed", admitted=False),
    merges.CaseUnmerged(at=AT, by=DUTY_LEADER, master=OTHER, reason="经核实为两处问题", resumed=(MOVED,)),
    merges.CaseMergeReleased(at=AT, by=SYSTEM, merged=CASE),
    merges.MergeAsked(case_id=CASE, asking=OTHER, asks="abandon", obstacle="closed"),
)
CASE_EXAMPLES = (*ACTIONS, *DISPATCHING, *TIME, *EXTENSIONS, *SUSPENSIONS, *ENDS, *OVERSIGHT, *MERGES)
