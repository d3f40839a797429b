"""`make mutations`: try every mutation, or those whose names are given, and print the table for docs/reliability.md."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.reliability.mutations.catalogue import MUTATIONS, pins_of
from tests.reliability.mutations.mutation import Mutation
from tests.reliability.mutations.workshop import COPIES, Run, Verdict, whole, workshop
from tests.support.servers import addresses, embedded_broker, embedded_postgres


def main(arguments: Sequence[str]) -> int:
    """Try the mutations; return 0 when every one was killed."""
    chosen: Sequence[Mutation] = _parser().parse_args(arguments).chosen or MUTATIONS
    with (
        embedded_broker() as broker,
        embedded_postgres() as postgres,
        workshop(COPIES, addresses(broker, postgres)) as shop,
        ThreadPoolExecutor(COPIES) as pool,
    ):
        before = pool.submit(shop.unchanged, pins_of(chosen))
        verdicts = [_told(verdict) for verdict in pool.map(shop.tried, chosen)]
    print("\n".join((*_table(verdicts), *_problems(before.result(), verdicts))))  # noqa: T201
    return 0 if whole(before.result()) and all(verdict.problem is None for verdict in verdicts) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.reliability.mutations",
        description="Take guarantees out of the code in turn: the tests that pin each must fail. Prints a table.",
    )
    names = "; ".join(mutation.name for mutation in MUTATIONS)
    parser.add_argument("chosen", nargs="*", type=_named, metavar="name", help=f"try those alone, of: {names}")
    return parser


def _named(name: str) -> Mutation:
    for mutation in MUTATIONS:
        if mutation.name == name:
            return mutation
    raise argparse.ArgumentTypeError(f"there is no mutation {name!r}; --help names them all")


def _told(verdict: Verdict) -> Verdict:
    state = "killed" if verdict.problem is None else verdict.problem
    print(f"{verdict.mutation.invariant} {verdict.mutation.name}: {state}", file=sys.stderr, flush=True)  # noqa: T201
    return verdict


def _table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield "| Invariant | Guarantee removed | Killed by | Seconds |"
    yield "|---|---|---|---|"
    for verdict in verdicts:
        mutation = verdict.mutation
        killers = ", ".join(f"`{pin.rpartition('/')[2]}`" for pin in mutation.pins)
        found = killers if verdict.problem is None else "**nothing**"
        yield f"| {mutation.invariant} | {mutation.name}: {mutation.removed} | {found} | {verdict.seconds:.1f} |"


def _problems(before: Run, verdicts: Sequence[Verdict]) -> Iterator[str]:
    killed = sum(verdict.problem is None for verdict in verdicts)
    yield f"\n{killed} of {len(verdicts)} mutations were killed."
    if not whole(before):
        yield f"\nWithout any mutation some of these tests fail already:\n{before.output}"
    yield from (f"\n{verdict.problem}" for verdict in verdicts if verdict.problem is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
