"""Runs of seeds: what breaks, and the smallest plan that breaks in the same way."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from tests.reliability.simulator.guarantees import Guarantee
from tests.reliability.simulator.invariants import check
from tests.reliability.simulator.plan import Plan, plan_of, smaller
from tests.reliability.simulator.watch import Broken
from tests.reliability.simulator.world import World

_NEIGHBOURS: Final = 40


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended: what broke (None: nothing did), after how many acts."""

    plan: Plan
    broken: str | None
    invariant: str | None
    steps: int


def run(plan: Plan, removed: Collection[Guarantee] = (), trace: list[str] | None = None) -> Outcome:
    """Run a plan to its end; the same plan always ends in the same way."""
    world = World(plan, removed, trace)
    try:
        world.run()
        check(world)
    except Broken as broken:
        return Outcome(plan=plan, broken=str(broken), invariant=broken.invariant, steps=world.steps)
    except Exception as error:  # noqa: BLE001 - whatever ends a process of ours is a finding too
        text = f"{type(error).__name__}: {error}"
        return Outcome(plan=plan, broken=text, invariant=type(error).__name__, steps=world.steps)
    finally:
        world.close()
    return Outcome(plan=plan, broken=None, invariant=None, steps=world.steps)


def run_seed(seed: int) -> Outcome:
    """Run the plan of a seed."""
    return run(plan_of(seed))


def quiet() -> None:
    """Log nothing: what is logged as an error is what the simulator provokes."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def first_broken(plans: Iterable[Plan], removed: Collection[Guarantee] = ()) -> Outcome | None:
    """Return the outcome of the first plan that breaks, or None."""
    for plan in plans:
        outcome = run(plan, removed)
        if outcome.broken is not None:
            return outcome
    return None


def smallest(outcome: Outcome, removed: Collection[Guarantee] = (), *, neighbours: int = _NEIGHBOURS) -> Outcome:
    """Return the smallest outcome found that breaks the same invariant; its plan may have another seed."""
    best, found = outcome, True
    while found:
        found = False
        for plan in smaller(best.plan):
            for seed in (best.plan.seed, *range(neighbours)):
                tried = run(msgspec.structs.replace(plan, seed=seed), removed)
                if tried.invariant == outcome.invariant and tried.steps <= best.steps:
                    best, found = tried, True
                    break
            if found:
                break
    return best
