"""`python -m tests.bench [part …] [--quick]`: run parts of the bench one after the other.

Prints a table a part, writes every value to a file below `.bench/`, and prints as its last line one JSON object with
the summaries of all parts.
"""

import argparse
import asyncio
import importlib
import json
import sys
from collections.abc import Sequence
from typing import Final, cast

from rich.console import Console

from tests.bench.result import Result, Scale, merged, save, show

PARTS: Final = ("stage", "raw", "http", "lifecycle", "latency", "timers", "million", "deadlines", "profile")
DEFAULT: Final = PARTS[:-1]
"""The profile slows down what it looks at: it runs when it is asked for."""


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments ask for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)}; none: all but the profile")
    parser.add_argument("--quick", action="store_true", help="small counts: does everything work?")
    asked = parser.parse_args(arguments)
    unknown = set(asked.parts) - set(PARTS)
    if unknown:
        parser.error(f"There is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}.")
    console = Console(width=140, highlight=False)
    scale = Scale(quick=asked.quick)
    results: list[Result] = []
    for part in asked.parts or DEFAULT:
        console.print(f"[bold]{part}[/bold]")
        results.append(_run(part, scale))
        show(results[-1], console)
    console.print(f"Every value: {save(results)}")
    sys.stdout.write(json.dumps({name: round(value, 4) for name, value in merged(results).items()}) + "\n")
    return 0


def _run(part: str, scale: Scale) -> Result:
    module = importlib.import_module(f"tests.bench.{part}")
    return cast("Result", asyncio.run(module.run(scale)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
