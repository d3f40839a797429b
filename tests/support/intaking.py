"""Intake on a fresh database with its reference documents, and what meets it at its topics."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec

from services.intake.app import Intake, build_worker, compose_on
from services.intake.consumers import translate
from services.intake.tables import migrate
from shared.contracts.common import Answer, Receipt
from shared.contracts.envelope import CloudEvent, binary_headers, read_event
from shared.contracts.intake import ReportSubmission
from shared.contracts.records import Record
from shared.contracts.reference import ReferencePublished, reference_stream
from shared.contracts.registry import DISPATCH_REFERENCE, SUBMISSIONS_PREFIX, party_uri
from shared.kernel.identifiers import new_id
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault
from shared.messaging.connection import KafkaConnection
from shared.observability.health import Health
from tests.support.dispatching import relayed
from tests.support.reports import CITY, LIBRARY, NOW, TRUSTED, submission
from tests.support.servers import Postgres
from tests.support.stories import SYSTEM, event_record

_offsets = itertools.count()


def reference_records() -> list[Record]:
    """Return version 1 of the small city's documents as dispatch publishes them."""
    return [
        event_record(
            DISPATCH_REFERENCE,
            reference_stream(kind, name),
            1,
            ReferencePublished(
                at=NOW,
                by=SYSTEM,
                kind=kind,
                name=name,
                version=1,
                document=msgspec.Raw(msgspec.json.encode(versions[1])),
            ),
            party_uri("services", "dispatch"),
        )
        for (kind, name), versions in LIBRARY.documents.items()
    ]


@asynccontextmanager
async def intake_on(postgres: Postgres, *, with_references: bool = True) -> AsyncIterator[Intake]:
    """Run intake's parts on a database of its own."""
    engine = create_ledger_engine(postgres.fresh_database("intake"), application="test")
    intake = compose_on(engine, Vault(bytes(32)), CITY)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    if with_references:
        await intake.ledger.reference_copy("intake.reference").consume(reference_records())
    try:
        yield intake
    finally:
        await engine.dispose()


@asynccontextmanager
async def working(intake: Intake, kafka: KafkaConnection) -> AsyncIterator[Health]:
    """Run intake's worker while the block runs."""
    health = Health()
    worker = build_worker(intake, kafka, health=health)
    running = asyncio.create_task(worker.run())
    try:
        yield health
    finally:
        worker.stop()
        await running


def submitted(
    body: ReportSubmission | bytes | None = None, *, id_: str | None = None, source: str = TRUSTED, type_: str = ""
) -> Record:
    """Return a submission as a record of the source's topic, at an offset of its own."""
    value = body if isinstance(body, bytes) else msgspec.json.encode(body or submission())
    event = CloudEvent(
        id=id_ or str(new_id()), source=party_uri("sources", source), type=type_ or ReportSubmission.type, data=value
    )
    return raw_record(binary_headers(event), value, source=source)


def submitted_at(at: datetime, *, source: str = TRUSTED) -> Record:
    """Return a submission that reached the source's topic at this instant."""
    record = submitted(submission(observed_at=at), source=source)
    return msgspec.structs.replace(record, timestamp=at)


def raw_record(headers: Sequence[tuple[str, bytes | None]], value: bytes | None, *, source: str = TRUSTED) -> Record:
    """Return a record of the source's topic, whatever is in it."""
    return Record(
        topic=SUBMISSIONS_PREFIX + source,
        partition=0,
        offset=next(_offsets),
        timestamp=NOW,
        key=None,
        headers=tuple(headers),
        value=value,
    )


async def received(intake: Intake, *records: Record) -> list[Record]:
    """Let intake receive these records; return what it sends."""
    await intake.ledger.reception("intake.submissions", translate).consume(records)
    return await relayed(intake.engine)


def receipts(records: Sequence[Record]) -> list[Receipt]:
    """Return the receipts among the records, in order."""
    events = [read_event(record.headers, record.value) for record in records if ".receipts." in record.topic]
    return [msgspec.json.decode(event.data or b"", type=Receipt) for event in events]


def answers(records: Sequence[Record]) -> list[Answer]:
    """Return the answers in the receipts, in order."""
    return [receipt.answer for receipt in receipts(records)]


def types(records: Sequence[Record], topic: str) -> list[str]:
    """Return the CloudEvents types on a topic, in order."""
    return [read_event(record.headers, record.value).type for record in records if record.topic == topic]


async def found_in_tables(intake: Intake, words: Sequence[str]) -> list[tuple[str, str]]:
    """Search every column of every table for the words, as text and as bytes; return table and word."""
    found = []
    async with intake.engine.connect() as connection:
        names: Any = await connection.exec_driver_sql(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        )
        for name in names.scalars().all():
            rows: Any = await connection.exec_driver_sql(f'SELECT t::text FROM "{name}" t')
            content = "\n".join(rows.scalars())
            found += [(name, word) for word in words if word in content or word.encode().hex() in content]
    return found
