"""The legal track of a leg: 责令改正 until 销号 (domain 9.2, last lines), its state and how events change it."""

from typing import Final, Literal

import msgspec

from shared.contracts.clocks import Clock, ClockBreached, ClockStage, ClockWarned
from shared.contracts.common import Instant, Message
from shared.contracts.rectification import (
    LegEnforcementRecorded,
    LegRectificationClaimed,
    LegRectificationExpired,
    LegRectificationOrdered,
    LegReinspected,
    RectificationEvent,
)
from shared.deadlines.telling import BREACHED, Told

RectificationStage = Literal["none", "ordered", "claimed", "not_cleared", "enforced", "cleared"]
"""未责令, 责令改正, 已报改正, 复查未通过, 已处罚或强制执行, 销号."""
RECTIFICATION_STAGES: Final[tuple[RectificationStage, ...]] = (
    "none",
    "ordered",
    "claimed",
    "not_cleared",
    "enforced",
    "cleared",
)
NOTHING_ORDERED: Final[frozenset[RectificationStage]] = frozenset({"none", "cleared"})
"""No order of the leg waits for a re-inspection that is passed."""


class Rectification(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The latest 责令改正 on a leg, and what became of it. It stays when it is cleared.

    Of its two clocks at most one runs: the party's until it has claimed or its limit has ended, then the department's.
    """

    stage: RectificationStage
    ordered_at: Instant
    legal_basis: str
    document_number: str
    orders: int = 1
    """So many there have been on the leg, this one too."""
    rectification_clock: Clock | None = None
    """None: to be done at once (责令立即改正)."""
    rectification_told: Told = 0
    limit_ended_at: Instant | None = None
    reinspection_clock: Clock | None = None
    """None until there is something to look at."""
    reinspection_told: Told = 0
    reinspected_at: Instant | None = None
    breached: tuple[ClockStage, ...] = ()
    """Which of the two limits have passed, of this order or of one before it: a fact that stays."""

    @property
    def running(self) -> Clock | None:
        """Return the clock that runs."""
        if self.stage in {"not_cleared", "cleared"}:
            return None
        return self.reinspection_clock or self.rectification_clock

    def told_of(self, stage: ClockStage) -> Told:
        """Return what the clock of this stage has told."""
        return self.reinspection_told if stage == "reinspection" else self.rectification_told


def evolve_rectification(track: Rectification | None, event: RectificationEvent) -> Rectification:
    """Return the track after an event.

    Raises:
        ValueError: if it does not begin with an order.
    """
    if isinstance(event, LegRectificationOrdered):
        return _ordered(track, event)
    if track is None:
        raise ValueError(f"The track begins with an order, not with {type(event).__name__}.")
    return _evolve(track, event)


def tell(track: Rectification, event: ClockWarned | ClockBreached) -> Rectification:
    """Return the track after one of its clocks has warned or breached; that it did breach stays."""
    percent = event.percent if isinstance(event, ClockWarned) else BREACHED
    told = msgspec.structs.replace(track, **{f"{event.stage}_told": percent})
    if percent != BREACHED or event.stage in told.breached:
        return told
    return msgspec.structs.replace(told, breached=(*told.breached, event.stage))


def move(track: Rectification, clock: Clock, told: Told) -> Rectification:
    """Return the track with one of its clocks as it runs from now on."""
    return msgspec.structs.replace(track, **{f"{clock.stage}_clock": clock, f"{clock.stage}_told": told})


def _ordered(before: Rectification | None, event: LegRectificationOrdered) -> Rectification:
    return Rectification(
        stage="ordered",
        ordered_at=event.at,
        legal_basis=event.legal_basis,
        document_number=event.document_number,
        orders=1 if before is None else before.orders + 1,
        rectification_clock=event.clock,
        reinspection_clock=event.reinspection_clock,
        breached=() if before is None else before.breached,
    )


def _evolve(
    track: Rectification,
    event: LegRectificationClaimed | LegRectificationExpired | LegReinspected | LegEnforcementRecorded,
) -> Rectification:
    replace = msgspec.structs.replace
    match event:
        case LegRectificationClaimed():
            return replace(_to_be_reinspected(track, event.clock), stage="claimed")
        case LegRectificationExpired():
            return _to_be_reinspected(track, event.clock)
        case LegReinspected():
            return replace(track, stage="cleared" if event.passed else "not_cleared", reinspected_at=event.at)
        case LegEnforcementRecorded():
            return replace(
                track, stage="enforced", reinspection_clock=event.clock, reinspection_told=0, reinspected_at=None
            )


def _to_be_reinspected(track: Rectification, clock: Clock) -> Rectification:
    ended = track.limit_ended_at or clock.started_at
    return msgspec.structs.replace(track, limit_ended_at=ended, reinspection_clock=clock)
