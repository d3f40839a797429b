"""The histories that the bench multiplies are what the shipped code would have written, and it can go on with them."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.dispatch.app import Dispatch, compose_on, migrate_and_seed
from services.dispatch.consumers import translate
from services.dispatch.tables import case_aggregate, reference_aggregate
from shared.contracts.envelope import read_event
from shared.contracts.records import Record
from shared.contracts.registry import DISPATCH_REFERENCE
from shared.ledger.draft import OutboxRow
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault
from shared.ledger.verify import Verification, _verify_ledger
from tests.bench.million_load import Stored, load
from tests.bench.million_runs import Drawer
from tests.support.dispatching import relayed
from tests.support.servers import Postgres

CASES = 120


class Store:
    """A service whose tables were filled."""

    def __init__(self, dispatch: Dispatch, stored: Sequence[Stored]) -> None:
        self.dispatch = dispatch
        self.stored = stored

    async def verify(self) -> Verification:
        result = Verification(service="dispatch")
        aggregates = (case_aggregate(self.dispatch.city), reference_aggregate(self.dispatch.city))
        async with self.dispatch.engine.connect() as connection:
            await _verify_ledger(connection, {one.name: one for one in aggregates}, result)
        return result


@pytest.fixture
async def store(postgres: Postgres) -> AsyncIterator[Store]:
    database = postgres.fresh_database("dispatch")
    engine = create_ledger_engine(database, application="test")
    dispatch = compose_on(engine, Vault(bytes(32)), "jiaohe")
    await migrate_and_seed(dispatch)
    documents = [one for one in await relayed(engine) if one.topic == DISPATCH_REFERENCE]
    await dispatch.ledger.reference_copy("dispatch.reference").consume(documents)
    yield Store(dispatch, await load(database.replace("+asyncpg", ""), CASES))
    await engine.dispose()


async def test_multiplied_histories_verify_and_take_another_act_each(store: Store) -> None:
    before = await store.verify()
    assert before.differences == []
    assert len({one.case for one in store.stored}) == CASES
    drawn = Drawer(store.stored).acts(CASES)
    acts = [_record(row, number) for number, row in enumerate(drawn.rows)]
    await store.dispatch.ledger.reception("dispatch.actions", translate).consume(acts)
    published = [read_event(one.headers, one.value) for one in await relayed(store.dispatch.engine)]
    fed_back = [event for event in published if event.type == "jointenforcement.case.leg_fed_back.v1"]
    assert {event.subject for event in fed_back} == {str(UUID(bytes=one.case)) for one in store.stored}
    after = await store.verify()
    assert (after.differences, after.events) == ([], before.events + CASES + drawn.checks)


def _record(row: OutboxRow, offset: int) -> Record:
    return Record(
        topic=row.topic,
        partition=0,
        offset=offset,
        timestamp=datetime.now(UTC),
        key=row.key,
        headers=row.headers,
        value=row.value,
    )
