"""What departments are told when something happens to a case under test."""

from collections.abc import Sequence

from services.dispatch.domain.evolve import evolve
from services.dispatch.domain.tasks import task_messages
from shared.contracts.tasks import TaskChanged
from shared.kernel.errors import Refusal
from tests.support.cases import CASE_ID, ActorStep, Case


def told(case: Case, step: ActorStep) -> list[TaskChanged]:
    """What departments are told when this happens, event by event."""
    command, actor = step
    state = case.state
    decision = case.when(command, actor)
    assert not isinstance(decision, Refusal), decision
    tasks = []
    for event in decision:
        state = evolve(state, event)
        for effect in task_messages(state, event, command):
            task = effect.message
            assert isinstance(task, TaskChanged)
            assert (effect.topic, effect.key) == (f"dispatch.receipts.{task.unit}", str(CASE_ID).encode())
            assert task.case_id == CASE_ID
            tasks.append(task)
    return tasks


def first(tasks: Sequence[TaskChanged], unit: str) -> TaskChanged:
    return next(task for task in tasks if task.unit == unit)
