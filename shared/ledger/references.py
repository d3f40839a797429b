"""A service's own copy of the reference documents, as a library in memory that follows its table."""

from typing import Any, get_args

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import DOCUMENTS, Kind, ReferencePublished
from shared.ledger.commands import Delivery
from shared.ledger.reading import reading


class References:
    """Loads documents as they arrive; documents are immutable, so that what is loaded stays true."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._library = ReferenceLibrary()

    @property
    def library(self) -> ReferenceLibrary:
        """The documents that were there at the last refresh."""
        return self._library

    async def refresh(self, connection: AsyncConnection | None = None) -> ReferenceLibrary:
        """Load what has arrived since, and return the library.

        Raises:
            Unavailable: when no connection was given and the database does not answer.
        """
        if connection is None:
            async with reading(self._engine) as own:
                return await self.refresh(own)
        rows = await connection.exec_driver_sql("SELECT kind, name, version FROM reference_documents")
        for row in rows.all():
            if self._library.get(row.kind, row.name, row.version) is None:
                await self._load(connection, row.kind, row.name, row.version)
        return self._library

    async def _load(self, connection: AsyncConnection, kind: str, name: str, version: int) -> None:
        raw: Any = await connection.exec_driver_sql(
            "SELECT document FROM reference_documents WHERE kind = $1 AND name = $2 AND version = $3",
            (kind, name, version),
        )
        for known in get_args(Kind):
            if known == kind:
                document = msgspec.json.decode(raw.scalar_one(), type=DOCUMENTS[known])
                self._library = self._library.with_document(known, name, version, document)


async def store_references(connection: AsyncConnection, deliveries: list[Delivery]) -> None:
    """Copy the documents of these `reference.published` events into the service's table."""
    for delivery in deliveries:
        if delivery.event.type != ReferencePublished.type:
            continue
        published = msgspec.json.decode(delivery.event.data or b"", type=ReferencePublished)
        # Decoded once here, so that a document that no reader understands is held and never enters the library.
        msgspec.json.decode(published.document, type=DOCUMENTS[published.kind])
        await connection.exec_driver_sql(
            "INSERT INTO reference_documents (kind, name, version, document) VALUES ($1, $2, $3, $4)",
            (published.kind, published.name, published.version, bytes(published.document)),
        )
