"""Clocks with their instants: started, and computed again when a pause, an extension or a new document moved them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from shared.contracts.clocks import Clock, ClockStage, Pause
from shared.contracts.reference import Limit
from shared.deadlines.deadline import Deadline, ends, run
from shared.deadlines.working_time import WorkingTime

WARNINGS: Final = (50, 80)
"""Percent of a limit at which a clock warns (domain 1.7, rule 6)."""


def start_clock(
    stage: ClockStage,
    limit: Limit,
    start: datetime,
    working_time: WorkingTime,
    calendar_version: int,
    policy_version: int,
) -> Clock:
    """Return the clock of a stage or leg that starts now (UTC), by the documents of these versions.

    Raises:
        BeforeCalendar, BeyondCalendar: if the calendar does not reach so far.
    """
    due, first, second = _instants(limit, start, working_time)
    return Clock(
        stage=stage,
        limit=limit,
        started_at=start,
        original_due_at=due.due_at,
        due_at=due.due_at,
        warn_at=(first.due_at, second.due_at),
        calendar_version=calendar_version,
        policy_version=policy_version,
        provisional=due.provisional,
    )


def moved_clock(
    clock: Clock,
    working_time: WorkingTime,
    calendar_version: int,
    policy_version: int,
    *,
    pauses: Sequence[Pause] | None = None,
    extensions: int | None = None,
) -> Clock:
    """Return the clock computed again by these documents, with all its pauses and extensions where they are given.

    The start, the limit and the original deadline stay (I-12).

    Raises:
        BeforeCalendar, BeyondCalendar: if the calendar does not reach so far.
    """
    pauses = clock.pauses if pauses is None else tuple(pauses)
    extensions = clock.extensions if extensions is None else extensions
    due, first, second = _instants(clock.limit, clock.started_at, working_time, pauses, extensions)
    return msgspec.structs.replace(
        clock,
        due_at=due.due_at,
        warn_at=(first.due_at, second.due_at),
        provisional=due.provisional,
        calendar_version=calendar_version,
        policy_version=policy_version,
        pauses=pauses,
        extensions=extensions,
    )


def _instants(
    limit: Limit, start: datetime, working_time: WorkingTime, pauses: Sequence[Pause] = (), extensions: int = 0
) -> tuple[Deadline, Deadline, Deadline]:
    """Return when the limit ends, and when it warns."""
    if limit.unit == "at_once":
        at_once = Deadline(start, provisional=False)
        return at_once, at_once, at_once
    going = run(start, limit, working_time, pauses=pauses, extensions=extensions)
    first, second = (ends(going, share) for share in WARNINGS)
    return ends(going), first, second
