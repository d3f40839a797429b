"""Clocks: what a stage or a leg has to be done by, and what its case tells of it (domain 1.7).

A clock holds the instants that were computed when it started or moved, and the versions of the documents that they were
computed from: the steps that explain an instant are computed from these again, by the same pure function (I-12).
"""

from typing import ClassVar, Literal

from shared.contracts.common import Event, Instant, Message, Number
from shared.contracts.reference import Limit

ClockStage = Literal["accept", "verify", "file", "dispatch", "sign", "handle", "check", "rectification", "reinspection"]
"""受理, 核实, 立案 (of a report); 派遣, 签收, 处置 (one a leg), 核查; by law: 限期改正, 复查."""


class Pause(Message, frozen=True, kw_only=True):
    """A span in which a clock stood still (挂账); the limit goes on where it was."""

    started_at: Instant
    ended_at: Instant


class Clock(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A limit that runs. `limit` is the original one; each of `extensions` added the same again (domain 1.4).

    `warn_at` are the instants at which 50 % and 80 % of it are used. `provisional`: the calendar does not know all of
    the days yet, so that the instants will be computed again when it does. The versions are those of the documents
    `calendar/<city>` and `limit_policy/<city>`. `passed` are deadlines that it was moved away from after it had told
    that they passed: where it comes back to one of them, because a calendar was corrected, it does not tell so again.
    """

    stage: ClockStage
    limit: Limit
    started_at: Instant
    original_due_at: Instant
    due_at: Instant
    warn_at: tuple[Instant, Instant]
    calendar_version: Number
    policy_version: Number
    extensions: int = 0
    pauses: tuple[Pause, ...] = ()
    provisional: bool = False
    passed: tuple[Instant, ...] = ()


class ClockWarned(Event, frozen=True, kw_only=True):
    """预警: half, or four fifths, of a limit is used. `leg` is None for a clock of the case's own part."""

    type: ClassVar[str] = "jointenforcement.case.clock_warned.v1"
    stage: ClockStage
    percent: Literal[50, 80]
    due_at: Instant
    leg: Number | None = None
    unit: str | None = None


class ClockBreached(Event, frozen=True, kw_only=True):
    """超期: a limit has passed. The fact stays, whatever happens to the case later."""

    type: ClassVar[str] = "jointenforcement.case.clock_breached.v1"
    stage: ClockStage
    due_at: Instant
    leg: Number | None = None
    unit: str | None = None


class LegCountedAsSigned(Event, frozen=True, kw_only=True):
    """视同签收: nobody signed within the limit; for handling the leg counts as signed (domain 9.2, row 9)."""

    type: ClassVar[str] = "jointenforcement.case.leg_counted_as_signed.v1"
    leg: Number
    unit: str


class MovedClock(Message, frozen=True, kw_only=True):
    """A clock after it was computed again, and when it would have been due."""

    leg: Number | None
    due_was: Instant
    clock: Clock


class ClocksRecomputed(Event, frozen=True, kw_only=True):
    """A calendar or limit policy was published: the case's running clocks follow it from now on. Those that moved."""

    type: ClassVar[str] = "jointenforcement.case.clocks_recomputed.v1"
    calendar_version: Number
    policy_version: Number
    moved: tuple[MovedClock, ...]
