"""Which cases and legs a figure is about, as conditions in SQL: the counting rule in one place."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal

import sqlalchemy as sa

from services.analytics import tables

Counted = Literal["reported", "closed", "open", "rejected"]
Group = Literal["street", "community", "department", "category", "source", "campaign", "day"]
LegCounted = Literal["assigned", "fed_back", "waived", "open"]

_ZONE: Final = "Asia/Shanghai"
CASES: Final = tables.case_facts.c
LEGS: Final = tables.leg_facts.c
KEYS: Final[dict[Group, sa.ColumnElement[Any]]] = {
    "street": CASES.street,
    "community": CASES.community,
    "department": CASES.lead,
    "category": CASES.category_system + ":" + CASES.category_code,
    "source": CASES.source,
    "campaign": CASES.campaign,
    "day": sa.cast(sa.func.timezone(_ZONE, CASES.reported_at), sa.Date),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which cases a figure is about. An empty text asks for the cases that have no such value.

    `department` is the lead unit, `category` is `<code system>:<code>`, `day` the day of the report in Beijing time.
    `as_of` is the cut-off, inclusive; None counts everything that has arrived.
    """

    street: str | None = None
    community: str | None = None
    department: str | None = None
    category: str | None = None
    source: str | None = None
    campaign: str | None = None
    day: date | None = None
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
    """Name those of the reported problems that one figure counts; closed, rejected and open exclude one another."""
    closed = _by(CASES.closed_at, filters)
    rejected = _by(CASES.rejected_at, filters) & ~closed
    match counted:
        case "reported":
            return sa.true()
        case "closed":
            return closed
        case "rejected":
            return rejected
        case "open":
            return ~closed & ~rejected


def counted_as(filters: Filters) -> sa.ColumnElement[str]:
    """Say which of the three a problem is."""
    return sa.case(
        (is_counted("closed", filters), "closed"), (is_counted("rejected", filters), "rejected"), else_="open"
    )


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


def _by(instant: sa.ColumnElement[Any], filters: Filters) -> sa.ColumnElement[bool]:
    """Say whether it happened up to and including the cut-off; never unknown, so that it can be negated."""
    happened = instant.is_not(None)
    return happened if filters.as_of is None else happened & (instant <= filters.as_of)
