"""Whether a process has what it decides by: its database, and the reference documents."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.library import ReferenceLibrary
from shared.kernel.errors import Unavailable
from shared.ledger.reading import reading
from shared.ledger.references import References

_EVERY_SECONDS: Final = 1.0


@dataclass(slots=True, kw_only=True)
class ReferenceWatch:
    """Follows whether the database answers and what is missing among the documents; `missing` says it, or None."""

    engine: AsyncEngine
    references: References
    missing: Callable[[ReferenceLibrary], str | None]
    _problem: str | None = field(default="not looked yet", init=False)

    def problem(self) -> str | None:
        """Say what is missing, for the health of the process."""
        return self._problem

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(_EVERY_SECONDS)

    async def look(self) -> None:
        """Look once."""
        try:
            async with reading(self.engine) as connection:
                library = await self.references.refresh(connection)
        except Unavailable as error:
            self._problem = str(error)
        else:
            self._problem = self.missing(library)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look while the block runs, then leave the database."""
        task = asyncio.create_task(self.run(), name="reference-watch")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.engine.dispose()
