"""A clock as an API tells it: how it stands, and why it is due when it is (I-12)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import structlog

from shared.contracts.clocks import Clock, ClockStage, Pause
from shared.contracts.common import Message
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Calendar, Limit, LimitPolicy
from shared.deadlines.colours import Colour, colour_of, yellow_from
from shared.deadlines.deadline import remaining
from shared.deadlines.explaining import explain
from shared.deadlines.rendering import sentences
from shared.deadlines.steps import Step
from shared.deadlines.working_time import BeforeCalendar, BeyondCalendar, WorkingTime, working_time_of

log = structlog.get_logger()

ClockStanding = Literal["running", "paused", "stopped"]


class Why(Message, frozen=True, kw_only=True):
    """Why a clock is due when it is: the steps that were counted, and the same as sentences."""

    steps: tuple[Step, ...]
    zh: tuple[str, ...]
    en: tuple[str, ...]


class ClockView(Message, frozen=True, kw_only=True):
    """A clock as it stands. Only a running one has a colour.

    `remaining_seconds` is in the time that the limit's unit counts, negative when overdue: now, or when it stopped.
    `why` and `remaining_seconds` are computed from the versions of the documents that the clock names; None where this
    service does not have them, or where they give another deadline.
    """

    stage: ClockStage
    standing: ClockStanding
    colour: Colour | None
    limit: Limit
    extensions: int
    started_at: datetime
    original_due_at: datetime
    due_at: datetime
    yellow_from: datetime
    stopped_at: datetime | None
    pauses: tuple[Pause, ...]
    breached: bool
    provisional: bool
    remaining_seconds: int | None
    calendar_version: int
    policy_version: int
    why: Why | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The instant and the documents by which clocks are read."""

    now: datetime
    library: ReferenceLibrary
    city: str

    def view(
        self,
        clock: Clock,
        stopped_at: datetime | None,
        *,
        breached: bool,
        paused: datetime | None = None,
        given_up: bool = False,
    ) -> ClockView:
        """Return the clock as it stands; one that is neither stopped, paused nor given up runs."""
        runs = stopped_at is None and paused is None and not given_up
        working_time = self._working_time(clock)
        return ClockView(
            stage=clock.stage,
            standing="running" if runs else "paused" if paused is not None else "stopped",
            colour=colour_of(clock, self.now) if runs else None,
            limit=clock.limit,
            extensions=clock.extensions,
            started_at=clock.started_at,
            original_due_at=clock.original_due_at,
            due_at=clock.due_at,
            yellow_from=yellow_from(clock),
            stopped_at=stopped_at,
            pauses=clock.pauses,
            breached=breached,
            provisional=clock.provisional,
            remaining_seconds=_remaining(clock, stopped_at or paused or self.now, working_time),
            calendar_version=clock.calendar_version,
            policy_version=clock.policy_version,
            why=_why(clock, working_time),
        )

    def _working_time(self, clock: Clock) -> WorkingTime | None:
        calendar = self.library.get("calendar", self.city, clock.calendar_version)
        policy = self.library.get("limit_policy", self.city, clock.policy_version)
        if isinstance(calendar, Calendar) and isinstance(policy, LimitPolicy):
            return working_time_of(calendar, policy)
        return None


def _why(clock: Clock, working_time: WorkingTime | None) -> Why | None:
    if working_time is None:
        return None
    try:
        explained = explain(clock, working_time)
    except ValueError:
        log.exception("clock.not_explained", stage=clock.stage, due_at=clock.due_at.isoformat())
        return None
    return Why(steps=explained.steps, zh=sentences(explained, "zh"), en=sentences(explained, "en"))


def _remaining(clock: Clock, at: datetime, working_time: WorkingTime | None) -> int | None:
    if working_time is None or clock.limit.unit == "at_once":
        return None
    try:
        return int(remaining(clock, at, working_time).total_seconds())
    except (BeforeCalendar, BeyondCalendar):
        return None
