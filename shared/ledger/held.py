"""Held messages by hand (I-7): list them, release one for another try, skip one with a reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.common import Answer, Receipt
from shared.contracts.envelope import CloudEvent, binary_headers, read_event
from shared.contracts.records import Record
from shared.contracts.registry import (
    ACTIONS_PREFIX,
    ANSWERED,
    DISPATCH_RECEIPTS_PREFIX,
    HELD,
    INTAKE_CONTENTS,
    INTAKE_RECEIPTS_PREFIX,
    SUBMISSIONS_PREFIX,
    MessageHeld,
    party_uri,
)
from shared.kernel.errors import Unreadable
from shared.kernel.identifiers import named_id
from shared.ledger.arrivals import decode_record
from shared.ledger.draft import Draft, HeldRow, OutboxRow, RequestRow
from shared.ledger.interventions import intervene
from shared.ledger.load import database_now, lock_requests
from shared.ledger.requests import party_of, request_of
from shared.ledger.vault import Vault
from shared.ledger.write import write_draft
from shared.observability import metrics

_WITHOUT_POSITIONS: Final = frozenset({INTAKE_CONTENTS})
"""Compacted topics lose old revisions: nobody counts in them, and nothing waits behind a dead letter."""
_COLUMNS: Final = "id, consumer, topic, stream, sequence, reason, detail, waits_for, held_at"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMessage:
    """A held message as an operator sees it. Without a reason it waits behind a gap, a dead letter or a reference."""

    id: int
    consumer: str
    topic: str
    stream: UUID
    sequence: int
    reason: str | None
    detail: str | None
    waits_for: str | None
    held_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRecord:
    """A held message, its record as it came, and how many of its stream are held behind it."""

    message: HeldMessage
    record: Record
    behind: int


class HeldMessageError(Exception):
    """The act is not possible on this message; the text says why and what to do."""


async def list_held(engine: AsyncEngine, *, dead_only: bool = False, limit: int = 200) -> list[HeldMessage]:
    """Return held messages, oldest first."""
    condition = "WHERE reason IS NOT NULL" if dead_only else ""
    async with engine.connect() as connection:
        rows = await connection.exec_driver_sql(
            f"SELECT {_COLUMNS} FROM held {condition} ORDER BY id LIMIT $1",
            (limit,),
        )
        return [HeldMessage(**row._mapping) for row in rows]  # noqa: SLF001 - the row's public mapping


async def held_with(engine: AsyncEngine, message: HeldMessage) -> list[HeldMessage]:
    """Return what is held of the message's stream, in order."""
    async with engine.connect() as connection:
        rows = await connection.exec_driver_sql(
            f"SELECT {_COLUMNS} FROM held "
            "WHERE consumer = $1 AND topic = $2 AND stream = $3 ORDER BY sequence LIMIT 200",
            (message.consumer, message.topic, message.stream),
        )
        return [HeldMessage(**row._mapping) for row in rows]  # noqa: SLF001 - the row's public mapping


async def show_held(engine: AsyncEngine, vault: Vault, number: int) -> HeldRecord:
    """Return a held message with its record as it came.

    Raises:
        HeldMessageError: when there is none with this number.
    """
    async with engine.connect() as connection:
        rows = await connection.exec_driver_sql(
            f"SELECT {_COLUMNS}, record, (SELECT count(*) FROM held b WHERE b.consumer = h.consumer "
            "AND b.topic = h.topic AND b.stream = h.stream AND b.sequence > h.sequence) AS behind "
            "FROM held h WHERE id = $1",
            (number,),
        )
        row = rows.one_or_none()
    if row is None:
        raise _nothing(number)
    values = dict(row._mapping)  # noqa: SLF001 - the row's public mapping
    record, behind = decode_record(vault.open(values.pop("record"))), values.pop("behind")
    return HeldRecord(message=HeldMessage(**values), record=record, behind=behind)


def _nothing(number: int) -> HeldMessageError:
    return HeldMessageError(
        f"No held message has the number {number} in this service; `joint held list` shows those that exist."
    )


async def retry_held(engine: AsyncEngine, number: int, *, service: str, operator: str, reason: str) -> HeldMessage:
    """Release a dead letter: the worker takes it and what waits behind it, in order, through the same consumer.

    Raises:
        HeldMessageError: when there is none, or it only waits.
    """
    async with engine.begin() as connection:
        message = await _locked(connection, number)
        await connection.exec_driver_sql(
            "UPDATE held SET reason = NULL, detail = NULL, waits_for = NULL WHERE id = $1", (number,)
        )
        await intervene(connection, _place(message), service=service, act="retry", operator=operator, reason=reason)
    return message


async def skip_held(
    engine: AsyncEngine, vault: Vault, number: int, *, service: str, operator: str, reason: str
) -> HeldMessage:
    """Give a dead letter up: its stream goes on after it; the act is recorded with its reason.

    What asked for something is answered so, or as it was answered before, and a repeat of it gets the same answer
    (I-2); an outside party hears it by a receipt (I-3).

    Raises:
        HeldMessageError: when there is none, it only waits, or an earlier message of its stream is held.
    """
    async with engine.begin() as connection:
        message = await _locked(connection, number)
        record = await connection.exec_driver_sql("SELECT record FROM held WHERE id = $1", (number,))
        original = decode_record(vault.open(record.scalar_one()))
        if party_of(message.topic) is not None:
            await _answer_skipped(connection, vault, service, original, reason)
        elif message.topic not in _WITHOUT_POSITIONS:
            await _move_past(connection, message)
        await connection.exec_driver_sql("DELETE FROM held WHERE id = $1", (number,))
        await intervene(connection, _place(message), service=service, act="skip", operator=operator, reason=reason)
    return message


