"""When a calendar or a limit policy is published, the running clocks of an aggregate follow it within seconds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final, Protocol
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.common import Actor, Answer
from shared.ledger.aside import SetAside
from shared.ledger.commands import Cause, Command
from shared.ledger.ledger import Ledger
from shared.ledger.load import database_now
from shared.ledger.outbox import lease
from shared.ledger.patience import repeat
from shared.ledger.portions import MAXIMUM_ITEMS
from shared.ledger.references import References

_EVERY_SECONDS: Final = 2.0
_SURE_SECONDS: Final = 60.0
"""A batch that began before a document was published may still start a clock by the one before: look again."""
_ASIDE_FIRST_SECONDS: Final = 10.0
_ASIDE_LONGEST_SECONDS: Final = 600.0

log = structlog.get_logger()

Versions = tuple[int, int]
"""Of the calendar and of the limit policy."""


class Outdated(Protocol):
    """Returns some streams with running clocks of before these versions, none of `without`."""

    async def __call__(
        self, connection: AsyncConnection, *, calendar: int, policy: int, without: Sequence[UUID], limit: int
    ) -> list[UUID]: ...


@dataclass(slots=True, kw_only=True)
class Recomputing:
    """Looks for streams with clocks of older documents; by lease one process of the service works on them.

    `recompute` makes the command that lets the clocks of a stream follow; once it is decided, they rest on the
    documents in force, so that `outdated` does not find the stream again.
    """

    ledger: Ledger
    references: References
    city: str
    aggregate: str
    outdated: Outdated
    recompute: Callable[[UUID], object]
    _followed: Versions | None = field(default=None, init=False)
    """What every running clock followed at the last look, `_looked_at`."""
    _looked_at: float = field(default=0.0, init=False)
    _aside: SetAside[UUID] = field(
        default_factory=lambda: SetAside(first=_ASIDE_FIRST_SECONDS, most=_ASIDE_LONGEST_SECONDS), init=False
    )

    async def run(self) -> None:
        """Look for ever; a worker's task."""
        await repeat(f"{self.ledger.service}.recompute", self.look, _EVERY_SECONDS)

    async def look(self) -> int:
        """Bring every running clock to the documents in force; return how many streams were moved to them.

        Raises:
            Unavailable: when the database is away; the next look goes on.
        """
        versions = await self._in_force()
        if versions is None or (versions == self._followed and monotonic() - self._looked_at < _SURE_SECONDS):
            return 0
        async with lease(self.ledger.engine, f"{self.ledger.service}.recompute") as holder:
            if holder is None:
                return 0
            moved: set[UUID] = set()
            while await self._batch(versions, moved):
                pass
        return len(moved)

    async def _in_force(self) -> Versions | None:
        library = await self.references.refresh()
        calendar, policy = library.calendar(self.city), library.limit_policy(self.city)
        return None if calendar is None or policy is None else (calendar[0], policy[0])

    async def _batch(self, versions: Versions, moved: set[UUID]) -> bool:
        """Recompute some streams and add them to `moved`; say whether there were any."""
        calendar, policy = versions
        async with self.ledger.engine.connect() as connection:
            now = (await database_now(connection)).timestamp()
            aside = self._aside.waiting(now)
            found = await self.outdated(
                connection, calendar=calendar, policy=policy, without=aside, limit=MAXIMUM_ITEMS
            )
        if not found:
            self._followed, self._looked_at = None if aside else versions, monotonic()
            return False
        outcomes = await self.ledger.execute([self._command(stream) for stream in found])
        done = {stream for stream, outcome in zip(found, outcomes, strict=True) if _decided(outcome)} - moved
        failed = [stream for stream in found if stream not in done]
        for stream in failed:
            self._aside.failed(stream, now)
        if failed:
            log.error("clocks.recomputing_failed", aggregate=self.aggregate, streams=len(failed), first=str(failed[0]))
        moved |= done
        log.info("clocks.recomputed", aggregate=self.aggregate, streams=len(done), calendar=calendar, policy=policy)
        return True

    def _command(self, stream: UUID) -> Command:
        service = self.ledger.service
        return Command(
            aggregate=self.aggregate,
            stream=stream,
            body=self.recompute(stream),
            actor=Actor(client=service, unit=service, post="system"),
            cause=Cause(correlation=str(stream)),
        )


def _decided(outcome: object) -> bool:
    return isinstance(outcome, Answer) and outcome.outcome == "accepted"
