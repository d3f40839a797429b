"""Departments hear of their legs, and only of theirs: what was done, by whom it is awaited, until when."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.dispatch.domain.case import CaseEvent
from services.dispatch.domain.evolve import evolve
from services.dispatch.domain.merging import CompleteMerge
from services.dispatch.domain.tasks import task_messages
from shared.contracts.registry import CASE_EVENTS
from shared.kernel.errors import Refusal
from tests.support.adjusting import (
    add_legs,
    all_signed,
    ask_extension,
    ask_suspension,
    decide_extension,
    decide_suspension,
    endorse,
    fire,
    resume,
    rule_leg,
    send_back,
    utc,
)
from tests.support.cases import (
    CASE_ID,
    COLLECTOR,
    DISPATCHER,
    DUTY_LEADER,
    FIRE,
    LEADER,
    MARKET,
    NOON,
    POLICE,
    SYSTEM,
    URBAN,
    ActorStep,
    Case,
    check_failed,
    checked,
    close,
    closed,
    department,
    dispatch_by_hand,
    feed_back,
    handled,
    open_case,
    opened,
    refuse_return,
    request_return,
    sign,
    signed,
    uphold,
    waive,
)
from tests.support.ends import (
    EVALUATOR,
    INSPECTOR,
    MASTER_ID,
    answer_supervision,
    appeal,
    approve_void,
    closed_late,
    merged,
    merging,
    propose_void,
    reject_appeal,
    reopen,
    supervise,
    unmerge,
    uphold_appeal,
)
from tests.support.heard import told
from tests.support.lawful import LIMIT_ENDS, claim, claimed, enforce, not_cleared, order, ordered, reinspect

UNTIL = NOON + timedelta(days=100)
Heard = tuple[str, str, int]


def handling() -> Case:
    return opened().given(*signed(1, 2, 3))


def asked_suspension() -> Case:
    return handling().given((ask_suspension(2, UNTIL), department(MARKET)))


def endorsed() -> Case:
    return asked_suspension().given((endorse(2), DISPATCHER))


def suspended() -> Case:
    return endorsed().given((decide_suspension(2), LEADER))


def twice_returned() -> Case:
    case = opened()
    for _time in range(2):
        case.given((request_return(2), department(MARKET)), (refuse_return(2), DUTY_LEADER))
    return case


def appealed() -> Case:
    return closed_late(2).given((appeal(2), department(MARKET)))


def at_the_end_of_its_limit() -> Case:
    case = ordered()
    case.fired_until("2026-11-25 15:59")
    return case


def all_three(change: str) -> list[Heard]:
    return [(URBAN, change, 1), (MARKET, change, 2), (FIRE, change, 3)]


STORIES: dict[str, tuple[Callable[[], Case], ActorStep, list[Heard]]] = {
    "every unit hears its task when a case is dispatched": (Case, (open_case(), SYSTEM), all_three("assigned")),
    "a second filing tells nobody anything": (opened, (open_case(), SYSTEM), []),
    "a signature": (opened, (sign(2), department(MARKET)), [(MARKET, "signed", 2)]),
    "a feedback": (handling, (feed_back(2), department(MARKET)), [(MARKET, "fed_back", 2)]),
    "sent back": (handled, (send_back(3), DISPATCHER), [(FIRE, "sent_back", 3)]),
    "a waiver": (opened, (waive(3), DUTY_LEADER), [(FIRE, "waived", 3)]),
    "a return asked for": (opened, (request_return(1), department(URBAN)), [(URBAN, "return_requested", 1)]),
    "a refused return": (
        lambda: opened().given((request_return(1), department(URBAN))),
        (refuse_return(1), DUTY_LEADER),
        [(URBAN, "return_refused", 1)],
    ),
    "an upheld return tells the new and the old unit": (
        lambda: opened().given((request_return(1), department(URBAN))),
        (uphold(1), DUTY_LEADER),
        [(POLICE, "assigned", 1), (URBAN, "return_upheld", 1)],
    ),
    "a ruling that it stays": (twice_returned, (rule_leg(2, MARKET), LEADER), [(MARKET, "ruled", 2)]),
    "a ruling that it goes": (
        twice_returned,
        (rule_leg(2, POLICE), LEADER),
        [(POLICE, "assigned", 2), (MARKET, "withdrawn", 2)],
    ),
    "sent elsewhere, a unit hears that it has the task no more": (
        opened,
        (dispatch_by_hand(FIRE, (URBAN, POLICE)), DISPATCHER),
        [(FIRE, "assigned", 1), (URBAN, "assigned", 2), (POLICE, "assigned", 3), (MARKET, "withdrawn", 2)],
    ),
    "added legs": (handling, (add_legs(POLICE), DISPATCHER), [(POLICE, "assigned", 4)]),
    "an extension asked for": (handling, (ask_extension(2), department(MARKET)), [(MARKET, "extension_requested", 2)]),
    "an extension": (
        lambda: handling().given((ask_extension(2), department(MARKET))),
        (decide_extension(2), DUTY_LEADER),
        [(MARKET, "extended", 2)],
    ),
    "an extension refused": (
        lambda: handling().given((ask_extension(2), department(MARKET))),
        (decide_extension(2, approved=False), DUTY_LEADER),
        [(MARKET, "extension_refused", 2)],
    ),
    "an order": (all_signed, (order(2), department(MARKET)), [(MARKET, "rectification_ordered", 2)]),
    "a claim": (ordered, (claim(2), department(MARKET)), [(MARKET, "rectification_claimed", 2)]),
    "the end of an order's limit": (
        at_the_end_of_its_limit,
        (fire(utc(LIMIT_ENDS)), SYSTEM),
        [(MARKET, "breached", 2), (MARKET, "rectification_expired", 2)],
    ),
    "a re-inspection that passed": (claimed, (reinspect(2), department(MARKET)), [(MARKET, "reinspection_passed", 2)]),
    "a re-inspection that did not": (
        claimed,
        (reinspect(2, passed=False), department(MARKET)),
        [(MARKET, "reinspection_failed", 2)],
    ),
    "an enforcement": (not_cleared, (enforce(2), department(MARKET)), [(MARKET, "enforced", 2)]),
    "a suspension asked for": (
        handling,
        (ask_suspension(2, UNTIL), department(MARKET)),
        [(MARKET, "suspension_requested", 2)],
    ),
    "a suspension endorsed": (asked_suspension, (endorse(2), DISPATCHER), [(MARKET, "suspension_endorsed", 2)]),
    "a suspension not endorsed": (
        asked_suspension,
        (endorse(2, endorsed=False), DISPATCHER),
        [(MARKET, "suspension_refused", 2)],
    ),
    "a suspension": (endorsed, (decide_suspension(2), LEADER), [(MARKET, "suspended", 2)]),
    "a suspension refused": (
        endorsed,
        (decide_suspension(2, approved=False), LEADER),
        [(MARKET, "suspension_refused", 2)],
    ),
    "resumed": (suspended, (resume(2), department(MARKET)), [(MARKET, "resumed", 2)]),
    "supervised": (
        lambda: opened().given((waive(3), DUTY_LEADER)),
        (supervise(), INSPECTOR),
        [(URBAN, "supervised", 1), (MARKET, "supervised", 2)],
    ),
    "a supervision answered": (
        lambda: opened().given((supervise(), INSPECTOR)),
        (answer_supervision(2), department(MARKET)),
        [(MARKET, "supervision_answered", 2)],
    ),
    "a failed check": (handled, (check_failed(3), COLLECTOR), [(FIRE, "rework", 3)]),
    "the closing": (checked, (close(), DUTY_LEADER), all_three("closed")),
    "reopened, the same units hear it": (closed, (reopen(), DUTY_LEADER), all_three("reopened")),
    "one leg reopened": (closed, (reopen(2), DUTY_LEADER), [(MARKET, "reopened", 2)]),
    "an appeal": (lambda: closed_late(2), (appeal(2), department(MARKET)), [(MARKET, "appealed", 2)]),
    "the first of two reviewers tells nothing yet": (appealed, (uphold_appeal(2), EVALUATOR), []),
    "an appeal upheld": (
        lambda: appealed().given((uphold_appeal(2), EVALUATOR)),
        (uphold_appeal(2), LEADER),
        [(MARKET, "appeal_upheld", 2)],
    ),
    "an appeal rejected": (appealed, (reject_appeal(2), LEADER), [(MARKET, "appeal_rejected", 2)]),
    "a void that is proposed tells nobody yet": (opened, (propose_void(), DUTY_LEADER), []),
    "voided": (
        lambda: opened().given((propose_void(), DUTY_LEADER)),
        (approve_void(), LEADER),
        all_three("voided"),
    ),
    "merged": (merging, (CompleteMerge(case_id=CASE_ID, master=MASTER_ID), SYSTEM), all_three("merged")),
    "unmerged": (merged, (unmerge(), DUTY_LEADER), all_three("unmerged")),
    "a warning before the signature is due": (
        opened,
        (fire(NOON + timedelta(minutes=31)), SYSTEM),
        [(URBAN, "warned", 1), (MARKET, "warned", 2), (FIRE, "warned", 3)],
    ),
    "unsigned at its limit": (
        lambda: opened().given(*signed(1, 3)),
        (fire(NOON + timedelta(minutes=61)), SYSTEM),
        [
            *((unit, "warned", leg) for unit, leg in ((MARKET, 2), (MARKET, 2))),
            *((unit, "warned", leg) for unit, leg in ((URBAN, 1), (MARKET, 2), (FIRE, 3))),
            (MARKET, "breached", 2),
            (MARKET, "counted_as_signed", 2),
        ],
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_units_hear_what_concerns_their_legs(story: str) -> None:
    before, step, expected = STORIES[story]
    heard = [(task.unit, task.change, task.leg) for task in told(before(), step)]
    assert sorted(heard) == sorted(expected)


SILENT = {
    *("CaseOpened", "CaseOpeningDeclined", "CaseRoutingFailed", "CaseCheckAssigned", "CaseVoidProposed"),
    *("CaseVoidRefused", "CaseEscalated", "CaseMergeRequested", "CaseMergeAdmitted", "CaseMergeDeclined"),
    *("CaseMergeAbandoned", "CaseMergeReleased"),
}
"""What concerns the case's own part and no unit's leg."""


def test_every_other_event_is_told_to_somebody() -> None:
    telling: set[str] = {"ClocksRecomputed"}
    for before, (command, actor), _expected in STORIES.values():
        case = before()
        state = case.state
        for event in decided(case, (command, actor)):
            state = evolve(state, event)
            if task_messages(state, event, command):
                telling.add(type(event).__name__)
    assert telling | SILENT == {event.__name__ for event in CASE_EVENTS}
    assert not telling & SILENT


def decided(case: Case, step: ActorStep) -> list[CaseEvent]:
    decision = case.when(*step)
    assert not isinstance(decision, Refusal)
    return decision
