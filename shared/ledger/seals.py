"""Seals (I-17): hourly, the heads of all streams as a Merkle root, written and published, so that history is fixed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.envelope import CloudEvent, binary_headers
from shared.contracts.registry import SEALED, Sealed, party_uri
from shared.kernel.identifiers import named_id
from shared.ledger.draft import OutboxRow
from shared.ledger.hashchain import merkle_root
from shared.ledger.load import database_now
from shared.ledger.patience import repeat
from shared.ledger.transaction import in_transaction
from shared.ledger.write import write_outbox
from shared.observability import metrics

EVERY: Final = timedelta(hours=1)
SETTLED: Final = timedelta(minutes=2)
"""Batches end sooner; one that does not is waited for (`_UNSETTLED`)."""

_UNSETTLED: Final = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user "
    "AND pid <> pg_backend_pid() AND xact_start <= $1 LIMIT 1"
)
"""Whoever may still commit an event from before the cut: a batch takes its instant after it has begun."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The ledger as of `cut` (UTC): how many streams and events, and the Merkle root of the streams' heads."""

    cut: datetime
    streams: int
    events: int
    root: bytes


async def compute_seal(connection: AsyncConnection, cut: datetime) -> Seal:
    """Compute the seal of everything that happened up to `cut`, from the events themselves."""
    counted = await connection.exec_driver_sql("SELECT count(*) FROM events WHERE occurred_at <= $1", (cut,))
    heads = await connection.exec_driver_sql(
        "SELECT DISTINCT ON (stream) stream, hash FROM events WHERE occurred_at <= $1 ORDER BY stream, sequence DESC",
        (cut,),
    )
    leaves = [row.stream.bytes + row.hash for row in heads]
    return Seal(cut=cut, streams=len(leaves), events=counted.scalar_one(), root=merkle_root(leaves))


async def seal_if_due(
    engine: AsyncEngine, service: str, every: timedelta = EVERY, settled: timedelta = SETTLED
) -> Seal | None:
    """Seal the last full period once it has settled; None when it has not, or when that was done already."""

    async def seal(connection: AsyncConnection) -> Seal | None:
        now = await database_now(connection)
        cut = _last_cut(now - settled, every)
        # The lock makes replicas take turns; the second one finds the row.
        await connection.exec_driver_sql("LOCK TABLE seals IN SHARE ROW EXCLUSIVE MODE")
        known = await connection.exec_driver_sql("SELECT 1 FROM seals WHERE cut >= $1", (cut,))
        if known.first() is not None:
            return None
        unsettled = await connection.exec_driver_sql(_UNSETTLED, (cut,))
        if unsettled.first() is not None:
            return None
        made = await compute_seal(connection, cut)
        await connection.exec_driver_sql(
            "INSERT INTO seals (cut, streams, events, root) VALUES ($1, $2, $3, $4)",
            (made.cut, made.streams, made.events, made.root),
        )
        await write_outbox(connection, [_message(service, made)], now)
        return made

    made = await in_transaction(engine, seal)
    if made is not None:
        metrics.SEALS.inc()
        log.info("ledger.sealed", cut=made.cut.isoformat(), streams=made.streams, events=made.events)
    return made


async def keep_sealing(engine: AsyncEngine, service: str, every: timedelta = EVERY) -> None:
    """Seal every period for ever; a worker's task, safe in every replica."""

    async def seal() -> None:
        await seal_if_due(engine, service, every)

    await repeat(f"{service}.seal", seal, min(60.0, every.total_seconds() / 4))


def sealed_data(seal: Seal) -> bytes:
    """Return the data of the message on `<service>.seals`."""
    return msgspec.json.encode(
        Sealed(cut=seal.cut.isoformat(), streams=seal.streams, events=seal.events, root=seal.root.hex())
    )


def _last_cut(instant: datetime, every: timedelta) -> datetime:
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    return epoch + ((instant - epoch) // every) * every


def _message(service: str, seal: Seal) -> OutboxRow:
    data = sealed_data(seal)
    event = CloudEvent(
        id=str(named_id("seal", service, seal.cut.isoformat())),
        source=party_uri("services", service),
        type=SEALED,
        time=seal.cut,
        data=data,
    )
    return OutboxRow(topic=f"{service}.seals", key=service.encode(), headers=tuple(binary_headers(event)), value=data)
