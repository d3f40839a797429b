"""The read model made again from real topics beside the live one: equal, or every difference by name (I-9)."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.analytics import tables
from services.analytics.app import build_worker, compose_on, rebuild
from services.analytics.consumers.projection import project
from services.analytics.consumers.rebuild import Place, RebuildReport, rebuild_beside
from services.analytics.consumers.subscriptions import SERVICE
from services.analytics.settings import Settings
from shared.contracts.adjustments import CaseReopened
from shared.contracts.decisions import Delivery
from shared.contracts.records import Record
from shared.contracts.registry import DISPATCH_CASES, DISPATCH_REFERENCE, INTAKE_REPORTS, topic_named
from shared.kernel.errors import Unavailable
from shared.ledger.consumption import Consumption
from shared.ledger.engine import create_ledger_engine
from shared.ledger.held import list_held, skip_held
from shared.ledger.ledger import projection
from shared.messaging.connection import KafkaConnection
from shared.messaging.reader import read_all
from shared.observability.health import Health
from tests.integration.test_analytics import VAULT, city, disorder, dump, feed, total
from tests.integration.test_analytics_whole_life import city as whole_city
from tests.support.lives import whole_lives
from tests.support.servers import Broker, Postgres, embedded_broker
from tests.support.stories import Story

PATIENCE = 0.5


@dataclass(frozen=True, kw_only=True)
class Analytics:
    """A live read model and the topics that it was made from."""

    url: str
    engine: AsyncEngine
    kafka: KafkaConnection

    async def published(self, records: Sequence[Record]) -> list[Record]:
        """Publish records on the real topics; return everything that these hold, as consumers see it."""
        producer = AIOKafkaProducer(**self.kafka.client_arguments())
        await producer.start()
        try:
            for record in records:
                await producer.send_and_wait(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition,
                    headers=list(record.headers),
                )
        finally:
            await producer.stop()
        return [record async for batch in read_all(self.kafka, (INTAKE_REPORTS, DISPATCH_CASES)) for record in batch]

    async def rebuilt(self) -> RebuildReport:
        return await rebuild_beside(
            self.url,
            VAULT,
            lambda topics, *, since: read_all(self.kafka, topics, since=since),
            progress=lambda _records: None,
            patience_seconds=PATIENCE,
        )

    async def tamper(self, statement: str, *parameters: object) -> None:
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql(statement, parameters)


@pytest.fixture(scope="module")
def own_broker() -> Iterator[Broker]:
    """The topics have the names of production, so the broker belongs to these tests alone."""
    with embedded_broker() as running:
        running.create_topics([topic_named(name) for name in (INTAKE_REPORTS, DISPATCH_CASES, DISPATCH_REFERENCE)])
        yield running


@pytest.fixture
async def analytics(own_broker: Broker, postgres: Postgres) -> AsyncIterator[Analytics]:
    url = postgres.fresh_database("analytics")
    engine = create_ledger_engine(url, application="test")
    async with engine.begin() as connection:
        await connection.run_sync(tables.migrate)
    access = own_broker.access
    kafka = KafkaConnection(
        bootstrap=(access.bootstrap,), client_id="analytics.test", username=access.username, password=access.password
    )
    yield Analytics(url=url, engine=engine, kafka=kafka)
    await engine.dispose()


async def test_a_rebuild_says_what_it_compared_and_every_difference(analytics: Analytics) -> None:
    stories = city()
    everything = await analytics.published(disorder(stories, 7))
    await feed(analytics.engine, everything)

    report = await analytics.rebuilt()
    assert report.equal
    assert report.records == len(everything)
    compared = report.comparison
    streams = len({record.key for record in everything})
    assert (compared.streams, compared.cases, compared.streams_behind) == (streams, streams, 0)
    assert compared.legs >= sum(len(event.legs) for story in stories for event in story.cases if hasattr(event, "legs"))
    reported, closed, _, _ = await total(analytics.engine)
    for side in (compared.live, compared.rebuilt):
        assert (side.reported, side.closed) == (reported, closed)

    tampered = stories[0].id
    await analytics.tamper("UPDATE case_facts SET closed_at = NULL WHERE stream = $1", tampered)
    report = await analytics.rebuilt()
    assert not report.equal
    (difference,) = report.comparison.differences
    assert (difference.table, difference.key, list(difference.columns)) == ("case_facts", str(tampered), ["closed_at"])
    assert report.comparison.differing_figures > 0

    await analytics.tamper("DELETE FROM leg_facts WHERE stream = $1 AND leg = 2", stories[1].id)
    assert (await analytics.rebuilt()).comparison.differing_rows == 2


async def test_a_rebuild_compares_whole_lives_with_their_marks(analytics: Analytics) -> None:
    stories = [*whole_city(), *whole_lives()]
    everything = await analytics.published(disorder(stories, 9))
    await feed(analytics.engine, everything)
    report = await analytics.rebuilt()
    assert report.equal
    assert report.comparison.live.voided == report.comparison.rebuilt.voided >= 2

    reopened = next(story for story in stories if any(isinstance(event, CaseReopened) for event in story.cases))
    await analytics.tamper("UPDATE case_marks SET until = NULL WHERE stream = $1 AND kind = 'closed'", reopened.id)
    (difference,) = (await analytics.rebuilt()).comparison.differences
    assert (difference.table, list(difference.columns)) == ("case_marks", ["until"])
    await analytics.tamper("UPDATE case_facts SET level = 'grid' WHERE stream = $1", reopened.id)
    compared = (await analytics.rebuilt()).comparison
    assert {difference.table for difference in compared.differences} == {"case_facts", "case_marks"}
    assert compared.differing_figures >= 2


async def test_a_rebuild_leaves_out_what_the_live_one_has_not_counted_yet(analytics: Analytics) -> None:
    counted = await analytics.published(Story().handled().closed().records())
    await feed(analytics.engine, counted)
    everything = await analytics.published(Story().handled().closed().records())
    report = await analytics.rebuilt()
    assert (report.comparison.streams, report.comparison.streams_behind) == (len({r.key for r in counted}), 1)
    assert report.comparison.differing_rows == 0
    assert not report.equal
    await feed(analytics.engine, everything)
    assert (await analytics.rebuilt()).equal


async def test_what_is_read_ends_where_the_topics_ended_and_goes_on_from_there(analytics: Analytics) -> None:
    first = await analytics.published(Story().filed().records())
    ends = {(record.topic, record.partition): record.offset + 1 for record in first}
    both = await analytics.published(Story().filed().records())
    rest = [record async for batch in read_all(analytics.kafka, (INTAKE_REPORTS,), since=ends) for record in batch]
    assert (len(rest), len(both)) == (3, len(first) + 3)


async def test_the_worker_counts_what_is_published_and_a_rebuild_by_settings_agrees(analytics: Analytics) -> None:
    everything = await analytics.published(disorder(city(), 8))
    wanted = len({record.key for record in everything})
    worker = build_worker(compose_on(analytics.engine, VAULT, "jiaohe"), analytics.kafka, health=Health())
    running = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(60):
            while (await analytics.rebuilt()).comparison.streams < wanted:
                assert not running.done()
    finally:
        worker.stop()
        await running
    settings = Settings(
        kafka_bootstrap=analytics.kafka.bootstrap[0],
        kafka_username=analytics.kafka.username,
        kafka_password=SecretStr(analytics.kafka.password or ""),
        database_url=SecretStr(analytics.url),
        content_key=SecretStr(base64.b64encode(bytes(32)).decode()),
    )
    read: list[int] = []
    report = await rebuild(settings, read.append)
    assert report.equal
    assert read[-1] == report.records == len(everything)


async def test_a_rebuild_whose_session_dies_says_so_and_leaves_the_live_one_as_it_was(analytics: Analytics) -> None:
    everything = await analytics.published(Story().handled().closed().records())
    await feed(analytics.engine, everything)
    before = await dump(analytics.engine)

    async def read(topics: Sequence[str], *, since: Mapping[Place, int]) -> AsyncIterator[list[Record]]:
        yield everything[:1]
        await analytics.tamper(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'analytics.rebuild' AND usename = current_user"
        )
        yield everything[1:]

    with pytest.raises(Unavailable):
        await rebuild_beside(analytics.url, VAULT, read, progress=lambda _records: None, patience_seconds=PATIENCE)
    assert await dump(analytics.engine) == before
    assert (await analytics.rebuilt()).equal


async def test_what_an_operator_gave_up_is_left_out_of_both(analytics: Analytics) -> None:
    """One event nobody can read, one that crashed an earlier release, one record that belongs to no stream."""
    unreadable, crashing = Story().filed(), Story().rejected()
    first, _, third = unreadable.records()
    nobody = msgspec.structs.replace(first, headers=(), key=b"no stream")
    broken = msgspec.structs.replace(unreadable.records()[1], value=b"no event")
    everything = await analytics.published([first, broken, third, *crashing.records(), nobody])
    await counting_but_crashing_on(analytics.engine, crashing.id, 2).consume(everything)
    dead = await list_held(analytics.engine, dead_only=True)
    assert {(held.stream, held.sequence) for held in dead} >= {(unreadable.id, 2), (crashing.id, 2)}
    assert len(dead) == 3

    for held in dead:
        await skip_held(analytics.engine, VAULT, held.id, service="analytics", operator="operator", reason="nonsense")
    await feed(analytics.engine, everything)

    report = await analytics.rebuilt()
    assert report.equal
    assert (report.given_up, report.comparison.streams_behind, report.comparison.differing_rows) == (3, 0, 0)
    async with analytics.engine.connect() as connection:
        rejected = await connection.exec_driver_sql(
            "SELECT rejected_at FROM case_facts WHERE stream = $1", (crashing.id,)
        )
        assert rejected.scalars().all() == [None]


def counting_but_crashing_on(engine: AsyncEngine, stream: UUID, sequence: int) -> Consumption:
    """Return the consumer of an earlier release, which cannot count one event."""

    async def project_or_crash(connection: AsyncConnection, deliveries: list[Delivery]) -> None:
        if any((one.stream, one.sequence) == (stream, sequence) for one in deliveries):
            raise RuntimeError("planted")
        await project(connection, deliveries)

    return projection(engine, service=SERVICE, consumer=tables.EVENTS, vault=VAULT, project=project_or_crash)
