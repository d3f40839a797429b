"""When a calendar or a limit policy is published, the running clocks of all open cases follow it within seconds."""

from dataclasses import dataclass, field
from time import monotonic
from typing import Final
from uuid import UUID

import structlog

from services.dispatch.domain.adjustments import RecomputeClocks
from services.dispatch.queries.outdated import outdated_cases
from services.dispatch.tables import CASE
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
"""A batch that began before a document was published may still open a case by the one before: look again."""
_ASIDE_FIRST_SECONDS: Final = 10.0
_ASIDE_LONGEST_SECONDS: Final = 600.0

log = structlog.get_logger()

Versions = tuple[int, int]
"""Of the calendar and of the limit policy."""


@dataclass(slots=True, kw_only=True)
class Recomputing:
    """Looks for open cases with clocks of older documents; by lease one process of the service works on them."""

    ledger: Ledger
    references: References
    city: str
    _followed: Versions | None = field(default=None, init=False)
    """What every open case followed at the last look, `_looked_at`."""
    _looked_at: float = field(default=0.0, init=False)
    _aside: SetAside[UUID] = field(
        default_factory=lambda: SetAside(first=_ASIDE_FIRST_SECONDS, most=_ASIDE_LONGEST_SECONDS), init=False
    )

    async def run(self) -> None:
        """Look for ever; a worker's task."""
        await repeat(f"{self.ledger.service}.recompute", self.look, _EVERY_SECONDS)

    async def look(self) -> int:
        """Bring every open case to the documents in force; return how many cases were moved to them.

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
        """Recompute some cases and add them to `moved`; say whether there were any."""
        calendar, policy = versions
        async with self.ledger.engine.connect() as connection:
            now = (await database_now(connection)).timestamp()
            aside = self._aside.waiting(now)
            found = await outdated_cases(
                connection, calendar=calendar, policy=policy, without=aside, limit=MAXIMUM_ITEMS
            )
        if not found:
            self._followed, self._looked_at = None if aside else versions, monotonic()
            return False
        outcomes = await self.ledger.execute([self._command(case) for case in found])
        done = {case for case, outcome in zip(found, outcomes, strict=True) if _decided(outcome)} - moved
        failed = [case for case in found if case not in done]
        for case in failed:
            self._aside.failed(case, now)
        if failed:
            log.error("dispatch.recomputing_failed", cases=len(failed), first=str(failed[0]))
        moved |= done
        log.info("dispatch.recomputed", cases=len(done), calendar=calendar, policy=policy)
        return True

    def _command(self, case: UUID) -> Command:
        service = self.ledger.service
        return Command(
            aggregate=CASE,
            stream=case,
            body=RecomputeClocks(case_id=case),
            actor=Actor(client=service, unit=service, post="system"),
            cause=Cause(correlation=str(case)),
        )


def _decided(outcome: object) -> bool:
    return isinstance(outcome, Answer) and outcome.outcome == "accepted"
