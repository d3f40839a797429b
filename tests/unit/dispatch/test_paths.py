"""Long walks through the table of transitions: every way that is written down, and no other."""

from collections.abc import Sequence

import pytest

from services.dispatch.domain.commands import Command
from services.dispatch.domain.paths import CASE_WAYS, LEG_WAYS, RECTIFICATION_WAYS
from tests.support.walking import Walked, walks

ENOUGH = 0.95
TABLES = (CASE_WAYS, LEG_WAYS, RECTIFICATION_WAYS)
WAYS = {(command, way) for table in TABLES for command, ways in table.items() for way in ways}


@pytest.fixture(scope="module")
def walked() -> Sequence[Walked]:
    return list(walks(400, seed=1))


def ways_of(step: Walked) -> set[tuple[type[Command], tuple[str | None, str]]]:
    """What changed: the state of the case, and those of its legs."""
    before, after = step.before, step.after
    assert after is not None
    legs = {leg.leg: leg.state for leg in before.legs} if before else {}
    changes = {(before.state if before else None, after.state), *((legs.get(leg.leg), leg.state) for leg in after.legs)}
    return {(type(step.command), change) for change in (*changes, *_orders(step)) if change[0] != change[1]}


def _orders(step: Walked) -> set[tuple[str, str]]:
    """What changed of what legs have ordered by law, where they stayed with their units."""
    after = {leg.leg: leg for leg in step.after.legs} if step.after else {}
    return {
        (leg.rectification_stage, after[leg.leg].rectification_stage)
        for leg in (step.before.legs if step.before else ())
        if leg.leg in after and after[leg.leg].unit == leg.unit and after[leg.leg].state != "assigned"
    }


def test_nothing_goes_a_way_that_is_not_written_down(walked: Sequence[Walked]) -> None:
    assert {way for step in walked for way in ways_of(step)} - WAYS == set()


def test_nearly_every_way_is_walked(walked: Sequence[Walked]) -> None:
    found = {way for step in walked for way in ways_of(step)}
    assert len(found) >= ENOUGH * len(WAYS), WAYS - found
