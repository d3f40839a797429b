"""The colour of a clock at an instant: what an operator sees first."""

from datetime import datetime
from typing import Final, Literal

from shared.contracts.clocks import Clock

Colour = Literal["green", "yellow", "red"]
"""正常; 预警: four fifths of the limit are used; 超期: the deadline is reached or past."""
COLOURS: Final[tuple[Colour, ...]] = ("green", "yellow", "red")


def yellow_from(clock: Clock) -> datetime:
    """Return the instant from which a running clock is yellow."""
    return clock.warn_at[1]


def colour_of(clock: Clock, now: datetime) -> Colour:
    """Return the colour of a running clock; one that stands still has none."""
    if now >= clock.due_at:
        return "red"
    return "yellow" if now >= yellow_from(clock) else "green"
