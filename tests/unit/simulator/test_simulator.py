"""The simulator finds nothing in the ledger, and finds every guarantee that is taken away from its model."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.reliability.simulator.__main__ import main
from tests.reliability.simulator.guarantees import SPARING, Guarantee
from tests.reliability.simulator.plan import Plan, plan_of, rough
from tests.reliability.simulator.runs import first_broken, quiet, run, smallest
from tests.reliability.simulator.statements import UnknownStatementError
from tests.reliability.simulator.statements import plan_of as statement

ROOT = Path(__file__).resolve().parents[3]
SEEDS = 60
TRIED = 200
RARE = {Guarantee.CLOCK_DIFFERENCE: (978, 3055)}
"""Seeds that show what few do."""


@pytest.fixture(autouse=True)
def _without_logs() -> Iterator[None]:
    before = structlog.get_config()
    quiet()
    yield
    structlog.configure(**before)


def test_a_fixed_range_of_seeds_breaks_nothing() -> None:
    outcome = first_broken([*map(plan_of, range(SEEDS)), *map(rough, range(SEEDS // 3))])
    assert outcome is None, outcome


@pytest.mark.parametrize("guarantee", [each for each in Guarantee if each not in SPARING])
def test_without_a_guarantee_a_seed_breaks(guarantee: Guarantee) -> None:
    plans = [each for seed in range(TRIED) for each in (plan_of(seed), rough(seed))]
    plans += map(plan_of, RARE.get(guarantee, ()))
    assert first_broken(plans, {guarantee}) is not None, guarantee.value


def test_a_run_is_the_same_whenever_and_wherever_it_runs() -> None:
    program = (
        "from tests.reliability.simulator.runs import quiet, run, plan_of\n"
        "quiet(); trace = []; run(plan_of(39), trace=trace); print('\\n'.join(trace))"
    )
    for hashes in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONHASHSEED": hashes, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        trace: list[str] = []
        run(plan_of(39), trace=trace)
        assert done.stdout.splitlines() == trace


def test_what_breaks_is_told_by_a_smaller_plan() -> None:
    removed = {Guarantee.REQUEST_KEPT}
    outcome = first_broken(map(rough, range(TRIED)), removed)
    assert outcome is not None
    small = smallest(outcome, removed, neighbours=2)
    assert (small.invariant, small.steps < outcome.steps) == (outcome.invariant, True)


def test_the_command_says_what_it_ran(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "3-5", "--processes", "1"]) == 0
    assert capsys.readouterr().out.startswith("2 runs, ")


def test_a_statement_that_the_model_does_not_know_is_no_silence() -> None:
    with pytest.raises(UnknownStatementError):
        statement("SELECT stream FROM positions JOIN held USING (stream)")


def test_a_run_without_mishaps_ends_well() -> None:
    assert run(Plan(seed=1)).broken is None
