"""The loop of timers in a test's hands: what it is told, whose turn it is, and what rang."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

import msgspec
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.registry import type_name
from shared.kernel.errors import Unavailable
from shared.ledger.ledger import Ledger
from shared.ledger.load import database_now
from shared.ledger.timers import Inbound, LeasedTimers, NothingInbound, Timers
from tests.support.ledgers import rows
from tests.support.outbox import unsent
from tests.support.reminders import AGGREGATE, ReminderRang

HOUR: Final = timedelta(hours=1)
SECOND: Final = timedelta(seconds=1)
_RANG: Final = type_name(ReminderRang).encode()


class Told:
    """An inbound side that says what a test lets it say."""

    def __init__(self, until: datetime | None = None, error: Unavailable | None = None) -> None:
        self.until = until
        self.error = error
        self.asked = 0

    async def consumed_until(self, now: datetime) -> datetime | None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return None if self.until is None else min(self.until, now)

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def turning(ledger: Ledger, inbound: Inbound | None = None) -> AsyncIterator[LeasedTimers]:
    """Hold the lease; the test says when it is time to look."""
    async with Timers(ledger, inbound or NothingInbound(), clock_difference=timedelta()).lease() as leased:
        assert leased is not None
        yield leased


@asynccontextmanager
async def running(timers: Timers) -> AsyncIterator[Timers]:
    work = asyncio.create_task(timers.run())
    try:
        yield timers
    finally:
        work.cancel()
        await asyncio.wait([work])


async def now(engine: AsyncEngine) -> datetime:
    async with engine.connect() as connection:
        return await database_now(connection)


async def rang(engine: AsyncEngine) -> list[str]:
    """Return the notes of what rang, in the order in which it is published."""
    async with engine.connect() as connection:
        messages = [row for row in await unsent(connection) if dict(row.headers)["ce_type"] == _RANG]
    return [msgspec.json.decode(row.value or b"", type=ReminderRang).note for row in messages]


async def waiting(engine: AsyncEngine) -> int:
    return len(await rows(engine, "SELECT 1 FROM wakes"))


def decided() -> float:
    labels = {"aggregate": AGGREGATE.name, "outcome": "accepted"}
    return REGISTRY.get_sample_value("joint_ledger_commands_total", labels) or 0.0


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(f"joint_{name}") or 0.0
