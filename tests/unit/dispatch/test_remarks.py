"""What a dossier points out: a support leg that began anew may be due after its lead, which feeds back last."""

from services.dispatch.api.remarks import Remark, remarks_of
from tests.support.adjusting import OPENED, TimedCase, all_signed
from tests.support.cases import DUTY_LEADER, MARKET, URBAN, department, feed_back, request_return, sign, uphold

LATER = Remark(
    code="due_after_lead",
    zh="第 2 项任务（协办，public-security）2026-11-24 12:00 到期，晚于主办（urban-management）的 2026-11-24 09:00；"
    "主办最后反馈，可以申请延期。",
    en="Leg 2 (support, public-security) is due on 2026-11-24 12:00, after its lead (urban-management, "
    "2026-11-24 09:00), which feeds back last and may ask for an extension.",
)


def remarks(case: TimedCase) -> dict[int, tuple[Remark, ...]]:
    return {leg.leg: remarks_of(case.known, leg) for leg in case.known.legs}


def handed_over() -> TimedCase:
    """Leg 2 has gone to the police five hours after the dispatch, with its whole limit."""
    case = TimedCase(OPENED)
    case.done("2026-11-23 01:10", sign(1), department(URBAN))
    case.done("2026-11-23 01:10", request_return(2), department(MARKET))
    case.done("2026-11-23 06:00", uphold(2), DUTY_LEADER)
    return case


def test_legs_of_one_dispatch_are_due_together_and_nothing_is_pointed_out() -> None:
    assert remarks(all_signed()) == {1: (), 2: (), 3: ()}


def test_a_leg_that_began_anew_is_pointed_out_to_its_unit_and_to_the_lead() -> None:
    assert remarks(handed_over()) == {1: (LATER,), 2: (LATER,), 3: ()}


def test_nothing_is_pointed_out_of_a_leg_that_is_done() -> None:
    case = handed_over()
    case.done("2026-11-23 06:10", sign(2), department("public-security"))
    case.done("2026-11-23 06:20", feed_back(2), department("public-security"))
    assert remarks(case) == {1: (), 2: (), 3: ()}
