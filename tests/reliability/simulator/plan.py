"""What one run is about: who takes part, and how much goes wrong. A seed makes a plan; a small one tells a bug best."""

from collections.abc import Iterator
from random import Random
from typing import Literal

import msgspec

Kind = Literal["plain", "crash", "refuse", "await", "poison", "\x00"]
_KINDS: tuple[Kind, ...] = ("plain", "plain", "plain", "plain", "crash", "refuse", "await", "poison", "\x00")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a run. `kinds` are the asks; each of `acts` is a department's act on one of them."""

    seed: int
    kinds: tuple[Kind, ...] = ("plain",)
    acts: int = 1
    times: int = 1
    reused: bool = False
    apis: int = 1
    workers: int = 1
    faults: int = 0
    chaos: int = 400
    eagerness: float = 0.1
    uniform: bool = True
    skew_minutes: int = 0


def plan_of(seed: int) -> Plan:
    """Return the plan of a seed."""
    chance = Random(seed)
    return Plan(
        seed=seed,
        kinds=tuple(chance.choice(_KINDS) for _ in range(chance.choice((1, 1, 2)))),
        acts=chance.choice((0, 1, 1, 2)),
        times=chance.choice((1, 2)),
        reused=chance.random() < 0.2,
        apis=chance.choice((1, 2)),
        workers=chance.choice((1, 2, 2)),
        faults=chance.choice((0, 1, 3, 5, 8)),
        uniform=chance.random() < 0.5,
        skew_minutes=chance.choice((0, 0, -90, 90)),
    )


def rough(seed: int) -> Plan:
    """Return a plan of a seed in which much goes wrong where two of everybody work."""
    return Plan(
        seed=seed, kinds=("plain", "plain"), acts=2, times=2, apis=2, workers=2, faults=25, uniform=seed % 2 == 0
    )


def smaller(plan: Plan) -> Iterator[Plan]:
    """Return plans that are a little smaller, the boldest first."""
    replace = msgspec.structs.replace
    if len(plan.kinds) > 1:
        yield replace(plan, kinds=plan.kinds[:1])
        yield replace(plan, kinds=plan.kinds[1:])
    for changes in (
        {"acts": 0},
        {"acts": plan.acts - 1},
        {"times": 1},
        {"reused": False},
        {"apis": 1},
        {"workers": 1},
        {"faults": 0},
        {"faults": plan.faults - 1},
        {"skew_minutes": 0},
        {"chaos": plan.chaos // 2},
        {"chaos": plan.chaos * 9 // 10},
    ):
        tried = replace(plan, **changes)
        if tried != plan and tried.acts >= 0 and tried.faults >= 0:
            yield tried
