"""Whether a process can do its work: named checks, each of which says what is wrong or nothing; no I/O, no HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Check = Callable[[], str | None]
"""Returns what is wrong, for an operator to read, or None. Looks at facts at hand; never waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The verdict of all checks; `problems` says what is wrong by the name of the check.

    `notices` says what somebody has to look at though the process does its work.
    """

    problems: Mapping[str, str]
    notices: Mapping[str, str]

    @property
    def ready(self) -> bool:
        """Say whether every check passed."""
        return not self.problems


class Health:
    """The checks of one process. `/readyz` serves `readiness()`; `/healthz` needs only that the process answers."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._notices: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        """Add a check.

        Raises:
            ValueError: if there is one of that name.
        """
        if name in self._checks:
            raise ValueError(f"There is a health check {name!r} already.")
        self._checks[name] = check

    def add_notice(self, name: str, check: Check) -> None:
        """Add something to be told that keeps the process from nothing."""
        self._notices[name] = check

    def readiness(self) -> Readiness:
        """Run all checks; one that raises counts as failed, so that a broken check never looks healthy."""
        return Readiness(problems=_said(self._checks), notices=_said(self._notices))


def _said(checks: Mapping[str, Check]) -> dict[str, str]:
    found = {name: _verdict(check) for name, check in checks.items()}
    return {name: said for name, said in found.items() if said is not None}


def _verdict(check: Check) -> str | None:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever a check raises, the process is not known to be well
        return f"the check failed: {type(error).__name__}: {error}"
