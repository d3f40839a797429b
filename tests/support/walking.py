"""Long walks through the life of a case by a fixed seed: what honest actors, other cases and time do, over and over."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.dispatch.domain.case import CaseState
from services.dispatch.domain.commands import ActorCommand, Command
from services.dispatch.domain.decide import decide
from services.dispatch.domain.evolve import evolve
from services.dispatch.domain.merging import AbandonMerge, AdmitMerge, CompleteMerge, LeaveVoidedMaster, ReleaseMerge
from shared.contracts.common import Actor
from shared.contracts.decisions import Context
from shared.kernel.errors import Refusal
from tests.support.adjusting import add_legs, fire
from tests.support.case_steps import EVERY_POST, entitled, fitting_steps
from tests.support.cases import (
    CASE_ID,
    CITY,
    DUTY_LEADER,
    LEADER,
    NOON,
    POLICE,
    STREET_UNIT,
    SYSTEM,
    dispatch_by_hand,
    library,
    open_case,
    rule,
    waive,
)
from tests.support.ends import (
    MASTER_ID,
    OTHER_ID,
    answer_supervision,
    appeal,
    approve_void,
    assign_check,
    close_on_papers,
    escalate,
    flagged,
    merge,
    propose_void,
    refuse_void,
    reject_appeal,
    reopen,
    supervise,
    unmerge,
    uphold_appeal,
)

_STEPS: Final = 40
_BEGUN_OFTEN: Final = 0.25
_OWN_PART: Final[tuple[ActorCommand, ...]] = (
    *(propose_void(), approve_void(), refuse_void(), merge(), unmerge(), close_on_papers(), supervise(), reopen()),
    *(escalate("community"), escalate("street"), escalate("city"), add_legs(POLICE), add_legs(STREET_UNIT)),
    *(assign_check("supervision-centre"), assign_check("command-centre"), dispatch_by_hand(STREET_UNIT, (POLICE,))),
)
_LEGS: Final[tuple[ActorCommand, ...]] = tuple(
    act(leg) for leg in (1, 2, 3) for act in (appeal, uphold_appeal, reject_appeal, answer_supervision, reopen)
)
_OTHER_CASES: Final[tuple[Command, ...]] = (
    AdmitMerge(case_id=CASE_ID, merged=OTHER_ID),
    ReleaseMerge(case_id=CASE_ID, merged=OTHER_ID),
    CompleteMerge(case_id=CASE_ID, master=MASTER_ID),
    AbandonMerge(case_id=CASE_ID, master=MASTER_ID, reason="closed"),
    LeaveVoidedMaster(case_id=CASE_ID, master=MASTER_ID),
)
_MINUTES: Final = (30, 200, 3_000, 300_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """One step: what was asked, and what became of it. Refused, or without an effect, the case is what it was."""

    before: CaseState | None
    command: Command
    after: CaseState | None


def walks(count: int, seed: int) -> Iterator[Walked]:
    """Give the steps of so many cases."""
    chance = random.Random(seed)
    for _case in range(count):
        yield from _walk(chance)


def _walk(chance: random.Random) -> Iterator[Walked]:
    routed = chance.random() < 0.8
    documents = library(
        *(() if routed else (rule("ghost", "no-such-unit"),)),
        units=EVERY_POST,
        known=flagged(no_site_check=True, level="grid") if routed and chance.random() < 0.4 else None,
    )
    now = NOON
    case: CaseState | None = None
    for _step in range(_STEPS):
        now += timedelta(minutes=chance.choice(_MINUTES) if chance.random() < 0.1 else 1)
        command, by = (open_case(), SYSTEM) if case is None else _next(case, now, chance)
        context = Context(stream=CASE_ID, now=now, at=now, actor=by, library=documents)
        decision = decide(CITY, case, command, context)
        before = case
        for event in () if isinstance(decision, Refusal) else decision:
            case = evolve(case, event)
        yield Walked(before=before, command=command, after=case)
        if case is not None and case.state == "voided":
            return


def _next(case: CaseState, now: datetime, chance: random.Random) -> tuple[Command, Actor]:
    kind, fitting = chance.random(), fitting_steps(case)
    if kind < _BEGUN_OFTEN:
        begun = _begun(case, chance)
        if begun is not None:
            return begun
    if fitting and kind < (0.35 if case.state in {"filed", "dispatched"} else 0.6):
        return chance.choice(fitting)
    if kind < 0.8:
        act = chance.choice(_OWN_PART if kind < 0.72 else _LEGS)
        return act, entitled(act, case, chance.choice)
    return (chance.choice(_OTHER_CASES), SYSTEM) if kind < 0.9 else (fire(now), SYSTEM)


def _begun(case: CaseState, chance: random.Random) -> tuple[Command, Actor] | None:
    """What has begun and waits for somebody else: a merge, a void, a leg that rests."""
    if case.merging is not None:
        return CompleteMerge(case_id=CASE_ID, master=case.merging), SYSTEM
    if case.void_proposal is not None:
        return approve_void(), LEADER
    if case.master is not None:
        alone: list[tuple[Command, Actor]] = [
            (LeaveVoidedMaster(case_id=CASE_ID, master=case.master), SYSTEM),
            (unmerge(), DUTY_LEADER),
        ]
        return chance.choice(alone)
    resting = next((leg for leg in case.legs if leg.state == "suspended"), None)
    if resting is not None and resting.suspension is not None:
        over: list[tuple[Command, Actor]] = [(fire(resting.suspension.until), SYSTEM), (waive(resting.leg), LEADER)]
        return chance.choice(over)
    return None
