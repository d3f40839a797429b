"""A ledger with two small aggregates on a fresh database, for tests of the write path and of its consumers."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.ledger.consumption import Consumption
from shared.ledger.engine import create_ledger_engine
from shared.ledger.ledger import Ledger
from shared.ledger.reception import Reception
from shared.ledger.references import References
from shared.ledger.vault import Vault
from tests.support.outbox import unsent
from tests.support.servers import Postgres
from tests.support.tally import TALLIES, TWINS, migrate, react, translate

KEY = bytes(range(32))
EVENTS = "intake.events"


@pytest.fixture
async def ledger_engine(postgres: Postgres) -> AsyncIterator[AsyncEngine]:
    """Return an engine on a fresh database with the ledger's tables."""
    engine = create_ledger_engine(postgres.fresh_database("ledger"), application="test")
    await migrate(engine)
    yield engine
    await engine.dispose()


def ledger_on(engine: AsyncEngine) -> Ledger:
    """Return a ledger of two aggregates, tally and twin."""
    return Ledger(
        engine=engine,
        service="intake",
        aggregates=(TALLIES, TWINS),
        vault=Vault(KEY),
        references=References(engine),
    )


def policy_on(engine: AsyncEngine) -> Consumption:
    """Return a consumer of our own topics: each event adds to a tally."""
    return ledger_on(engine).policy(EVENTS, react)


def reception_on(engine: AsyncEngine) -> Reception:
    """Return a consumer of an outside party's topic."""
    return ledger_on(engine).reception("intake.submissions", translate)


async def rows(engine: AsyncEngine, statement: str) -> list[Any]:
    """Return every row of a statement."""
    async with engine.connect() as connection:
        return list((await connection.exec_driver_sql(statement)).all())


async def notes(engine: AsyncEngine, stream: UUID) -> list[str]:
    """Return what a tally has been told, in order."""
    async with engine.connect() as connection:
        found = await connection.exec_driver_sql("SELECT notes FROM tallies WHERE stream = $1", (stream,))
        return list(found.scalar() or [])


async def sent(engine: AsyncEngine, topic: str) -> list[bytes | None]:
    """Return the values that wait in the outbox for a topic, in order."""
    async with engine.begin() as connection:
        return [row.value for row in await unsent(connection) if row.topic == topic]
