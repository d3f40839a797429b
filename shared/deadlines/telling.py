"""What a running clock tells, each once: half of its limit is used, four fifths, all of it (domain 1.7, rule 6)."""

from datetime import datetime
from typing import Final, Literal

from shared.contracts.clocks import Clock

Percent = Literal[50, 80, 100]
Told = Literal[0, 50, 80, 100]
"""What was told of a clock already: how much of the limit was used."""
HALF_USED: Final = 50
MOSTLY_USED: Final = 80
BREACHED: Final = 100


def next_telling(clock: Clock, told: Told) -> tuple[datetime, Percent]:
    """Return when a clock that has not breached tells next, and what."""
    half, most = clock.warn_at
    due_at = clock.due_at
    # What is due at once does not warn before.
    if told < HALF_USED and half < due_at:
        return half, HALF_USED
    if told < MOSTLY_USED and most < due_at:
        return most, MOSTLY_USED
    return due_at, BREACHED


def passed_by(clock: Clock, told: Told) -> tuple[datetime, ...]:
    """Return the deadlines that a clock, which has told this, has passed: they stay told when it is moved away."""
    return clock.passed if told != BREACHED or clock.due_at in clock.passed else (*clock.passed, clock.due_at)


def told_after(told: Told, due_was: datetime, clock: Clock, at: datetime) -> Told:
    """Return what counts as told of a clock that was moved at `at`: what lies behind is not told again.

    A deadline that moves can pass once more; one that has passed before does not.
    """
    if clock.due_at in clock.passed or (told == BREACHED and clock.due_at <= due_was):
        return BREACHED
    half, most = clock.warn_at
    if most <= at:
        return MOSTLY_USED
    return HALF_USED if half <= at else 0
