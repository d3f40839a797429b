"""Copies of the working tree in which mutations are tried: apply one, run its pins, put the file back."""

import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from tests.reliability.mutations.mutation import Mutation
from tests.reliability.mutations.witness import TESTIMONY

ROOT: Final = Path(__file__).resolve().parents[3]
COPIES: Final = 2
"""As many mutations are tried at once."""
_COPIED: Final = ("services", "shared", "deploy", "tests", "pyproject.toml")
_LEFT_OUT: Final = shutil.ignore_patterns("node_modules", ".hypothesis")
_PLUGINS: Final = (
    # Only what our tests need: half of a short run is what other installed plugins import.
    "--disable-plugin-autoload",
    *(
        "-p",
        "no:cacheprovider",
        "-p",
        "pytest_asyncio.plugin",
        "-p",
        "pytest_timeout",
        "-p",
        "_hypothesis_pytestplugin",
    ),
    *("-p", f"{__package__}.witness"),
)
_TESTS_FAILED: Final = 1
_ALL_PASSED: Final = 0
_NOT_ENDED: Final = -1
_START_SECONDS: Final = 120.0
_PIN_SECONDS: Final = 90.0
_SHOWN_CHARACTERS: Final = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What pytest did in a copy. `failed` are tests without their parameters; `broken` could not be set up."""

    exit_code: int
    failed: frozenset[str]
    broken: frozenset[str]
    seconds: float
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a mutation; `problem` says why it does not count as killed, None when it does."""

    mutation: Mutation
    seconds: float
    problem: str | None


class Workshop:
    """Some copies, so that as many mutations can be tried at once. `environment` names the servers that run already."""

    def __init__(self, copies: Sequence[Path], environment: Mapping[str, str]) -> None:
        self._free: queue.Queue[Path] = queue.Queue()
        for copy in copies:
            self._free.put(copy)
        self._environment = environment

    def unchanged(self, pins: Sequence[str]) -> Run:
        """Run tests in a copy as it is."""
        with self._copy() as copy:
            return _run(copy, pins, self._environment)

    def tried(self, mutation: Mutation) -> Verdict:
        """Apply the mutation in a copy, run its pins, and put the file back.

        Raises:
            StaleMutationError: when its text does not occur exactly once.
        """
        with self._copy() as copy, mutation.applied(copy):
            run = _run(copy, mutation.pins, self._environment)
        return Verdict(mutation=mutation, seconds=run.seconds, problem=_problem(mutation, run))

    @contextmanager
    def _copy(self) -> Iterator[Path]:
        copy = self._free.get()
        try:
            yield copy
        finally:
            self._free.put(copy)


@contextmanager
def workshop(copies: int, environment: Mapping[str, str]) -> Iterator[Workshop]:
    """Copy the working tree some times; the copies are deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="joint-mutations-") as folder:
        paths = [Path(folder) / str(number) for number in range(copies)]
        for path in paths:
            _copy_tree(path)
        yield Workshop(paths, environment)


def _copy_tree(target: Path) -> None:
    target.mkdir()
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=_LEFT_OUT)
        else:
            shutil.copy2(source, target / name)


def _run(copy: Path, pins: Sequence[str], servers: Mapping[str, str]) -> Run:
    testimony = copy / "testimony.json"
    testimony.unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {**servers, "PYTHONPATH": str(copy), TESTIMONY: str(testimony)}
    options = (*_PLUGINS, "--timeout=90", "--tb=short")
    started = monotonic()
    exit_code, output = _ended(copy, [sys.executable, "-m", "pytest", *options, *pins], environment, len(pins))
    seen: dict[str, list[str]] = json.loads(testimony.read_text(encoding="utf-8")) if testimony.is_file() else {}
    return Run(
        exit_code=exit_code,
        failed=frozenset(_without_parameters(node) for node in seen.get("failed", ())),
        broken=frozenset(_without_parameters(node) for node in seen.get("broken", ())),
        seconds=monotonic() - started,
        output=output[-_SHOWN_CHARACTERS:],
    )


def _ended(folder: Path, command: Sequence[str], environment: Mapping[str, str], pins: int) -> tuple[int, str]:
    """Return exit code and output of a run; one that does not end in time has failed to run."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_START_SECONDS + pins * _PIN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return _NOT_ENDED, f"The run did not end within {late.timeout:.0f} s."
    return done.returncode, done.stdout.decode(errors="replace")


def _without_parameters(node: str) -> str:
    return node.partition("[")[0]


def _problem(mutation: Mutation, run: Run) -> str | None:
    if run.exit_code == _ALL_PASSED:
        return f"{mutation.name!r} survives: no test noticed that {mutation.removed}"
    if run.exit_code != _TESTS_FAILED or run.broken:
        return f"{mutation.name!r}: the tests did not fail, they could not be run:\n{run.output}"
    silent = sorted(set(mutation.pins) - run.failed)
    if silent:
        return f"{mutation.name!r} is not noticed by {', '.join(silent)}"
    return None


def whole(run: Run) -> bool:
    """Say whether all tests passed."""
    return run.exit_code == _ALL_PASSED and not run.failed and not run.broken
