"""The closure gate (I-11) judges the state that it is given, whatever led to it."""

import msgspec
import pytest

from services.dispatch.domain.gate import obstacles
from services.dispatch.domain.legs import LegState
from tests.support.cases import checked, handled, opened
from tests.support.lawful import cleared


def codes(case_legs: tuple[LegState, ...]) -> list[str]:
    state = msgspec.structs.replace(checked().known, legs=case_legs)
    return [obstacle.code for obstacle in obstacles(state)]


def test_nothing_stands_in_the_way_of_a_handled_and_checked_case() -> None:
    assert obstacles(checked().known) == ()


def test_a_case_without_legs_never_closes() -> None:
    assert codes(()) == ["no_single_lead"]


@pytest.mark.parametrize("roles", [("lead", "lead", "support"), ("support", "support", "support")])
def test_a_case_has_exactly_one_lead_leg(roles: tuple[str, ...]) -> None:
    legs = tuple(msgspec.structs.replace(leg, role=role) for leg, role in zip(checked().known.legs, roles, strict=True))
    assert codes(legs) == ["no_single_lead"]


@pytest.mark.parametrize("state", ["assigned", "handling", "return_pending"])
def test_every_leg_is_done_or_waived(state: str) -> None:
    first, *rest = checked().known.legs
    assert codes((msgspec.structs.replace(first, state=state), *rest)) == ["leg_open"]
    assert codes((first, *(msgspec.structs.replace(leg, state="waived") for leg in rest))) == []


@pytest.mark.parametrize("stage", ["ordered", "claimed", "not_cleared", "enforced"])
def test_every_ordered_re_inspection_has_passed(stage: str) -> None:
    first, *rest = checked().known.legs
    track = cleared().leg(2).rectification
    assert track is not None
    assert codes((msgspec.structs.replace(first, rectification=track), *rest)) == []
    under_order = msgspec.structs.replace(track, stage=stage)
    assert codes((msgspec.structs.replace(first, rectification=under_order), *rest)) == ["reinspection_open"]


def test_a_check_has_passed() -> None:
    assert [obstacle.code for obstacle in obstacles(handled().known)] == ["not_checked"]
    assert [obstacle.field for obstacle in obstacles(opened().known)] == ["legs.1", "legs.2", "legs.3", "check"]
