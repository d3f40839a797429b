"""What was done to a case beyond the normal course, and when: the occurrences behind the counts (I-16).

Most cases have none. A mark counts from `at` on, and where it has an `until`, before that instant alone: a figure of an
earlier cut-off stays what it was.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct, structs

MarkKind = Literal[
    "closed",
    "merged",
    "suspended",
    "reopened",
    "overdue",
    "exempted",
    "extended",
    "returned",
    "reworked",
    "supervised",
    "escalated",
]
"""结案 and 并案 that were undone since, 挂账, 重开, 超期, 申诉成立, 延期, 回退, 返工, 督办, 升级."""


class Mark(Struct, frozen=True, kw_only=True, array_like=True):
    """One occurrence. `number` counts those of the case; `leg` and `unit` say whose it is, where it is a leg's."""

    number: int
    kind: MarkKind
    at: datetime
    until: datetime | None = None
    leg: int | None = None
    unit: str | None = None


Marks = tuple[Mark, ...]


def marked(
    marks: Marks,
    kind: MarkKind,
    at: datetime,
    *,
    until: datetime | None = None,
    leg: int | None = None,
    unit: str | None = None,
) -> Marks:
    """Return the marks with one more."""
    return (*marks, Mark(number=len(marks) + 1, kind=kind, at=at, until=until, leg=leg, unit=unit))


def over(marks: Marks, kinds: frozenset[MarkKind], leg: int, at: datetime) -> Marks:
    """Return the marks in which those of these kinds on this leg count no more from `at` on."""
    if not any(_holds(mark, kinds, leg) for mark in marks):
        return marks
    return tuple(structs.replace(mark, until=at) if _holds(mark, kinds, leg) else mark for mark in marks)


def holding(marks: Marks, kind: MarkKind, leg: int) -> int:
    """Return how many marks of this kind on this leg still count."""
    return sum(_holds(mark, frozenset({kind}), leg) for mark in marks)


def _holds(mark: Mark, kinds: frozenset[MarkKind], leg: int) -> bool:
    return mark.kind in kinds and mark.leg == leg and mark.until is None
