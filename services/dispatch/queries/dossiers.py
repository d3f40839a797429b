"""What is stored about one case: its history page by page, what its acts were answered, its private content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.dispatch.queries.rows import KnownCase
from services.dispatch.tables import contents, ledger
from shared.contracts.common import Answer, Message
from shared.contracts.dispatch import LegFedBack
from shared.contracts.intake import Content
from shared.contracts.registry import party_uri


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a department was answered for an act that it sent over its topic, whose CloudEvents id is `request`."""

    party: str
    request: str
    answered_at: datetime
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One event of a case's history; `data` is the JSON that was published."""

    sequence: int
    type: str
    occurred_at: datetime
    correlation: str
    causation: str | None
    data: bytes
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One feedback of a leg, with the digests of its photos and documents."""

    sequence: int
    feedback: LegFedBack


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """Everything that is stored about a case, read in one snapshot of `as_of`; of its history the first page."""

    as_of: datetime
    known: KnownCase
    history: Sequence[StoredEvent]
    feedbacks: Sequence[Feedback]
    content: Content | None


class _Said(Message, frozen=True, kw_only=True):
    """What of an event says who did it."""

    by: dict[str, str | None]


async def history(
    connection: AsyncConnection, case_id: UUID, *, after: int = 0, limit: int | None = None
) -> Sequence[StoredEvent]:
    """Return the case's events after this sequence, oldest first, each with the receipt that answered its act."""
    events = ledger.events
    statement = (
        sa.select(
            events.c.sequence,
            events.c.type,
            events.c.occurred_at,
            events.c.correlation,
            events.c.causation,
            events.c.data,
        )
        .where(events.c.stream == case_id, events.c.sequence > after)
        .order_by(events.c.sequence)
        .limit(limit)
    )
    rows = (await connection.execute(statement)).all()
    sent_by = {row.sequence: _department(row.data) for row in rows if row.causation is not None}
    wanted = [(unit, row.causation) for row in rows if (unit := sent_by.get(row.sequence)) is not None]
    receipts = await _receipts(connection, wanted)
    return [
        StoredEvent(
            sequence=row.sequence,
            type=row.type,
            occurred_at=row.occurred_at,
            correlation=row.correlation,
            causation=row.causation,
            data=row.data,
            receipt=receipts.get((sent_by.get(row.sequence) or "", row.causation)),
        )
        for row in rows
    ]


async def feedbacks(connection: AsyncConnection, case_id: UUID) -> Sequence[Feedback]:
    """Return every feedback of the case's legs, oldest first."""
    events = ledger.events
    rows = await connection.execute(
        sa.select(events.c.sequence, events.c.data)
        .where(events.c.stream == case_id, events.c.type == LegFedBack.type)
        .order_by(events.c.sequence)
    )
    return [Feedback(sequence=row.sequence, feedback=msgspec.json.decode(row.data, type=LegFedBack)) for row in rows]


async def find_content(connection: AsyncConnection, case_id: UUID) -> Content | None:
    """Return the copy of what may have to be forgotten; None before it has arrived and once it is forgotten."""
    data = (await connection.execute(sa.select(contents.c.data).where(contents.c.stream == case_id))).scalar()
    return None if data is None else msgspec.json.decode(data, type=Content)


def _department(data: bytes) -> str | None:
    """Return the unit whose act made the event, if a department's."""
    by = msgspec.json.decode(data, type=_Said).by
    return by.get("unit") if by.get("post") == "department" else None


async def _receipts(connection: AsyncConnection, acts: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Receipt]:
    """Return what these acts (unit, CloudEvents id) were answered; of acts over HTTP there is no receipt."""
    if not acts:
        return {}
    requests = ledger.requests
    parties = {party_uri("departments", unit): unit for unit, _ in acts}
    rows = await connection.execute(
        sa.select(requests.c.party, requests.c.key, requests.c.answered_at, requests.c.answer).where(
            sa.tuple_(requests.c.party, requests.c.key).in_(
                sorted({(party_uri("departments", unit), key) for unit, key in acts})
            )
        )
    )
    return {
        (parties[row.party], row.key): Receipt(
            party=row.party,
            request=row.key,
            answered_at=row.answered_at,
            answer=msgspec.json.decode(row.answer, type=Answer),
        )
        for row in rows
    }
