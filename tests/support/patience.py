"""How often a test that waits looks again: soon at first, then less and less, for looking takes the tests' own time."""

from collections.abc import Iterator
from typing import Final

_FIRST_SECONDS: Final = 0.02
_LONGEST_SECONDS: Final = 0.25
_GROWTH: Final = 1.2


def pauses() -> Iterator[float]:
    """Yield the seconds to sleep after each look, for ever."""
    pause = _FIRST_SECONDS
    while True:
        yield pause
        pause = min(pause * _GROWTH, _LONGEST_SECONDS)
