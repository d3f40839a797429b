"""Who must act next on a case: the basis of "my tasks", and of the work list of a post."""

from collections.abc import Iterator
from typing import Final, Literal

from services.dispatch.domain.acts.returns import RETURNS
from services.dispatch.domain.case import ENDED, CaseState
from services.dispatch.domain.legs import LegState
from shared.contracts.common import Message, Post

Expected = Literal[
    "dispatch",
    "sign",
    "feed_back",
    "reinspect",
    "order_or_enforce",
    "decide_return",
    "rule_leg",
    "decide_extension",
    "endorse_suspension",
    "decide_suspension",
    "assign_check",
    "check",
    "close",
    "decide_void",
    "answer_supervision",
    "review_appeal",
]
"""派遣, 签收, 反馈, 复查, 再责令改正或处罚, 回退审批, 裁定, 延期审批, 挂账初审, 挂账审批,
派核查, 核查, 结案, 作废审批, 督办答复, 申诉审核."""

_REVIEWERS: Final[tuple[Post, ...]] = ("evaluator", "leader")


class Awaited(Message, frozen=True, kw_only=True):
    """Somebody who must act, and what is expected. `unit` None: any that has the post; `leg` None: the case's part."""

    expected: Expected
    post: Post
    unit: str | None = None
    leg: int | None = None


def awaiting(case: CaseState) -> tuple[Awaited, ...]:
    """Return everybody who must act now; nobody where only time, or another case, goes on."""
    if case.state in ENDED:
        return tuple(_reviewers(case)) if case.state == "closed" else ()
    found = [*_own_part(case)]
    for leg in case.legs:
        found += awaiting_leg(case, leg)
    return tuple(found)


def awaiting_leg(case: CaseState, leg: LegState) -> Iterator[Awaited]:
    """Give everybody who must act on a leg of an open case, the unit itself first."""
    number, unit = leg.leg, leg.unit
    match leg.state:
        case "assigned":
            yield Awaited(expected="sign", post="department", unit=unit, leg=number)
        case "handling" if not leg.rectifying:
            yield Awaited(expected="feed_back", post="department", unit=unit, leg=number)
        case "return_pending":
            yield Awaited(expected="decide_return", post="duty_leader", leg=number)
        case "handling" | "suspended" | "fed_back" | "waived":
            pass
    yield from _by_law(leg)
    if case.supervision is not None and leg.state != "waived" and number not in case.supervision.answered:
        yield Awaited(expected="answer_supervision", post="department", unit=unit, leg=number)
    if not leg.done:
        yield from _requests(case, leg)


def _by_law(leg: LegState) -> Iterator[Awaited]:
    """While the party has time, nobody is awaited: then the unit of the leg looks again, and goes on where it must."""
    track = leg.rectification
    if track is None:
        return
    if track.stage == "not_cleared":
        yield Awaited(expected="order_or_enforce", post="department", unit=leg.unit, leg=leg.leg)
    elif track.running is not None and track.running.stage == "reinspection":
        yield Awaited(expected="reinspect", post="department", unit=leg.unit, leg=leg.leg)


def _requests(case: CaseState, leg: LegState) -> Iterator[Awaited]:
    if leg.returns >= RETURNS and not leg.ruled:
        yield Awaited(expected="rule_leg", post="leader", leg=leg.leg)
    if leg.extension is not None:
        clock = case.handle_clock_of(leg)
        again = clock is not None and clock.extensions > 0
        post: Post = "leader" if leg.extension.engineering or again else "duty_leader"
        yield Awaited(expected="decide_extension", post=post, leg=leg.leg)
    if leg.suspension is not None and leg.suspension.started_at is None:
        if leg.suspension.endorsed:
            yield Awaited(expected="decide_suspension", post="leader", leg=leg.leg)
        else:
            yield Awaited(expected="endorse_suspension", post="dispatcher", leg=leg.leg)


def _own_part(case: CaseState) -> Iterator[Awaited]:
    if case.void_proposal is not None:
        yield Awaited(expected="decide_void", post="leader")
    match case.state:
        case "filed":
            yield Awaited(expected="dispatch", post="dispatcher")
        case "feedback":
            # No unit could check, or nothing is left on site to look at: the case itself does not tell which.
            yield Awaited(expected="assign_check", post="dispatcher")
            yield Awaited(expected="close", post="duty_leader")
        case "checking":
            yield Awaited(expected="check", post="collector", unit=case.check.unit if case.check else None)
        case "checked":
            yield Awaited(expected="close", post="duty_leader")


def _reviewers(case: CaseState) -> Iterator[Awaited]:
    for leg in case.legs:
        if leg.appeal is not None and leg.appeal.decision is None:
            for post in _REVIEWERS:
                yield Awaited(expected="review_appeal", post=post, leg=leg.leg)
