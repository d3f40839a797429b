"""Whether a process can do its work: named checks, each of which says what is wrong or nothing; no I/O, no HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Check = Callable[[], str | None]
"""Returns what is wrong, for an operator to read, or None. Looks at facts at hand; never waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The verdict of all checks; `problems` says what is wrong by the name of the check."""

    problems: Mapping[str, str]

    @property
    def ready(self) -> bool:
        """Say whether every check passed."""
        return not self.problems


class Health:
    """The checks of one process. `/readyz` serves `readiness()`; `/healthz` needs only that the process answers."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        """Add a check.

        Raises:
            ValueError: if there is one of that name.
        """
        if name in self._checks:
            raise ValueError(f"There is a health check {name!r} already.")
        self._checks[name] = check

    def readiness(self) -> Readiness:
        """Run all checks; one that raises counts as failed, so that a broken check never looks healthy."""
        found = {name: _verdict(check) for name, check in self._checks.items()}
        return Readiness(problems={name: problem for name, problem in found.items() if problem is not None})


def _verdict(check: Check) -> str | None:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever a check raises, the process is not known to be well
        return f"the check failed: {type(error).__name__}: {error}"
