"""A burst into an outbox that was drained and analysed: the relay joins nothing, uses the index, gets through."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.embedded.credentials import load_credentials
from deploy.embedded.databases import service_url
from shared.contracts.registry import Topic
from shared.ledger.draft import OutboxRow
from shared.ledger.engine import create_ledger_engine
from shared.ledger.load import database_now
from shared.ledger.relaying import Outbox
from shared.ledger.write import write_outbox
from shared.messaging.provisioning import provision
from shared.messaging.relay import ROUND_ROWS
from tests.reliability.city import City
from tests.reliability.essentials import assert_essentials
from tests.support.kafka import eventually, everything_on

pytestmark = pytest.mark.timeout(240)

WORKER: Final = "intake-worker"
KEYS: Final = 20
WRITES: Final = 5000
TOPIC: Final = Topic(
    name="intake.burst",
    partitions=3,
    retention_seconds=None,
    writer="intake",
    readers=(),
    messages=(),
)


async def test_a_burst_into_a_drained_and_analysed_outbox_is_locked_and_deleted_by_its_index(city: City) -> None:
    """The trap is a join of the chosen with all that wait, minutes a round; one pass that chooses them is none."""
    provision(city.administration, [TOPIC], load_credentials(city.stage.home).kafka)
    await city.wait_until_quiet()
    await city.stop(WORKER)
    async with _drained_and_analysed(city) as engine:
        await _burst(engine)
        plans = await _shipped_plans(engine)
        assert {plan.split()[0] for plan in plans} == {"LockRows", "Delete"}, plans
        for plan in plans:
            assert "Index Cond: (id = ANY" in plan, plan
            assert "Join" not in plan, plan
            assert "Nested Loop" not in plan, plan
            assert plan.count("Seq Scan") <= 1, plan
        city.start(WORKER)
        await eventually(lambda: _is_empty(city), "the burst gets through", seconds=60)
    found: dict[bytes, list[int]] = defaultdict(list)
    for record in await everything_on(city.connection, TOPIC.name):
        found[record.key or b""].append(int(record.value or b"0"))
    assert found == {key: list(range(number, WRITES, KEYS)) for number, key in enumerate(map(_key, range(KEYS)))}
    await city.wait_until_quiet()
    await assert_essentials(city, [])


@asynccontextmanager
async def _drained_and_analysed(city: City) -> AsyncIterator[AsyncEngine]:
    """Give intake's database, whose statistics say that the outbox is empty and stay so."""
    credentials = load_credentials(city.stage.home)
    url = service_url(city.database_url, "intake", credentials.database["intake"])
    engine = create_ledger_engine(url, application="test")
    try:
        async with engine.connect() as plain:
            connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
            await connection.exec_driver_sql("ALTER TABLE outbox SET (autovacuum_enabled = off)")
            await connection.exec_driver_sql("VACUUM ANALYZE outbox")
            try:
                yield engine
            finally:
                await connection.exec_driver_sql("ALTER TABLE outbox RESET (autovacuum_enabled)")
    finally:
        await engine.dispose()


async def _burst(engine: AsyncEngine) -> None:
    """Fill the outbox as so many small writes do."""
    async with engine.begin() as connection:
        now = await database_now(connection)
        for number in range(WRITES):
            row = OutboxRow(topic=TOPIC.name, key=_key(number % KEYS), headers=(), value=str(number).encode())
            await write_outbox(connection, [row], now)


async def _shipped_plans(engine: AsyncEngine) -> list[str]:
    """Return how PostgreSQL would do what one round of the relay asks of the outbox; the round is undone."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:  # noqa: ANN401
        if "outbox" in statement:
            asked.append((statement, parameters))

    async with engine.connect() as connection:
        async with Outbox(engine, service="test").lease() as leased:
            assert leased is not None
            sa.event.listen(engine.sync_engine, "before_cursor_execute", note)
            try:
                async with leased.round(ROUND_ROWS, []) as round_:
                    await round_.sent(frozenset(row.id for row in round_.rows))
                    raise _Undone
            except _Undone:
                sa.event.remove(engine.sync_engine, "before_cursor_execute", note)
        explained = [await connection.exec_driver_sql(f"EXPLAIN {statement}", values) for statement, values in asked]
        return ["\n".join(line for (line,) in plan) for plan in explained]


class _Undone(Exception):
    """Ends a round without a trace."""


async def _is_empty(city: City) -> bool:
    return not await city.fetch("SELECT FROM intake.outbox LIMIT 1")


def _key(number: int) -> bytes:
    return f"key-{number}".encode()
