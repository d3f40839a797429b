"""What a simulated process waits for: each act is one point at which the scheduler may let anybody else go first."""

from collections.abc import Callable, Generator
from typing import Any, Final

BLOCKED: Final = object()
"""What an act returns that must wait for somebody else; it is run again when it is `ready`."""


class Act:
    """Awaited by a process, run by the scheduler when it chooses so: the far side's work, then the answer."""

    __slots__ = ("_seen", "label", "ready", "run", "version")

    def __init__(
        self,
        label: str,
        run: Callable[[], Any],
        ready: Callable[[], bool] | None = None,
        version: Callable[[], int] | None = None,
    ) -> None:
        self.label = label
        self.run = run
        self.ready = ready
        self.version = version
        self._seen = -1

    def runnable(self) -> bool:
        """Say whether it can be run; what was not, is not while the version is the same."""
        if self.ready is None:
            return True
        if self.version is not None:
            now = self.version()
            if now == self._seen:
                return False
            self._seen = now
        if self.ready():
            self._seen = -1
            return True
        return False

    def __await__(self) -> Generator["Act", Any, Any]:
        return (yield self)


def until(label: str, ready: Callable[[], bool], version: Callable[[], int] | None = None) -> Act:
    """Return an act that does nothing but wait for a condition, which changes with the version alone."""
    return Act(label, _nothing, ready, version)


def _nothing() -> None:
    return None
