"""What the simulator has found, each as the shortest order of acts that shows it."""

from collections.abc import Iterator
from uuid import UUID

import pytest
import structlog

from tests.reliability.simulator.invariants import check
from tests.reliability.simulator.plan import Plan
from tests.reliability.simulator.runs import quiet
from tests.reliability.simulator.world import World

EVENTS = "dispatch.events"


@pytest.fixture(autouse=True)
def _without_logs() -> Iterator[None]:
    before = structlog.get_config()
    quiet()
    yield
    structlog.configure(**before)


def rest_without(world: World, *names: str) -> None:
    """Let everybody else act until nobody has anything to do."""
    while tasks := [task for task in world.tasks if task.name not in names and task.runnable()]:
        world._advance(world.chance.choice(tasks))


def test_who_holds_the_first_event_of_a_stream_sees_that_another_has_taken_it() -> None:
    """I-6, I-19: a zombie did not know the reference version, its successor did; nothing may be held for ever."""
    world = World(Plan(seed=1, kinds=("await",), acts=0, workers=2, eagerness=0.0))
    try:
        consumers = [f"dispatch.worker{number} {EVENTS}" for number in (0, 1)]
        rest_without(world, *consumers)
        zombie = next(task for task in world.tasks if task.name in consumers and task.runnable())
        while zombie.act is not None and zombie.act.label != "now":
            world._advance(zombie)
        assert zombie.process is not None
        member = zombie.process.members[EVENTS]
        member.group.leave(member)
        world.quiet = True
        rest_without(world, zombie.name)
        assert world.exists(UUID(int=1))
        world.run()
        check(world)
    finally:
        world.close()
