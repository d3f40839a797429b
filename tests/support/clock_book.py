"""An independent account of handling clocks, told by the events alone: it sees a deadline that is overwritten."""

from collections.abc import Iterable

from services.dispatch.domain.case import CaseEvent
from shared.contracts.adjustments import (
    CaseRedispatched,
    CaseReopened,
    LegExtended,
    LegResumed,
    LegRuled,
    LegsAdded,
    LegSentBack,
)
from shared.contracts.clocks import Clock, ClockBreached, ClocksRecomputed, ClockWarned, MovedClock
from shared.contracts.dispatch import CaseChecked, CaseDispatched, LegFedBack, LegReturnUpheld
from shared.contracts.merges import CaseUnmerged
from shared.contracts.rectification import LegRectificationOrdered, LegReinspected


class ClockBook:
    """The handling clock of each leg, and what was told of it."""

    def __init__(self) -> None:
        self.clocks: dict[int, Clock] = {}
        self.told: set[tuple[int | None, str, int, object]] = set()
        self.late: set[int] = set()
        """Legs that were fed back after their deadline or breached it, and whose unit is still the same."""
        self.under_order: set[int] = set()
        """Legs that have ordered something whose re-inspection has not passed."""
        self.moves_nearer = False
        """Days off were taken back, so that a deadline can be nearer than it was."""

    def take(self, event: CaseEvent) -> None:
        """Take the next event."""
        match event:
            case CaseDispatched() | CaseRedispatched():
                self.clocks, self.late = {}, set()
                self._begin((leg.leg for leg in event.legs), event.handle_clock)
            case LegsAdded():
                self._begin((leg.leg for leg in event.legs), event.handle_clock)
            case LegReturnUpheld() | LegRuled():
                self.late.discard(event.leg)
                self._begin([event.leg], event.handle_clock)
            case CaseReopened():
                self._begin(event.legs, event.handle_clock)
            case ClockWarned() | ClockBreached():
                self._tell(event)
            case LegFedBack():
                assert event.at <= self.clocks[event.leg].due_at or event.leg in self.late, "late without a breach"
            case _:
                self._take_move(event)

    def _take_move(self, event: CaseEvent) -> None:
        match event:
            case LegExtended():
                self._move(event.leg, event.due_was, event.clock, extensions=1)
            case LegResumed():
                self._move(event.leg, event.due_was, event.clock, pauses=1)
            case CaseChecked() | CaseUnmerged():
                self._move_all(event.resumed, pauses=1)
            case LegSentBack():
                self._move_all([event.resumed] if event.resumed else [], pauses=1)
            case ClocksRecomputed():
                self._move_all(event.moved)
            case LegRectificationOrdered():
                self.under_order.add(event.leg)
                self.told = {one for one in self.told if one[:2] != (event.leg, "rectification")}
            case LegReinspected() if event.passed:
                self.under_order.discard(event.leg)

    def _begin(self, legs: Iterable[int], clock: Clock | None) -> None:
        assert clock is not None
        assert clock.due_at == clock.original_due_at
        for leg in legs:
            self.clocks[leg] = clock

    def _move_all(self, moved: Iterable[MovedClock], *, pauses: int = 0) -> None:
        for one in moved:
            if one.leg is not None and one.clock.stage == "handle":
                self._move(one.leg, one.due_was, one.clock, pauses=pauses)

    def _move(self, leg: int, due_was: object, clock: Clock, *, extensions: int = 0, pauses: int = 0) -> None:
        before = self.clocks[leg]
        assert due_was == before.due_at, "the event says from where it moved"
        assert (clock.limit, clock.started_at, clock.original_due_at) == (
            before.limit,
            before.started_at,
            before.original_due_at,
        ), "the original stays"
        assert clock.extensions == before.extensions + extensions <= 2
        assert clock.pauses[: len(before.pauses)] == before.pauses
        assert len(clock.pauses) == len(before.pauses) + pauses
        assert clock.due_at >= before.due_at or self.moves_nearer
        self.clocks[leg] = clock

    def _tell(self, event: ClockWarned | ClockBreached) -> None:
        percent = event.percent if isinstance(event, ClockWarned) else 100
        key = (event.leg, event.stage, percent, event.due_at)
        assert key not in self.told, "told twice"
        self.told.add(key)
        if event.stage == "handle" and event.leg is not None:
            assert event.due_at == self.clocks[event.leg].due_at
            if percent == 100:
                self.late.add(event.leg)
