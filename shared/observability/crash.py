"""Named points at which a test may kill the process: what SIGKILL leaves behind is exactly what a power cut would.

Nothing happens at a point unless the process was configured for it.
"""

import os
import signal
from dataclasses import dataclass
from typing import Final, Literal, get_args

CrashPoint = Literal[
    "consumer_before_handle",
    "consumer_after_handle_before_ack",
    "consumer_after_ack",
    "consume_before_commit",
    "consume_after_commit",
    "receive_before_commit",
    "receive_after_commit",
    "execute_before_commit",
    "execute_after_commit",
    "relay_before_send",
    "relay_after_send_before_delete",
    "relay_after_delete_before_commit",
    "timers_before_fire",
    "timers_after_fire",
]
CRASH_POINTS: Final[tuple[CrashPoint, ...]] = get_args(CrashPoint)


@dataclass(slots=True)
class _Plan:
    point: CrashPoint | None = None
    remaining: int = 0
    sends: signal.Signals = signal.SIGKILL


_plan: Final = _Plan()


def configure(spec: str | None) -> None:
    """Choose where this process dies: `name` or `name:nth` (the nth time, from 1); None or "" nowhere.

    With `name:nth:stop` it does not die there but stands still until it gets SIGCONT.

    Raises:
        ValueError: if there is no such point, or nth is not a positive number, or the rest is not `stop`.
    """
    name, _, rest = (spec or "").partition(":")
    nth, _, how = rest.partition(":")
    if not name:
        _plan.point = None
        return
    if name not in CRASH_POINTS:
        raise ValueError(f"There is no crash point {name!r}; there are {', '.join(CRASH_POINTS)}.")
    remaining = int(nth or "1")
    if remaining < 1:
        raise ValueError(f"A crash point is reached for the 1st, 2nd … time, not for the {remaining}th.")
    if how not in {"", "stop"}:
        raise ValueError(f"At a crash point a process dies, or stands still with `stop`; it cannot {how!r}.")
    _plan.point, _plan.remaining = name, remaining
    _plan.sends = signal.SIGSTOP if how else signal.SIGKILL


def reach(point: CrashPoint) -> None:
    """Say that execution has come to this point; kills (or stops) the process when it was configured for it."""
    if _plan.point != point:
        return
    _plan.remaining -= 1
    if _plan.remaining == 0:
        os.kill(os.getpid(), _plan.sends)
