"""`python -m tests.reliability.simulator --seeds 0-100000`: run seeds; tell what breaks by its smallest trace."""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Iterator

from tests.reliability.simulator.runs import Outcome, quiet, run, run_seed, smallest

_CHUNK = 20


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when no seed breaks, 1 with its trace when one does."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.simulator", description=__doc__)
    parser.add_argument("--seeds", default="0-20000", help="from-to; the last one is not run")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    first, _, end = chosen.seeds.partition("-")
    seeds = range(int(first), int(end or int(first) + 1))
    started, runs, steps = time.monotonic(), 0, 0
    for outcome in _outcomes(seeds, chosen.processes):
        runs, steps = runs + 1, steps + outcome.steps
        if outcome.broken is not None:
            _tell(outcome)
            return 1
    seconds = time.monotonic() - started
    sys.stdout.write(
        f"{runs} runs, {steps} steps, nothing found; {runs / seconds:.0f} runs/s, {steps / seconds:.0f} steps/s "
        f"in {seconds:.1f} s\n"
    )
    return 0


def _outcomes(seeds: Iterable[int], processes: int) -> Iterator[Outcome]:
    if processes == 1:
        quiet()
        yield from map(run_seed, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes, initializer=quiet) as pool:
        yield from pool.imap(run_seed, seeds, _CHUNK)


def _tell(outcome: Outcome) -> None:
    quiet()
    sys.stdout.write(f"seed {outcome.plan.seed} breaks after {outcome.steps} steps: {outcome.broken}\n")
    small = smallest(outcome)
    trace: list[str] = []
    run(small.plan, trace=trace)
    sys.stdout.write("\n".join([f"the smallest that breaks alike: {small.plan}", *trace, f"{small.broken}\n"]))


if __name__ == "__main__":
    sys.exit(main())
