"""What failed waits by its own count of failures, while everything else goes on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

N = TypeVar("N", str, UUID)
"""What can be set aside: a topic, a stream."""


@dataclass(slots=True)
class _Trouble:
    failures: int
    until: float


class SetAside(Generic[N]):
    """Names that wait: `first` seconds after the first failure, doubled with each, at most `most`.

    Pure: time, in seconds, is an argument.
    """

    def __init__(self, *, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._troubles: dict[N, _Trouble] = {}

    def failed(self, name: N, now: float) -> float:
        """Set the name aside; return for how long, in seconds."""
        failures = self._troubles[name].failures + 1 if name in self._troubles else 1
        wait = min(self._most, self._first * 2.0 ** min(failures - 1, 60))
        self._troubles[name] = _Trouble(failures, now + wait)
        return wait

    def succeeded(self, name: N) -> bool:
        """Forget the name's failures; say whether it had any."""
        return self._troubles.pop(name, None) is not None

    def waiting(self, now: float) -> list[N]:
        """Return the names that must not be tried yet."""
        return sorted(name for name, trouble in self._troubles.items() if trouble.until > now)

    def keep(self, names: Iterable[N]) -> None:
        """Forget the failures of all other names."""
        kept = set(names)
        self._troubles = {name: trouble for name, trouble in self._troubles.items() if name in kept}
