"""The embedded servers: how they start, what they refuse, what they remember."""

import asyncpg
import pytest

from deploy.embedded.databases import plain_url
from shared.messaging.provisioning import create_topics
from tests.support.servers import Broker, Postgres, plain_topic


def test_a_broker_makes_a_topic_once(broker: Broker) -> None:
    topic = broker.fresh_topic("orders", partitions=3)
    assert create_topics(broker.access, [plain_topic(topic, partitions=3)]) == ()


async def test_a_fresh_database_is_empty_and_its_role_owns_it(postgres: Postgres) -> None:
    url = postgres.fresh_database("ledger")
    session = await asyncpg.connect(plain_url(url))
    try:
        await session.execute("CREATE TABLE events (id bigint)")
        schema = await session.fetchval("SELECT schemaname FROM pg_tables WHERE tablename = 'events'")
        assert schema == await session.fetchval("SELECT current_user")
    finally:
        await session.close()


async def test_a_role_sees_nothing_of_another_roles_schema(postgres: Postgres) -> None:
    owner = await asyncpg.connect(plain_url(postgres.fresh_database("intake")))
    stranger = await asyncpg.connect(plain_url(postgres.fresh_database("dispatch")))
    try:
        schema = await owner.fetchval("SELECT current_schema()")
        await owner.execute("CREATE TABLE reports (id bigint)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await stranger.fetch(f"SELECT * FROM {schema}.reports")
    finally:
        await owner.close()
        await stranger.close()
