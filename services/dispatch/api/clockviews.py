"""A case's clocks as its dossier tells them: how they stand, and why they are due when they are (I-12)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import structlog

from services.dispatch.domain.case import ENDED, CaseState
from services.dispatch.domain.colours import Colour, colour_of, yellow_from
from services.dispatch.domain.legs import BREACHED, LegState
from shared.contracts.clocks import Clock, ClockStage, Pause
from shared.contracts.common import Message
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Calendar, Limit, LimitPolicy
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

    def own_clocks(self, case: CaseState) -> tuple[ClockView, ...]:
        """Return the clocks of the case's own part: of its dispatch and of its check."""
        found = []
        if case.dispatch_clock is not None:
            ended = None if case.state == "filed" else case.dispatched_at
            found.append(self._view(case.dispatch_clock, ended, breached=case.dispatch_told == BREACHED))
        if case.check is not None and case.check.clock is not None:
            ended = None if case.state == "checking" else case.checked_at
            found.append(self._view(case.check.clock, ended, breached=case.check_told == BREACHED))
        return tuple(found)

    def clocks_of(self, case: CaseState, leg: LegState) -> tuple[ClockView, ...]:
        """Return the leg's clocks: of its signature and of its handling."""
        found = []
        sign, handle = case.sign_clock_of(leg), case.handle_clock_of(leg)
        paused = leg.suspension.started_at if leg.state == "suspended" and leg.suspension else None
        ended = case.closed_at if case.state in ENDED else None
        if sign is not None:
            breached = leg.counted_as_signed or leg.sign_told == BREACHED
            signed = leg.signed_at or (sign.due_at if leg.counted_as_signed else ended)
            found.append(self._view(sign, signed, paused=paused if leg.unsigned else None, breached=breached))
        if handle is not None:
            stopped = leg.fed_back_at or ended
            breached = leg.handle_told == BREACHED or leg.overdue_at is not None
            found.append(self._view(handle, stopped, paused=paused, breached=breached, given_up=leg.state == "waived"))
        return tuple(found)

    def _view(
        self,
        clock: Clock,
        stopped_at: datetime | None,
        *,
        breached: bool,
        paused: datetime | None = None,
        given_up: bool = False,
    ) -> ClockView:
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
