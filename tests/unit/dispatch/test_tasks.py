"""Departments hear of their legs, and only of theirs."""

from services.dispatch.domain.tasks import task_messages
from shared.contracts.dispatch import TaskChanged
from shared.kernel.errors import Refusal
from tests.support.cases import (
    CASE_ID,
    COLLECTOR,
    DUTY_LEADER,
    FIRE,
    MARKET,
    POLICE,
    SYSTEM,
    URBAN,
    ActorStep,
    Case,
    check_failed,
    checked,
    close,
    department,
    handled,
    open_case,
    opened,
    request_return,
    sign,
    uphold,
    waive,
)


def heard(case: Case, step: ActorStep) -> list[tuple[str, str, int]]:
    command, actor = step
    decision = case.when(command, actor)
    assert not isinstance(decision, Refusal)
    published = [message for event in decision for message in task_messages(case.known, event, command)]
    tasks = [effect.message for effect in published]
    assert all(isinstance(task, TaskChanged) and task.case_id == CASE_ID for task in tasks)
    assert all(effect.key == str(CASE_ID).encode() for effect in published)
    return [
        (effect.topic.removeprefix("dispatch.receipts."), task.change, task.leg)
        for effect, task in zip(published, tasks, strict=True)
        if isinstance(task, TaskChanged)
    ]


def test_every_unit_hears_its_task_when_a_case_is_dispatched() -> None:
    assert heard(Case(), (open_case(), SYSTEM)) == [
        (URBAN, "assigned", 1),
        (MARKET, "assigned", 2),
        (FIRE, "assigned", 3),
    ]


def test_a_unit_hears_of_acts_on_its_own_leg_only() -> None:
    assert heard(opened(), (sign(2), department(MARKET))) == [(MARKET, "signed", 2)]
    assert heard(opened(), (waive(3), DUTY_LEADER)) == [(FIRE, "waived", 3)]
    assert heard(handled(), (check_failed(3), COLLECTOR)) == [(FIRE, "rework", 3)]


def test_an_upheld_return_tells_the_old_and_the_new_unit() -> None:
    case = opened().given((request_return(1), department(URBAN)))
    assert heard(case, (uphold(1), DUTY_LEADER)) == [(POLICE, "assigned", 1), (URBAN, "return_upheld", 1)]


def test_every_unit_hears_that_the_case_is_closed() -> None:
    assert heard(checked(), (close(), DUTY_LEADER)) == [
        (URBAN, "closed", 1),
        (MARKET, "closed", 2),
        (FIRE, "closed", 3),
    ]


def test_a_second_filing_tells_nobody_anything() -> None:
    assert heard(opened(), (open_case(), SYSTEM)) == []


def test_a_task_carries_the_revision_that_the_next_act_must_expect() -> None:
    case = opened()
    command = sign(2)
    decision = case.when(command, department(MARKET))
    assert isinstance(decision, list)
    (published,) = task_messages(case.known, decision[0], command)
    assert isinstance(published.message, TaskChanged)
    assert published.message.revision == 2
