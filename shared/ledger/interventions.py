"""What operators did with held messages: recorded with their name and reason, and announced (I-7)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.envelope import CloudEvent, binary_headers
from shared.contracts.registry import DEALT_WITH, MessageDealtWith, party_uri
from shared.kernel.identifiers import named_id
from shared.ledger.draft import OutboxRow
from shared.ledger.write import write_outbox

Act = Literal["retry", "skip"]

_RECORD: Final = (
    "INSERT INTO interventions (at, operator, act, consumer, topic, stream, sequence, reason) "
    "VALUES (clock_timestamp(), $1, $2, $3, $4, $5, $6, $7) RETURNING id, at"
)
_COLUMNS: Final = "at, operator, act, consumer, topic, stream, sequence, reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """One act on a held message."""

    at: datetime
    operator: str
    act: Act
    consumer: str
    topic: str
    stream: UUID
    sequence: int
    reason: str


async def intervene(
    connection: AsyncConnection,
    place: tuple[str, str, UUID, int],
    *,
    service: str,
    act: Act,
    operator: str,
    reason: str,
) -> None:
    """Record the act in the caller's transaction, and announce it on `<service>.dead-letters`.

    Args:
        connection: in a transaction.
        place: consumer, topic, stream and sequence of the message.
        service: whose ledger it is.
        act: what is done with the message.
        operator: who does it.
        reason: why.
    """
    consumer, topic, stream, sequence = place
    recorded = (await connection.exec_driver_sql(_RECORD, (operator, act, *place, reason))).one()
    data = msgspec.json.encode(
        MessageDealtWith(
            consumer=consumer,
            topic=topic,
            stream=str(stream),
            sequence=sequence,
            act=act,
            operator=operator,
            reason=reason,
        )
    )
    event = CloudEvent(
        id=str(named_id("intervention", service, str(recorded.id))),
        source=party_uri("services", service),
        type=DEALT_WITH,
        subject=str(stream),
        time=recorded.at,
        data=data,
    )
    row = OutboxRow(
        topic=f"{service}.dead-letters", key=str(stream).encode(), headers=tuple(binary_headers(event)), value=data
    )
    await write_outbox(connection, [row], recorded.at)


async def list_interventions(engine: AsyncEngine, *, limit: int = 200) -> list[Intervention]:
    """Return what was done last, oldest first."""
    async with engine.connect() as connection:
        rows = await connection.exec_driver_sql(
            f"SELECT {_COLUMNS} FROM (SELECT * FROM interventions ORDER BY id DESC LIMIT $1) AS last ORDER BY id",
            (limit,),
        )
        return [Intervention(**row._mapping) for row in rows]  # noqa: SLF001 - the row's public mapping
