"""Long random lives, the same in every run: they reach what the table allows, and what it refuses by name."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest

from services.dispatch.domain.case import CaseState
from services.dispatch.domain.clocks import wakes
from services.dispatch.domain.commands import ActorCommand, Command, LegCommand
from services.dispatch.domain.decide import decide
from services.dispatch.domain.evolve import evolve
from services.dispatch.domain.legs import find_leg
from services.dispatch.domain.merging import CompleteMerge
from services.dispatch.domain.transitions import TRANSITIONS
from shared.contracts.common import Actor
from shared.contracts.decisions import Context
from shared.kernel.errors import Refusal
from tests.support.adjusting import EIGHT_HOURS, fire
from tests.support.case_steps import EVERY_POST, fitting_steps, side_steps
from tests.support.cases import (
    CASE_ID,
    CITY,
    JOINT_RULE,
    NOON,
    SYSTEM,
    catalogue,
    library,
    open_case,
    rule,
)

LIVES: Final = 150
STEPS: Final = 80
REFUSED_WITH_A_REASON: Final = {
    ("CloseCase", "dispatched"),
    ("CloseCase", "handling"),
    ("CloseCase", "checking"),
    ("AnswerSupervision", "filed"),
    ("EscalateCase", "filed"),
}
"""There the table lets the act say why not: obstacles to closing, no leg that answers, no level yet."""
DOMAIN: Final = Path(decide.__code__.co_filename).parent

Cell = tuple[str, str]


class Life:
    """One case and its clock."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.now = NOON
        known = catalogue(random.choice(RULES), limit=EIGHT_HOURS)
        category = msgspec.structs.replace(known.categories[0], no_site_check=random.random() < 0.4)
        self.library = library(units=EVERY_POST, known=msgspec.structs.replace(known, categories=(category,)))
        self.state: CaseState | None = None
        self.attempt(open_case(), SYSTEM)

    @property
    def known(self) -> CaseState:
        assert self.state is not None
        return self.state

    def attempt(self, command: Command, actor: Actor) -> str | None:
        """Do it if it may be done; return the code of the refusal."""
        self.now += timedelta(seconds=1)
        context = Context(stream=CASE_ID, now=self.now, at=self.now, actor=actor, library=self.library)
        decision = decide(CITY, self.state, command, context)
        if isinstance(decision, Refusal):
            return decision.code
        for event in decision:
            self.state = evolve(self.state, event)
        return None

    def pass_time(self) -> None:
        self.now += timedelta(hours=self.random.choice([1, 3, 30]))
        for wake in wakes(self.known):
            if wake.due_at <= self.now:
                self.attempt(fire(self.now), SYSTEM)

    def step(self) -> tuple[ActorCommand, Actor] | None:
        """What somebody asks for next."""
        steps = side_steps(self.known) if self.random.random() < 0.3 else fitting_steps(self.known)
        return self.random.choice(steps) if steps else None


RULES = [
    msgspec.structs.replace(JOINT_RULE, level="community"),
    msgspec.structs.replace(JOINT_RULE, level="community"),
    rule("ghost", "no-such-unit"),
]


def lives() -> Iterator[tuple[Cell, str | None]]:
    """Yield what was asked for, in which state, and why not."""
    random = Random(20261123)
    for _life in range(LIVES):
        life = Life(random)
        for _step in range(STEPS):
            if random.random() < 0.15:
                life.pass_time()
            if life.known.merging is not None and random.random() < 0.5:
                life.attempt(CompleteMerge(case_id=CASE_ID, master=life.known.merging), SYSTEM)
            asked = life.step()
            if asked is not None:
                cell = cell_of(life.known, asked[0])
                yield cell, life.attempt(*asked)


def cell_of(case: CaseState, command: ActorCommand) -> Cell:
    """The row of the table and the state, of leg or case, that the command meets."""
    by_leg = TRANSITIONS[type(command)].leg_states is not None
    leg = find_leg(case.legs, command.leg) if by_leg and isinstance(command, LegCommand) else None
    return type(command).__name__, leg.state if leg else case.state


@pytest.fixture(scope="module")
def told() -> list[tuple[Cell, str | None]]:
    return list(lives())


def test_random_lives_reach_nearly_everything_that_the_table_allows(told: list[tuple[Cell, str | None]]) -> None:
    table = {
        (command.__name__, state)
        for command, transition in TRANSITIONS.items()
        for state in transition.leg_states or transition.case_states
    } - REFUSED_WITH_A_REASON
    reached = {cell for cell, refused in told if refused is None}
    missed = table - reached
    assert len(missed) <= 0.05 * len(table), sorted(missed)
    assert reached <= table


def test_every_refusal_has_a_name_that_some_test_expects() -> None:
    expected = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    named = {code for path in DOMAIN.rglob("*.py") for code in re.findall(r'code="(\w+)"', path.read_text())}
    assert {code for code in named if code.removeprefix("wrong_state_") not in expected} == set()
    assert len(named) > 40
