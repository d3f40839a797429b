"""Every name by which an act can be refused is listed once, and reached here: no other name exists in the code."""

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import services.dispatch.domain.acts as acts_package
from services.dispatch.domain.case import CaseEvent
from services.dispatch.domain.commands import ActorCommand
from services.dispatch.domain.decide import decide
from services.dispatch.domain.refusals import OF_ACTS, OF_THE_TABLE, REFUSALS
from services.dispatch.domain.transitions import TRANSITIONS
from shared.contracts.common import Actor, Post
from shared.contracts.decisions import Context
from shared.kernel.errors import Refusal
from tests.support.cases import (
    CASE_ID,
    CITY,
    MARKET,
    UNITS,
    URBAN,
    Case,
    actor,
    check_passed,
    department,
    opened,
    refusal,
    sign,
    units_with_posts,
)
from tests.support.ends import STAGES, all_done, started
from tests.support.lawful import TRACKS
from tests.support.refused import REACHED, Reached
from tests.unit.dispatch import test_ends_table, test_transitions

DOMAIN = Path(acts_package.__file__).parents[1]
COMMANDS = {**test_transitions.COMMANDS, **test_ends_table.COMMANDS}
SITUATIONS = {
    **STAGES,
    **{f"leg {state}": case for state, case in test_transitions.LEGS.items()},
    **{f"order {stage}": case for stage, case in TRACKS.items()},
}


@pytest.mark.parametrize("reached", REACHED, ids=lambda one: f"{type(one[2]).__name__}-{one[0]}")
def test_a_refusal_is_reached(reached: Reached) -> None:
    code, case, command, by = reached
    decision = case().when(command, by)
    assert isinstance(decision, Refusal)
    assert decision.code == code
    assert decision.detail


def test_every_refusal_of_an_act_is_listed_and_reached() -> None:
    listed = {(command, code) for command, codes in REFUSALS.items() for code in codes}
    assert {(type(command), code) for code, _case, command, _by in REACHED} == listed
    assert set(REFUSALS) == set(TRANSITIONS)


def test_every_listed_name_has_a_meaning_and_every_meaning_a_use() -> None:
    used = {code for codes in REFUSALS.values() for code in codes}
    assert used - set(OF_THE_TABLE) == set(OF_ACTS)
    assert all(meaning.zh and meaning.en for meaning in (*OF_THE_TABLE.values(), *OF_ACTS.values()))


def written_codes(path: Path) -> Iterator[str]:
    """The names in the code: `code="…"` of refusals and field errors, with the open part of a composed one as *."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "code":
            match node.value:
                case ast.Constant(value=str(code)):
                    yield code
                case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]):
                    yield f"{start}*"


def test_the_code_knows_no_other_name() -> None:
    files = [*sorted((DOMAIN / "acts").glob("*.py")), *(DOMAIN / f"{name}.py" for name in ("acting", "transitions"))]
    written = {code for path in (*files, DOMAIN / "decide.py") for code in written_codes(path)}
    composed = {code for code in written if code.endswith("*")}
    assert composed == {"wrong_state_*", "wrong_state_case_*", "wrong_state_leg_*", "wrong_state_rectification_*"}
    of_the_gate = {f"wrong_state_{code}" for code in written_codes(DOMAIN / "gate.py")}
    of_states = ("wrong_state_case_", "wrong_state_leg_", "wrong_state_rectification_")
    known = {code for code in (*OF_ACTS, *OF_THE_TABLE) if not code.startswith(of_states)} | {"wrong_state_leg_open"}
    assert (written - composed) | of_the_gate | {"invalid"} == known


def asked(case: Case, command: ActorCommand, by: Actor) -> list[CaseEvent] | Refusal:
    """What the case answers, which stays as it is."""
    context = Context(stream=CASE_ID, now=case.now, at=case.now, actor=by, library=case.library)
    return decide(CITY, case.known, command, context)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_command_of_every_post_in_every_state_has_one_outcome_with_a_known_name(situation: str) -> None:
    case = SITUATIONS[situation]()
    for command, _entitled in COMMANDS.values():
        known = {*OF_THE_TABLE, *REFUSALS[type(command)]}
        for post, unit in itertools.product(get_args(Post), UNITS.units):
            decision = asked(case, command, actor(unit.code, post, f"{post}-9"))
            if isinstance(decision, Refusal):
                assert decision.code in known
            else:
                assert decision
                assert post in TRANSITIONS[type(command)].posts
                assert post in unit.posts
            if post not in TRANSITIONS[type(command)].posts:
                assert isinstance(decision, Refusal)
                assert decision.code.startswith(("not_entitled_post", "unknown_leg"))


def test_every_refusal_of_the_table_is_reached() -> None:
    nobody, wrong_post = actor("no-such-unit", "leader"), actor("fire-rescue", "leader")
    other_leg, other_post = actor("fire-rescue", "department"), actor("command-centre", "inspector")
    reached = {"unknown_case": refusal(Case().when(*COMMANDS["sign"]))}
    reached["stale_revision"] = refusal(opened().when(sign(2, revision=9), department(MARKET)))
    handler = all_done(started(units=units_with_posts(URBAN, "department", "collector")))
    reached["not_entitled_handler"] = refusal(handler.when(check_passed(), actor(URBAN, "collector")))
    found = set(reached.values())
    for make in SITUATIONS.values():
        case = make()
        for command, entitled in COMMANDS.values():
            for by in (entitled, nobody, wrong_post, other_leg, other_post):
                decision = asked(case, command, by)
                found |= {decision.code} if isinstance(decision, Refusal) else set()
    assert reached == {code: code for code in reached}
    assert found >= set(OF_THE_TABLE)
