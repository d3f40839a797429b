"""`make soak`: a city under the campaign's load and under chaos, and at its end the proof that nothing was lost.

    python -m tests.reliability.soak --minutes 60 --seed 4711 --rate 1

Prints one block of Markdown for docs/reliability.md; exits with 1 when anything was found.
"""

import asyncio
import logging
import random
import resource
import secrets
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import cyclopts

from tests.bench.machine import describe
from tests.reliability.city import City, running_city
from tests.reliability.history.check import judge, read
from tests.reliability.history.city import CheckedCity
from tests.reliability.history.copies import later_copies
from tests.reliability.history.facts import Facts, Finding
from tests.reliability.history.read_history import read_faults
from tests.reliability.history.recount import kind_of
from tests.reliability.soak_chaos import SECOND_APIS, Chaos
from tests.reliability.soak_load import SteadyLoad
from tests.support.servers import temporary_home

_PAUSE: Final = (2.0, 12.0)
_SETTLE_SECONDS: Final = 300.0
_SHOWN: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """What a soak came to."""

    begun: datetime
    seconds: float
    settled_seconds: float
    checked_seconds: float
    seed: int
    load: SteadyLoad
    faults: Sequence[str]
    facts: Facts
    findings: Sequence[Finding]
    troubles: Sequence[str]

    @property
    def clean(self) -> bool:
        """Whether nothing was found and nothing went otherwise than it should."""
        return not self.findings and not self.troubles


async def soak(city: City, *, seconds: float, seed: int, rate: float) -> Soak:
    """Let load and chaos run for so long, let everything settle, and check."""
    begun, started = datetime.now(UTC), time.monotonic()
    chance = random.Random(seed)
    chaos, load = Chaos(city, random.Random(chance.random())), SteadyLoad(city, chance, rate=rate)
    for name in SECOND_APIS:
        chaos.start(name)
    await city.ready()
    async with asyncio.TaskGroup() as group:
        group.create_task(chaos.reign(seconds, _PAUSE))
        group.create_task(load.go_on(seconds))
    played = time.monotonic()
    chaos.look_for_the_dead()
    await city.ready()
    await city.wait_until_quiet(_SETTLE_SECONDS)
    settled = time.monotonic()
    facts = await read(city.history.path, CheckedCity(stage=city.stage))
    findings = judge(facts)
    return Soak(
        begun=begun,
        seconds=played - started,
        settled_seconds=settled - played,
        checked_seconds=time.monotonic() - settled,
        seed=seed,
        load=load,
        faults=read_faults(city.history.path),
        facts=facts,
        findings=findings,
        troubles=[*chaos.unexpected, *load.troubles],
    )


def summary(result: Soak) -> Iterator[str]:
    """Yield the lines of the block for docs/reliability.md."""
    facts, load = result.facts, result.load
    machine = ", ".join(f"{name} {value}" for name, value in describe().items())
    kinds = Counter(kind_of(event) for event in facts.published if event.topic != "dispatch.reference")
    faults = Counter(result.faults)
    answers = sum(len(asked.answers) for asked in facts.asked.values())
    rows = {
        "machine": machine,
        "begun, length": f"{result.begun:%Y-%m-%d %H:%M} UTC, {result.seconds / 60:.1f} minutes under load and chaos",
        "settled, checked": f"{result.settled_seconds:.0f} s, {result.checked_seconds:.0f} s",
        "seed": str(result.seed),
        "cases": f"{kinds['opened']} opened, {kinds['closed']} closed",
        "events": f"{len(facts.stored)} in the ledgers, {len(facts.published)} records on their topics",
        "faults": ", ".join(f"{name} {count}" for name, count in sorted(faults.items())) or "none",
        "requests": f"{len(facts.asked)} asked, {sum(asked.attempts for asked in facts.asked.values())} times",
        "answers": f"{answers} heard, {len(facts.receipts)} receipts on topics, {len(facts.requests)} answers kept",
        "unknown to the client": f"{sum(asked.unknown for asked in facts.asked.values())} attempts, "
        f"{load.given_up} cases given up",
        "repeats on the topics": str(sum(1 for _ in later_copies(facts))),
        "held": str(len(facts.held)),
        "memory of the checker": f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB",
        "`joint verify`, `joint rebuild`": "something differs" if facts.verdicts else "everything is equal",
        "findings": str(len(result.findings) + len(result.troubles)),
    }
    yield "| Soak | |"
    yield "|---|---|"
    yield from (f"| {name} | {value} |" for name, value in rows.items())
    found = [*map(str, result.findings), *result.troubles]
    yield from (f"- {line}" for line in found[:_SHOWN])


def main(*, minutes: float = 60.0, seed: int | None = None, rate: float = 1.0, keep: Path | None = None) -> int:
    """Soak a city and print what came of it.

    Parameters
    ----------
    minutes
        How long load and chaos last; fractions are allowed.
    seed
        What all chance comes from; printed.
    rate
        How many new cases a second.
    keep
        Where the history and the logs go when something was found.
    """
    chosen = secrets.randbelow(10**6) if seed is None else seed
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # clients say at length that the broker is away
    _say(f"seed {chosen}")
    with _city() as city:
        result = asyncio.run(soak(city, seconds=minutes * 60, seed=chosen, rate=rate))
        if keep is not None and not result.clean:
            shutil.copytree(city.stage.home.logs, keep / "logs", dirs_exist_ok=True)
            shutil.copy(city.history.path, keep / "history.jsonl")
    for line in summary(result):
        _say(line)
    return 0 if result.clean else 1


@contextmanager
def _city() -> Iterator[City]:
    with temporary_home(on_disk=True) as home, running_city(home, home.root / "history.jsonl") as city:
        yield city


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(cyclopts.App(default_command=main, result_action="return_value")())
