"""How the rules of routing fare, and what the history of one case says about where it went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.dispatch.tables import cases, ledger
from shared.contracts.adjustments import CaseRedispatched, LegRuled, LegsAdded
from shared.contracts.dispatch import CaseDispatched, CaseRoutingFailed, LegReturnUpheld
from shared.contracts.registry import type_name

Explained = CaseRoutingFailed | CaseDispatched | CaseRedispatched | LegsAdded | LegReturnUpheld | LegRuled
"""The events that say why a unit has a case, or why none has."""

_EXPLAINED: Final[dict[str, type[Explained]]] = {type_name(event): event for event in get_args(Explained)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """How many cases a rule of a code system sent where they went, and in how many of them it was wrong."""

    system: str
    rule: str
    decided: int
    overridden: int
    misdirected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingEvent:
    """One of them, with its place in the case's history."""

    sequence: int
    event: Explained


async def count_by_rule(
    connection: AsyncConnection, *, system: str | None, category: str | None, since: datetime | None
) -> Sequence[RuleCount]:
    """Return the counts of every rule that chose for a case of this code system and category, opened since then.

    They are counted from the cases themselves, and no index is kept for it (ADR 0014): all cases of the category, and
    without one all cases, are looked at.
    """
    statement = (
        sa.select(
            cases.c.category_system,
            cases.c.rule,
            sa.func.count(),
            sa.func.count().filter(cases.c.overridden),
            sa.func.count().filter(cases.c.misdirected),
        )
        .where(cases.c.rule.is_not(None))
        .group_by(cases.c.category_system, cases.c.rule)
        .order_by(cases.c.category_system, cases.c.rule)
    )
    if system is not None:
        statement = statement.where(cases.c.category_system == system)
    if category is not None:
        statement = statement.where(cases.c.category == category)
    if since is not None:
        statement = statement.where(cases.c.opened_at >= since)
    return [
        RuleCount(system=row[0], rule=row[1], decided=row[2], overridden=row[3], misdirected=row[4])
        for row in await connection.execute(statement)
    ]


async def find_routing_events(connection: AsyncConnection, case_id: UUID) -> Sequence[RoutingEvent]:
    """Return every event of the case that says why a unit has it, oldest first."""
    events = ledger.events
    rows = await connection.execute(
        sa.select(events.c.sequence, events.c.type, events.c.data)
        .where(events.c.stream == case_id, events.c.type.in_(sorted(_EXPLAINED)))
        .order_by(events.c.sequence)
    )
    return [
        RoutingEvent(sequence=row.sequence, event=msgspec.json.decode(row.data, type=_EXPLAINED[row.type]))
        for row in rows
    ]
