"""How long to wait after a failure: twice as long each time, up to a bound, never all at once."""

import asyncio
import contextlib
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits between attempts, in seconds: `first` after the first failure, doubled with each, at most `most`."""

    first: float
    most: float

    def bound(self, failures: int) -> float:
        """Return the longest wait after that many failures in a row (from 1)."""
        return min(self.most, self.first * 2.0 ** min(failures - 1, 60))

    def jittered(self, failures: int) -> float:
        """Return a wait between half the bound and the bound, so that replicas do not come back together."""
        return self.bound(failures) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing


def brief(error: BaseException) -> str:
    """Return an error's class and first line: what follows may quote statements and values."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


async def pause(seconds: float, stopping: asyncio.Event) -> None:
    """Wait, but no longer than until the process is told to stop."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
