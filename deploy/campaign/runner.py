"""Plays a campaign on a running system and compares what analytics answers with what the plan expects."""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from deploy.campaign.answers import open_cases_of, read_figures, read_total
from deploy.campaign.assignment import Assignment
from deploy.campaign.company import Company
from deploy.campaign.display import Display
from deploy.campaign.door import Door
from deploy.campaign.expectation import Figures, Tally, differences, expect
from deploy.campaign.gauges import Gauge, Gauges
from deploy.campaign.outcome import Outcome
from deploy.campaign.plan import Plan
from deploy.campaign.problems import expand
from deploy.campaign.stage import Stage, cast, scene_of
from shared.kernel.clock import SystemClock

_LOOK_SECONDS: Final = 0.5
_STILL_SECONDS: Final = 2.0
"""So long nothing may move after the expected figures are reached: a case too many would close meanwhile."""
_PATIENCE_SECONDS: Final = 45.0
"""After so long without any movement the campaign is over, whatever the figures are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One campaign that is to be played: its plan under a code, and when it began."""

    plan: Plan
    code: str
    since: datetime
    folder: Path


def prepare(stage: Stage, plan: Plan, code: str | None) -> Campaign:
    """Return the campaign `code`, or a new one named by the plan's code and the time.

    A code that was played before is played on: the same submissions under the same ids, which have no second effect.
    """
    now = SystemClock().now()
    name = code or f"{plan.campaign.code}-{now.astimezone():%m%d-%H%M%S}"
    folder = stage.home.root / "campaigns" / name
    folder.mkdir(parents=True, exist_ok=True)
    begun = folder / "since.json"
    if not begun.exists():
        begun.write_bytes(msgspec.json.encode(now))
    return Campaign(plan=plan, code=name, since=msgspec.json.decode(begun.read_bytes(), type=datetime), folder=folder)


async def play(stage: Stage, campaign: Campaign, console: Console) -> Outcome:
    """Play the campaign to its end.

    Raises:
        PlanProblem: when the plan does not fit what the system publishes.
        SystemFailure: when a party's program ended by itself.
        Unreachable: when a service did not answer for long.
    """
    async with stage.reader() as door:
        scene = await scene_of(door, campaign.plan.campaign.catalogue)
        problems = expand(campaign.plan, scene, campaign.code)
        expected = expect(problems)
        assignments = cast(stage, scene, problems, campaign.since, campaign.folder) if problems else []
        troubles = await _perform(stage, campaign, assignments, expected, door, console) if problems else []
        answered = await read_figures(door, campaign.code)
        return Outcome(
            code=campaign.code,
            title_zh=campaign.plan.campaign.title_zh,
            title_en=campaign.plan.campaign.title_en,
            expected=expected,
            answered=answered,
            differences=tuple(differences(expected, answered)),
            open_cases=tuple(await open_cases_of(door, campaign.code)),
            troubles=tuple(troubles),
        )


async def _perform(
    stage: Stage,
    campaign: Campaign,
    assignments: Sequence[Assignment],
    expected: Figures,
    door: Door,
    console: Console,
) -> list[str]:
    """Start the parties, show what happens until nothing moves any more, end them; return their troubles."""
    company = Company(stage.home, campaign.folder, assignments, sys.executable)
    stillness = _Stillness()
    try:
        with Display(console, expected.total) as display:
            async with Gauges(stage.processes) as gauges:
                while True:
                    company.listen()
                    total, read = await asyncio.gather(read_total(door, campaign.code), gauges.read())
                    display.show(total, read, company.counts)
                    if await _over(company, total, read, expected, door, campaign.code, stillness):
                        return company.troubles
                    await asyncio.sleep(_LOOK_SECONDS)
    finally:
        company.end()


class _Stillness:
    """For how long the same thing was seen."""

    def __init__(self) -> None:
        self._seen: object = None
        self._since = time.monotonic()

    def seconds(self, seen: object) -> float:
        if seen != self._seen:
            self._seen, self._since = seen, time.monotonic()
        return time.monotonic() - self._since


async def _over(
    company: Company,
    total: Tally,
    gauges: dict[str, Gauge | None],
    expected: Figures,
    door: Door,
    code: str,
    stillness: _Stillness,
) -> bool:
    """Tell whether nothing moves any more and the figures are there, or nothing has moved for a long time."""
    counts = msgspec.json.encode(company.counts)
    still = stillness.seconds((total, counts))
    if still > _PATIENCE_SECONDS:
        return True
    if still < _STILL_SECONDS or total != expected.total or not company.sources_done:
        return False
    if not all(gauge is not None and gauge.still for gauge in gauges.values()):
        return False
    return not differences(expected, await read_figures(door, code))
