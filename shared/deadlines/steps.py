"""The steps by which a limit reached its deadline: which time counted, which did not, and what moved it (I-12)."""

from datetime import timedelta
from typing import Literal

from shared.contracts.common import Instant, Message, Number
from shared.contracts.reference import Limit

StepKind = Literal[
    "working_day",
    "make_up_day",
    "weekend",
    "day_off",
    "off_hours",
    "first_day",
    "natural",
    "at_once",
    "pause",
    "extension",
]
"""工作日, 调休上班, 周末, 放假 (a holiday or a local day off), 非工作时间, 起算当日, 自然时间, 立即, 停止计时, 延期."""


class Stretch(Message, frozen=True, kw_only=True):
    """Local times of one day between which time counted: `17:00` to `18:00`, with seconds where there are any."""

    start: str
    end: str


class Step(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What one stretch of days, one pause or one extension did to a deadline.

    `used` is how much of the limit it used up. `moved` is how much later, in the time that the unit counts, the
    deadline is because of it: weekdays without work and pauses by what would have counted there, an extension by one
    limit; a make-up day brings it nearer and is negative. `stretches` are those of each of its days.
    `provisional`: the calendar does not know these days yet.
    """

    kind: StepKind
    started_at: Instant
    ended_at: Instant
    days: int = 0
    used: timedelta = timedelta(0)
    moved: timedelta = timedelta(0)
    stretches: tuple[Stretch, ...] = ()
    name_zh: str | None = None
    name_en: str | None = None
    provisional: bool = False


class Explained(Message, frozen=True, kw_only=True):
    """Why a deadline is what it is: its steps in order, and the documents that they rest on."""

    limit: Limit
    extensions: int
    started_at: Instant
    due_at: Instant
    provisional: bool
    calendar_version: Number
    policy_version: Number
    steps: tuple[Step, ...]
