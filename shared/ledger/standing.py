"""What stands in a ledger now: held messages, what waits to be sent and to fire; as gauges and a notice for people."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.ledger.outbox import unsent_messages
from shared.ledger.patience import repeat
from shared.observability import metrics

_EVERY_SECONDS: Final = 5.0
_HELD: Final = (
    "SELECT consumer, count(*) FILTER (WHERE reason IS NOT NULL) AS dead, "
    "count(*) FILTER (WHERE reason IS NULL) AS waiting FROM held GROUP BY consumer"
)
_DUE: Final = (
    "SELECT count(*) AS wakes, coalesce(extract(epoch FROM clock_timestamp() - min(due_at)), 0)::float8 AS age "
    "FROM wakes WHERE due_at <= clock_timestamp()"
)


class Standing:
    """Watches one service's ledger. Every worker of the service sees the same."""

    def __init__(self, engine: AsyncEngine, *, service: str) -> None:
        self._engine = engine
        self._service = service
        self._dead: dict[str, int] = {}

    async def look(self) -> None:
        """Bring the gauges up to date."""
        async with self._engine.connect() as connection:
            held = (await connection.exec_driver_sql(_HELD)).all()
            due = (await connection.exec_driver_sql(_DUE)).one()
            metrics.OUTBOX_MESSAGES.set(await unsent_messages(connection))
        metrics.WAKES_DUE.set(due.wakes)
        metrics.WAKES_DUE_AGE.set(due.age)
        found = {row.consumer: (row.dead, row.waiting) for row in held}
        # A consumer that no longer holds anything says so, instead of vanishing.
        for consumer in self._dead.keys() | found.keys():
            dead, waiting = found.get(consumer, (0, 0))
            self._dead[consumer] = dead
            metrics.HELD_NOW.labels(consumer, "dead").set(dead)
            metrics.HELD_NOW.labels(consumer, "waiting").set(waiting)

    async def keep_looking(self) -> None:
        """Call `look` for ever, also after the database was away; a worker's task."""
        await repeat(f"{self._service}.standing", self.look, _EVERY_SECONDS)

    def notice(self) -> str | None:
        """Say which consumers have dead letters and how they are shown; None when there are none."""
        dead = [f"{number} of {consumer}" for consumer, number in sorted(self._dead.items()) if number]
        if not dead:
            return None
        return f"dead letters: {', '.join(dead)}; `joint held list --service {self._service}` shows them"
