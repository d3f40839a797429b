"""A campaign through topics and HTTP alone gives the figures that its plan expects, whatever is killed meanwhile."""

import asyncio
import io
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.console import Console

from deploy.campaign.answers import read_total
from deploy.campaign.display import figures_line
from deploy.campaign.outcome import Outcome
from deploy.campaign.plan import DEFAULT_PLAN, PLANS, load_plan
from deploy.campaign.runner import Campaign, play, prepare
from deploy.campaign.stage import Stage
from deploy.embedded.processes import remembered_process
from deploy.embedded.services import PROCESSES
from deploy.embedded.settings import PROJECT_ROOT
from tests.support.command import joint
from tests.support.parties import eventually

pytestmark = pytest.mark.timeout(240)


def quiet() -> Console:
    return Console(file=io.StringIO())


async def played(stage: Stage, campaign: Campaign) -> Outcome:
    return await play(stage, campaign, quiet())


@pytest.fixture(scope="module")
def small(stage: Stage) -> Outcome:
    """Return what came out of the plan with every kind of deviation, under the code `small-1`."""
    return asyncio.run(played(stage, prepare(stage, load_plan(PLANS / "small.toml"), "small-1")))


@asynccontextmanager
async def killing_each_process_once(stage: Stage, campaign: Campaign) -> AsyncIterator[list[str]]:
    """Kill one service process after the other while problems are being reported and closed; give the killed ones."""
    killed: list[str] = []

    async def kill_all() -> None:
        async with stage.reader() as door:
            total = campaign.plan.campaign.problems
            for number, name in enumerate(PROCESSES):
                while (await read_total(door, campaign.code)).closed < number * total // 10:
                    await asyncio.sleep(0.1)
                process = remembered_process(stage.home.pid_file(name))
                assert process is not None, f"{name} does not run"
                process.kill()
                killed.append(f"{name} {process.pid}")

    killing = asyncio.create_task(kill_all())
    try:
        yield killed
    finally:
        killing.cancel()


def test_a_campaign_with_every_kind_of_deviation_ends_as_planned(small: Outcome) -> None:
    assert not small.differences, "\n".join(small.differences)
    assert not small.troubles, "\n".join(small.troubles)
    assert len(small.open_cases) == sum(small.expected.open_cases.values())
    assert all(zh and en for case in small.open_cases for zh, en in case.sentences)


async def test_a_campaign_played_again_under_its_code_changes_nothing(stage: Stage, small: Outcome) -> None:
    again = await played(stage, prepare(stage, load_plan(PLANS / "small.toml"), small.code))
    assert not again.differences, "\n".join(again.differences)
    assert {case.case_id for case in again.open_cases} == {case.case_id for case in small.open_cases}


async def test_the_campaign_of_the_source_report_survives_each_process_being_killed(stage: Stage) -> None:
    campaign = prepare(stage, load_plan(DEFAULT_PLAN), None)
    async with killing_each_process_once(stage, campaign) as killed:
        outcome = await played(stage, campaign)
    assert not outcome.differences, "\n".join(outcome.differences)
    assert figures_line(outcome.answered) == "344 reported · 338 closed · 98.26 %"
    assert len(outcome.open_cases) == 6
    assert [line.split()[0] for line in killed] == list(PROCESSES)
    running = {name: remembered_process(stage.home.pid_file(name)) for name in PROCESSES}
    await eventually(lambda: all(running.values()), "every process runs again")
    assert not {f"{name} {process.pid}" for name, process in running.items() if process} & set(killed)


def test_an_empty_plan_is_nothing_of_nothing(stage: Stage) -> None:
    """As a program of its own: what `make campaign PLAN=file` calls."""
    command = [sys.executable, "-c", "from deploy.cli import main; main()"]
    arguments = ["campaign", "--plan", str(PLANS / "empty.toml")]
    done = subprocess.run(
        [*command, *arguments], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "0 reported · 0 closed · —"


def test_a_figure_that_differs_from_the_plan_is_named_and_fails(small: Outcome) -> None:
    done = joint("campaign", "--plan", str(PLANS / "empty.toml"), "--code", small.code)
    assert done.code == 3
    assert "reported: the plan expects 0, analytics answers 16" in done.out


def test_a_plan_that_cannot_be_used_is_refused_with_its_own_exit_code(stage: Stage, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text((PLANS / "small.toml").read_text(encoding="utf-8").replace("E0136", "E9999"), encoding="utf-8")
    done = joint("campaign", "--plan", str(plan))
    assert done.code == 2
    assert "no category E9999" in done.err
