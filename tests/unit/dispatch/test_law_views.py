"""What people are shown of a leg that has ordered something by law: its limits, how they stand, and why."""

from services.dispatch.api.clockviews import clocks_of
from services.dispatch.api.views import summary_of, task_of
from services.dispatch.queries import KnownCase, KnownLeg
from shared.web.clockviews import ClockView, Watch
from tests.support.adjusting import TimedCase, ask_suspension, decide_suspension, endorse, utc
from tests.support.cases import CASE_ID, CITY, DISPATCHER, LEADER, fed_back
from tests.support.lawful import OF_MARKET, claimed, cleared, not_cleared, ordered


def known(case: TimedCase) -> KnownCase:
    return KnownCase(id=CASE_ID, sequence=len(case.events), changed_at=case.now, case=case.known)


def by_law(case: TimedCase) -> list[ClockView]:
    watch = Watch(now=case.now, library=case.library, city=CITY)
    return [clock for clock in clocks_of(watch, case.known, case.leg(2)) if clock.stage not in {"sign", "handle"}]


def standing(case: TimedCase) -> list[tuple[str, str, str | None]]:
    return [(clock.stage, clock.standing, clock.colour) for clock in by_law(case)]


def test_the_dossier_shows_the_limits_of_an_order_as_they_stand() -> None:
    assert standing(ordered()) == [("rectification", "running", "green")]
    assert standing(ordered(None)) == [("reinspection", "running", "green")]
    assert standing(claimed()) == [("rectification", "stopped", None), ("reinspection", "running", "green")]
    assert standing(not_cleared()) == [("rectification", "stopped", None), ("reinspection", "stopped", None)]
    assert standing(cleared()) == standing(not_cleared())


def test_a_suspended_leg_shows_that_the_law_goes_on() -> None:
    case = ordered()
    case.done("2026-11-23 03:00", ask_suspension(2, utc("2027-03-01 00:00")), OF_MARKET)
    case.done("2026-11-23 03:10", endorse(2), DISPATCHER)
    case.done("2026-11-23 03:20", decide_suspension(2), LEADER)
    assert standing(case) == [("rectification", "running", "green")]


def test_a_limit_that_has_passed_says_so_and_when_it_ended() -> None:
    case = ordered()
    case.fired_until("2026-11-25 16:00")
    [limit, look] = by_law(case)
    assert (limit.breached, limit.stopped_at) == (True, utc("2026-11-25 15:59").replace(second=59))
    assert (look.breached, look.stopped_at) == (False, None)


def test_the_dossier_says_why_the_limit_of_an_order_ends_when_it_does() -> None:
    [limit] = by_law(ordered())
    assert limit.why is not None
    assert limit.why.zh == (
        "时限 2 法定工作日，自 2026-11-23（周一） 10:00 起计。",
        "2026-11-23（周一）：起算当日不计。",
        "2026-11-24（周二）至 11-25（周三）：2 个工作日（全天），计 2 天。",
        "到期：2026-11-25（周三） 24:00。",
    )


def test_a_task_says_until_when_the_party_has_time_and_then_until_when_to_look_again() -> None:
    for case, stage, due_at in (
        (ordered(), "rectification", "2026-11-25 16:00"),
        (claimed(), "reinspection", "2026-11-27 16:00"),
    ):
        shown = task_of(KnownLeg(case=known(case), leg=case.leg(2)), case.now).by_law
        assert shown is not None
        assert (shown.stage, shown.due_at) == (stage, utc(due_at))
    case = cleared()
    assert task_of(KnownLeg(case=known(case), leg=case.leg(2)), case.now).by_law is None


def test_a_task_and_its_case_are_as_urgent_as_what_is_due_first() -> None:
    case = ordered(1, "natural_day")
    case.done("2026-11-23 03:00", ask_suspension(2, utc("2027-03-01 00:00")), OF_MARKET)
    case.done("2026-11-23 03:10", endorse(2), DISPATCHER)
    case.done("2026-11-23 03:20", decide_suspension(2), LEADER)
    case.given(*fed_back(3))
    task = task_of(KnownLeg(case=known(case), leg=case.leg(2)), case.now)
    assert task.deadline is not None
    assert task.deadline == task.by_law
    assert (task.deadline.stage, task.deadline.due_at, task.handling) == (
        "rectification",
        utc("2026-11-24 02:00"),
        None,
    )
    first = summary_of(known(case), case.now).deadline
    assert first is not None
    # The leg of the lead is still at work, and due an hour before.
    assert (first.stage, first.due_at) == ("handle", utc("2026-11-24 01:00"))
    late = ordered()
    task = task_of(KnownLeg(case=known(late), leg=late.leg(2)), late.now)
    assert task.deadline == task.handling != task.by_law


def test_the_work_list_marks_a_leg_until_its_order_is_cleared() -> None:
    for case, rectifying in ((ordered(), True), (not_cleared(), True), (cleared(), False)):
        assert [leg.rectifying for leg in summary_of(known(case), case.now).legs] == [False, rectifying, False]
