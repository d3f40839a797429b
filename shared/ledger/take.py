"""What of an incoming stream may be taken now (I-6, I-7): pure, one stream at a time.

`sequence <= position` is a repeat, `> position + 1` a gap that waits until the hole is filled; a dead letter stops
its own stream and nobody else's.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from shared.ledger.commands import Delivery

UNREADABLE: Final = "unreadable"
"""The reason of a dead letter that nobody could read: which event it is, is a guess."""


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a stream: new, or held before (`held_id`). A dead one has a reason (and no readable event).

    `released` marks a held one whose reason an operator removed for another try.
    """

    delivery: Delivery
    held_id: int | None = None
    reason: str | None = None
    detail: str | None = None
    released: bool = False


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one stream's arrivals.

    `next`: to be handled now, in order, starting at position + 1. `waiting`: new ones that lie behind a gap or a
    dead letter, to be held without reason. `dead`: new ones that are dead letters, to be held with their reason.
    `displaced`: unreadable ones, new or held, whose place is that of an event that has arrived now, to be held
    elsewhere. `repeats`: how many were taken before or are held already.
    """

    next: Sequence[Arrival]
    waiting: Sequence[Arrival]
    dead: Sequence[Arrival]
    displaced: Sequence[Arrival]
    repeats: int


def take(position: int, held: Iterable[Arrival], new: Iterable[Arrival]) -> Taken:
    """Decide what of a stream may be handled.

    Args:
        position: the last sequence that was taken; 0 for a new stream.
        held: what is held of this stream already.
        new: what has just arrived of it, in any order, repeats included.
    """
    known = {arrival.delivery.sequence: arrival for arrival in held}
    repeats = 0
    displaced: list[Arrival] = []
    for arrival in new:
        sequence = arrival.delivery.sequence
        there = known.get(sequence)
        if sequence <= position or (there is not None and not _displaces(arrival, there)):
            repeats += 1
            continue
        if there is not None:
            displaced.append(there)
        known[sequence] = arrival
    upcoming: list[Arrival] = []
    sequence = position + 1
    while sequence in known and known[sequence].reason is None:
        upcoming.append(known.pop(sequence))
        sequence += 1
    rest = [known[key] for key in sorted(known) if known[key].held_id is None]
    return Taken(
        next=upcoming,
        waiting=[arrival for arrival in rest if arrival.reason is None],
        dead=[arrival for arrival in rest if arrival.reason is not None],
        displaced=displaced,
        repeats=repeats,
    )


def _displaces(arrival: Arrival, there: Arrival) -> bool:
    """Say whether the event that arrives shows that what was taken for it is something else."""
    return there.reason == UNREADABLE and arrival.reason is None
