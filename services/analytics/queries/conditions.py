"""Which cases and legs a figure is about, as conditions in SQL: the counting rule in one place."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal, assert_never, get_args

import sqlalchemy as sa

from services.analytics import tables
from services.analytics.domain.marks import MarkKind

End = Literal["closed", "voided", "merged", "rejected"]
"""How a problem can have ended; an open one has not."""
Kind = Literal[End, "open"]
"""What every reported problem is exactly one of."""
Beside = Literal[
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
"""What is shown beside: problems to which this happened, whatever kind they are; `suspended` are open ones."""
Counted = Literal["reported", Kind, Beside]
Group = Literal["street", "community", "department", "category", "source", "campaign", "day", "level"]
LegEnd = Literal["fed_back", "waived"]
LegBeside = Literal["suspended", "overdue", "exempted"]
LegCounted = Literal["assigned", LegEnd, "open", LegBeside]
ENDS: Final[tuple[End, ...]] = get_args(End)
BESIDE: Final[tuple[Beside, ...]] = get_args(Beside)
LEG_BESIDE: Final[tuple[LegBeside, ...]] = get_args(LegBeside)

_ZONE: Final = "Asia/Shanghai"
CASES: Final = tables.case_facts.c
LEGS: Final = tables.leg_facts.c
MARKS: Final = tables.case_marks.c
KEYS: Final[dict[Group, sa.ColumnElement[Any]]] = {
    "street": CASES.street,
    "community": CASES.community,
    "department": CASES.lead,
    "category": CASES.category_system + ":" + CASES.category_code,
    "source": CASES.source,
    "campaign": CASES.campaign,
    "day": sa.cast(sa.func.timezone(_ZONE, CASES.reported_at), sa.Date),
    "level": CASES.level,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which cases a figure is about. An empty text asks for the cases that have no such value.

    `department` is the lead unit, `category` is `<code system>:<code>`, `day` the day of the report in Beijing time,
    `level` where the case is to be solved or was solved (小事不出网格 …).
    `as_of` is the cut-off, inclusive; None counts everything that has arrived.
    """

    street: str | None = None
    community: str | None = None
    department: str | None = None
    category: str | None = None
    source: str | None = None
    campaign: str | None = None
    day: date | None = None
    level: str | None = None
    as_of: datetime | None = None

    def within(self, group: Group, key: str) -> "Filters":
        """Return the filters that name what this group's row counts."""
        narrowed: Any = date.fromisoformat(key) if group == "day" else key
        return replace(self, **{group: narrowed})


def are_reported(filters: Filters) -> list[sa.ColumnElement[bool]]:
    """Name the problems that the filters ask for: reported up to the cut-off."""
    conditions = [_by(CASES.reported_at, filters)]
    for group, key in KEYS.items():
        wanted = getattr(filters, group)
        if wanted is not None:
            conditions.append(key.is_(None) if wanted == "" else key == wanted)
    return conditions


def is_counted(counted: Counted, filters: Filters) -> sa.ColumnElement[bool]:
    """Name those of the reported problems that one figure counts; the kinds exclude one another."""
    match counted:
        case "reported":
            return sa.true()
        case "open":
            return ~sa.or_(*(_ended(end, filters) for end in ENDS))
        case "closed" | "voided" | "merged" | "rejected":
            earlier = ENDS[: ENDS.index(counted)]
            return sa.and_(_ended(counted, filters), *(~_ended(end, filters) for end in earlier))
        case _:
            return (CASES.marks > 0) & _has_mark(counted, filters) & _concerned(counted, filters)


def counted_as(filters: Filters) -> sa.ColumnElement[str]:
    """Say which kind a problem is."""
    return sa.case(*((is_counted(end, filters), end) for end in ENDS), else_="open")


def mark_is_counted(filters: Filters) -> sa.ColumnElement[bool]:
    """Name the marks of the reported problems that are counted beside, each for its kind."""
    suspended = MARKS.kind == "suspended"
    return MARKS.kind.in_(BESIDE) & _holds(filters) & (~suspended | is_counted("open", filters))


def leg_is(counted: LegCounted, filters: Filters) -> sa.ColumnElement[bool]:
    """Name the legs that one figure of a unit counts, each as it stands now."""
    match counted:
        case "assigned":
            return _by(LEGS.assigned_at, filters)
        case "fed_back":
            return (LEGS.state == "fed_back") & _by(LEGS.fed_back_at, filters)
        case "waived":
            return (LEGS.state == "waived") & _by(LEGS.waived_at, filters)
        case "open":
            return ~leg_is("fed_back", filters) & ~leg_is("waived", filters)
        case "suspended":
            return LEGS.state == "suspended"
        case "overdue":
            return _by(LEGS.overdue_at, filters)
        case "exempted":
            return _by(LEGS.exempted_at, filters)
        case _:
            assert_never(counted)


def _ended(end: End, filters: Filters) -> sa.ColumnElement[bool]:
    """Say whether the problem had ended so at the cut-off, also where that was undone after it."""
    match end:
        case "closed":
            return _by(CASES.closed_at, filters) | _undone_later("closed", filters)
        case "merged":
            by_intake = _by(CASES.report_merged_at, filters)
            return by_intake | _by(CASES.merged_at, filters) | _undone_later("merged", filters)
        case "voided":
            return _by(CASES.voided_at, filters)
        case "rejected":
            return _by(CASES.rejected_at, filters)


def _undone_later(kind: MarkKind, filters: Filters) -> sa.ColumnElement[bool]:
    """Say whether the problem had a closing or a merge at the cut-off that does not hold any more."""
    if filters.as_of is None:
        return sa.false()
    return (sa.func.coalesce(CASES.marks, 0) > 0) & _has_mark(kind, filters)


def _has_mark(kind: MarkKind, filters: Filters) -> sa.ColumnElement[bool]:
    return (
        sa.exists()
        .where(MARKS.stream == CASES.stream, MARKS.kind == kind, _holds(filters))
        .correlate(tables.case_facts)
    )


def _holds(filters: Filters) -> sa.ColumnElement[bool]:
    """Say whether a mark counts at the cut-off."""
    if filters.as_of is None:
        return MARKS.until.is_(None)
    return (MARKS.at <= filters.as_of) & (MARKS.until.is_(None) | (MARKS.until > filters.as_of))


def _concerned(counted: Beside, filters: Filters) -> sa.ColumnElement[bool]:
    return is_counted("open", filters) if counted == "suspended" else sa.true()


def _by(instant: sa.ColumnElement[Any], filters: Filters) -> sa.ColumnElement[bool]:
    """Say whether it happened up to and including the cut-off; never unknown, so that it can be negated."""
    happened = instant.is_not(None)
    return happened if filters.as_of is None else happened & (instant <= filters.as_of)