def receipts_topic(topic: str) -> str | None:
    """Return the receipts topic that answers a topic of an outside party; None for a topic of ours."""
    for prefix, receipts in (
        (SUBMISSIONS_PREFIX, INTAKE_RECEIPTS_PREFIX),
        (ACTIONS_PREFIX, DISPATCH_RECEIPTS_PREFIX),
    ):
        if topic.startswith(prefix):
            return receipts + topic.removeprefix(prefix)
    return None


def announcement(service: str, row: HeldRow, place: str) -> OutboxRow:
    """Return the message on `<service>.dead-letters` that announces a dead letter; it holds none of its content."""
    data = msgspec.json.encode(
        MessageHeld(
            consumer=row.consumer,
            topic=row.topic,
            stream=str(row.stream),
            sequence=row.sequence,
            record=place,
            reason=row.reason or "",
        )
    )
    event = CloudEvent(
        id=str(named_id("held", row.consumer, place)),
        source=party_uri("services", service),
        type=HELD,
        subject=str(row.stream),
        data=data,
    )
    return OutboxRow(
        topic=f"{service}.dead-letters", key=str(row.stream).encode(), headers=tuple(binary_headers(event)), value=data
    )


def tell_dead(draft: Draft) -> None:
    """Count and log the dead letters of a draft, once it is committed."""
    for row in (*draft.held, *(row for _, row in draft.unreleased)):
        if row.reason is not None:
            metrics.MESSAGES_HELD.labels(row.consumer, row.reason).inc()
            log.error(
                "ledger.held",
                consumer=row.consumer,
                topic=row.topic,
                stream=str(row.stream),
                sequence=row.sequence,
                record=decode_record(row.record).place,
                reason=row.reason,
                detail=row.detail,
            )


def _place(message: HeldMessage) -> tuple[str, str, UUID, int]:
    return message.consumer, message.topic, message.stream, message.sequence


async def _locked(connection: AsyncConnection, number: int) -> HeldMessage:
    rows = await connection.exec_driver_sql(
        f"SELECT {_COLUMNS} FROM held WHERE id = $1 FOR UPDATE",
        (number,),
    )
    row = rows.one_or_none()
    if row is None:
        raise _nothing(number)
    message = HeldMessage(**row._mapping)  # noqa: SLF001 - the row's public mapping
    if message.reason is None:
        raise HeldMessageError(
            f"Message {number} is no dead letter: it waits and goes on by itself when what it waits for arrives. "
            "Look for the dead letter of the same stream."
        )
    return message


async def _move_past(connection: AsyncConnection, message: HeldMessage) -> None:
    place = (message.consumer, message.topic, message.stream)
    rows = await connection.exec_driver_sql(
        "SELECT sequence FROM positions WHERE consumer = $1 AND topic = $2 AND stream = $3 FOR UPDATE", place
    )
    position = rows.scalar()
    if (position or 0) + 1 != message.sequence:
        raise HeldMessageError(
            f"Message {message.id} is event {message.sequence} of its stream, but the stream stands at "
            f"{position or 0}: an earlier event is missing or held. Deal with that one first."
        )
    statement = (
        "INSERT INTO positions (sequence, consumer, topic, stream) VALUES ($1, $2, $3, $4)"
        if position is None
        else "UPDATE positions SET sequence = $1 WHERE consumer = $2 AND topic = $3 AND stream = $4"
    )
    await connection.exec_driver_sql(statement, (message.sequence, *place))


async def _answer_skipped(
    connection: AsyncConnection, vault: Vault, service: str, original: Record, reason: str
) -> None:
    try:
        event: CloudEvent | None = read_event(original.headers, original.value)
    except Unreadable:
        event = None
    request = request_of(original, event)
    place, digest = (request.party, request.key), vault.fingerprint(request.digest)
    answer = Answer(
        outcome="refused",
        code="given_up",
        detail=f"The message could not be handled and was given up by an operator: {reason} "
        "Send it anew under another id if needed.",
    )
    draft = Draft()
    known = (await lock_requests(connection, [place])).get(place)
    if known is None:
        draft.requests[place] = RequestRow(party=request.party, key=request.key, digest=digest, answer=answer)
    elif known.digest == digest:
        answer = known.answer
    topic = receipts_topic(original.topic)
    if topic is not None:
        draft.outbox.append(_skipped_receipt(service, original, topic, event.id if event else None, answer))
    await write_draft(connection, draft, {}, await database_now(connection), vault)


def _skipped_receipt(service: str, original: Record, topic: str, request: str | None, answer: Answer) -> OutboxRow:
    data = msgspec.json.encode(
        Receipt(request=request, record=original.place if request is None else None, answer=answer)
    )
    event = CloudEvent(
        id=str(named_id("given-up", original.place)),
        source=party_uri("services", service),
        type=ANSWERED,
        causationid=request,
        data=data,
    )
    key = (request or original.place).encode()
    return OutboxRow(topic=topic, key=key, headers=tuple(binary_headers(event)), value=data)
