"""The documents in force by which clocks run, and the clocks that they give."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from shared.contracts.clocks import Clock, ClockStage, Pause
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Limit, LimitPolicy
from shared.deadlines.clocks import moved_clock, start_clock
from shared.deadlines.telling import Told, passed_by
from shared.deadlines.working_time import WorkingTime, working_time_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The documents in force by which clocks run (domain 1.7, rule 8)."""

    working_time: WorkingTime
    policy: LimitPolicy
    calendar_version: int
    policy_version: int

    def start(self, stage: ClockStage, at: datetime, limit: Limit | None = None) -> Clock:
        """Return the clock of a stage that starts at this instant; without a limit it has the city's for this stage.

        Raises:
            BeforeCalendar, BeyondCalendar: if the calendar does not reach so far.
        """
        if limit is None:
            limit = getattr(self.policy, stage)
        return start_clock(stage, limit, at, self.working_time, self.calendar_version, self.policy_version)

    def move(
        self, clock: Clock, told: Told, *, pauses: Sequence[Pause] | None = None, extensions: int | None = None
    ) -> Clock:
        """Return the clock, which has told this, by these documents; with all its pauses and extensions where given.

        Raises:
            BeforeCalendar, BeyondCalendar: if the calendar does not reach so far.
        """
        moved = moved_clock(
            clock,
            self.working_time,
            self.calendar_version,
            self.policy_version,
            pauses=pauses,
            extensions=extensions,
        )
        return moved if moved.due_at == clock.due_at else replace(moved, passed=passed_by(clock, told))


def timing_of(library: ReferenceLibrary, city: str) -> Timing | None:
    """Return what the city's clocks run by; None while calendar and limit policy have not both arrived."""
    calendar, policy = library.calendar(city), library.limit_policy(city)
    if calendar is None or policy is None:
        return None
    return Timing(
        working_time=working_time_of(calendar[1], policy[1]),
        policy=policy[1],
        calendar_version=calendar[0],
        policy_version=policy[0],
    )
