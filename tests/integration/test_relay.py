"""The relay on real Kafka and PostgreSQL: order of each key, no gap whatever fails, one topic's trouble is its own."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.records import Record
from shared.contracts.registry import partition_for
from shared.kernel.identifiers import new_id
from shared.ledger.draft import OutboxRow
from shared.ledger.engine import create_ledger_engine
from shared.ledger.outbox import unsent_messages
from shared.ledger.relaying import Outbox
from shared.ledger.write import write_outbox
from shared.messaging.connection import KafkaConnection
from shared.messaging.partitions import Delivery, PartitionSender
from shared.messaging.relay import ROUND_ROWS, Relay
from tests.support.kafka import connection_to, eventually, everything_on
from tests.support.servers import Broker, Postgres, plain_topic, unique_name
from tests.support.tally import migrate

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
TOO_LARGE = 2 * 1024 * 1024


@pytest.fixture
async def engine(postgres: Postgres) -> AsyncIterator[AsyncEngine]:
    engine = create_ledger_engine(postgres.fresh_database("relay"), application="test")
    await migrate(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def kafka(broker: Broker) -> KafkaConnection:
    return connection_to(broker)


@pytest.fixture
def service() -> str:
    """A name of its own: leases of all services of one database share its locks."""
    return unique_name("service")


class GatedSender(PartitionSender):
    """A sender that waits, after Kafka has acknowledged, until it is let go: a batch in flight."""

    def __init__(self, kafka: KafkaConnection) -> None:
        super().__init__(kafka)
        self.in_flight = asyncio.Event()
        self.released = asyncio.Event()

    async def send(self, rows: Sequence[OutboxRow]) -> Delivery:
        delivery = await super().send(rows)
        self.in_flight.set()
        await self.released.wait()
        return delivery


def row(topic: str, key: bytes, value: bytes | None) -> OutboxRow:
    return OutboxRow(topic=topic, key=key, headers=(("ce_type", b"test"),), value=value)


def streams(topic: str, *, keys: int, events: int, first: int = 1) -> list[OutboxRow]:
    """Rows of several streams, events first, first + 1 … of each, interleaved."""
    return [
        row(topic, f"key-{key}".encode(), str(sequence).encode())
        for sequence in range(first, first + events)
        for key in range(keys)
    ]


async def queue(engine: AsyncEngine, rows: Sequence[OutboxRow]) -> None:
    async with engine.begin() as connection:
        await write_outbox(connection, rows, NOON)


async def waiting(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return await unsent_messages(connection)


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[Relay]:
    stopping = asyncio.Event()
    work = asyncio.create_task(relay.run(stopping))
    try:
        yield relay
    finally:
        stopping.set()
        await work


async def empty(engine: AsyncEngine) -> bool:
    """Look without counting: a count reads every row, and a test asks how many rows are read."""
    async with engine.connect() as connection:
        return not (await connection.exec_driver_sql("SELECT EXISTS (SELECT FROM outbox)")).scalar_one()


def by_key(records: Sequence[Record]) -> dict[bytes | None, list[int]]:
    sequences: dict[bytes | None, list[int]] = defaultdict(list)
    for record in records:
        sequences[record.key].append(int(record.value or b"0"))
    return dict(sequences)


def first_copies(sequences: Sequence[int]) -> list[int]:
    return list(dict.fromkeys(sequences))


async def test_what_is_sent_is_what_was_queued(
    broker: Broker, engine: AsyncEngine, kafka: KafkaConnection, service: str
) -> None:
    topic = broker.fresh_topic("exact", partitions=12)
    headers = (("ce_type", b"test"), ("ce_id", "编号".encode()))
    await queue(
        engine,
        [
            OutboxRow(topic=topic, key=b"full", headers=headers, value=b"\x00\xff"),
            OutboxRow(topic=topic, key=b"tombstone", headers=(), value=None),
        ],
    )

    async with relaying(Relay(Outbox(engine, service=service), PartitionSender(kafka))):
        await eventually(lambda: empty(engine), "an empty outbox")

    records = {record.key: record for record in await everything_on(kafka, topic)}
    assert records[b"full"].value == b"\x00\xff"
    assert records[b"full"].headers == headers
    assert records[b"tombstone"].value is None
    assert {record.partition for record in records.values()} == {
        partition_for(b"full", 12),
        partition_for(b"tombstone", 12),
    }


async def test_the_order_of_each_key_is_kept(
    broker: Broker, engine: AsyncEngine, kafka: KafkaConnection, service: str
) -> None:
    topic, other = broker.fresh_topic("order", partitions=4), broker.fresh_topic("order", partitions=1)
    async with relaying(Relay(Outbox(engine, service=service), PartitionSender(kafka))):
        for first in range(1, 101, 20):
            await queue(engine, streams(topic, keys=30, events=20, first=first))
            await queue(engine, streams(other, keys=3, events=20, first=first))
        await eventually(lambda: empty(engine), "an empty outbox")

    ordered = list(range(1, 101))
    assert by_key(await everything_on(kafka, topic)) == {f"key-{key}".encode(): ordered for key in range(30)}
    assert by_key(await everything_on(kafka, other)) == {f"key-{key}".encode(): ordered for key in range(3)}


async def test_rows_larger_than_a_batch_together_are_sent_in_several(
    broker: Broker, engine: AsyncEngine, kafka: KafkaConnection, service: str
) -> None:
    topic = broker.fresh_topic("large")
    values = [bytes([number]) * 400_000 for number in range(6)]
    await queue(engine, [row(topic, b"key", value) for value in values])

    async with relaying(Relay(Outbox(engine, service=service), PartitionSender(kafka))):
        await eventually(lambda: empty(engine), "an empty outbox")

    assert [record.value for record in await everything_on(kafka, topic)] == values


async def test_a_topic_that_is_missing_stops_no_other_and_is_sent_when_it_appears(
    broker: Broker, engine: AsyncEngine, kafka: KafkaConnection, service: str
) -> None:
    """More rows of the missing topic than one round takes lie before those of the other."""
    missing, present, many = unique_name("missing"), broker.fresh_topic("present", partitions=2), ROUND_ROWS + 500
    await queue(engine, streams(missing, keys=1, events=many))
    await queue(engine, streams(present, keys=2, events=50))

    async with relaying(Relay(Outbox(engine, service=service), PartitionSender(kafka))):
        await eventually(lambda: empty_but(engine, many), "only the missing topic's rows wait")
        await queue(engine, streams(present, keys=2, events=50, first=51))
        await eventually(lambda: empty_but(engine, many), "the present topic goes on")
        assert set_aside(missing)
        broker.create_topics([plain_topic(missing, partitions=2)])
        await eventually(lambda: empty(engine), "an empty outbox")
        await eventually(lambda: not set_aside(missing), "the topic is no longer set aside")

    assert by_key(await everything_on(kafka, missing)) == {b"key-0": list(range(1, many + 1))}
    assert by_key(await everything_on(kafka, present)) == {
        b"key-0": list(range(1, 101)),
        b"key-1": list(range(1, 101)),
    }


async def test_a_row_that_the_broker_refuses_stops_its_own_topic_alone_until_it_is_taken(
    broker: Broker, engine: AsyncEngine, kafka: KafkaConnection, service: str
) -> None:
    stopped, present = broker.fresh_topic("refused"), broker.fresh_topic("present", partitions=3)
    values = [b"1", b"x" * TOO_LARGE, b"3"]
    await queue(engine, [row(stopped, b"key", value) for value in values])
    await queue(engine, streams(present, keys=3, events=20))

    async with relaying(Relay(Outbox(engine, service=service), PartitionSender(kafka))):
        await eventually(lambda: empty_but(engine, 2), "only what lies behind the refused row waits")
        for first in range(21, 101, 20):
            await queue(engine, streams(present, keys=3, events=20, first=first))
            await eventually(lambda: empty_but(engine, 2), "the present topic goes on")
        allow_values_of(broker, stopped, 2 * TOO_LARGE)
        await eventually(lambda: empty(engine), "a new producer sends what the old one could not")

    assert [record.value for record in await everything_on(kafka, stopped)] == values
    found = by_key(await everything_on(kafka, present))
    assert found == {f"key-{key}".encode(): list(range(1, 101)) for key in range(3)}


def set_aside(topic: str) -> bool:
    return REGISTRY.get_sample_value("joint_relay_topic_set_aside", {"topic": topic}) == 1


async def empty_but(engine: AsyncEngine, rows: int) -> bool:
    return await waiting(engine) == rows


def allow_values_of(broker: Broker, topic: str, size: int) -> None:
    limit = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[limit])
    admin = AdminClient(broker.access.client_settings())
    for future in admin.incremental_alter_configs([resource]).values():
        future.result()


async def test_a_burst_into_a_drained_and_analysed_outbox_takes_few_rounds_and_no_scans(
    broker: Broker, engine: AsyncEngine, kafka: KafkaConnection, service: str
) -> None:
    """The trap of an outbox: statistics of an empty table, and a DELETE that joins every row with every other."""
    topic, burst = broker.fresh_topic("burst", partitions=12), 5 * ROUND_ROWS
    relay = Relay(Outbox(engine, service=service), PartitionSender(kafka))
    await queue(engine, streams(topic, keys=100, events=20))
    async with relaying(relay):
        await eventually(lambda: empty(engine), "a drained outbox")
        async with engine.connect() as connection:
            autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await autocommit.exec_driver_sql("VACUUM ANALYZE outbox")
        rounds_before = REGISTRY.get_sample_value("joint_relay_round_rows_count") or 0.0
        read_before = await rows_read_by_scans(engine)

        await queue(engine, streams(topic, keys=100, events=burst // 100, first=21))
        await eventually(lambda: empty(engine), "an empty outbox")

    rounds = (REGISTRY.get_sample_value("joint_relay_round_rows_count") or 0.0) - rounds_before
    await engine.dispose()  # sessions that end hand in their statistics
    read = await rows_read_by_scans(engine) - read_before
    assert rounds == burst / ROUND_ROWS
    assert read <= 4 * rounds * burst  # a DELETE that joins reads ROUND_ROWS times as many
    assert len(await everything_on(kafka, topic)) == 2000 + burst


async def rows_read_by_scans(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        found = await connection.exec_driver_sql(
            "SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables "
            "WHERE schemaname = current_schema() AND relname = 'outbox'"
        )
        return int(found.scalar_one())


async def test_a_lease_lost_with_a_batch_in_flight_repeats_and_loses_nothing(
    broker: Broker, engine: AsyncEngine, kafka: KafkaConnection, service: str
) -> None:
    topic = broker.fresh_topic("lease", partitions=3)
    gated = GatedSender(kafka)
    async with relaying(Relay(Outbox(engine, service=service), gated)):
        await queue(engine, streams(topic, keys=5, events=10))
        await asyncio.wait_for(gated.in_flight.wait(), 30)
        async with relaying(Relay(Outbox(engine, service=service), PartitionSender(kafka))):
            await cut_off(engine, lease_only=False)
            await queue(engine, streams(topic, keys=5, events=10, first=11))
            await eventually(lambda: empty(engine), "the successor has sent everything")
            gated.released.set()
            await queue(engine, streams(topic, keys=5, events=10, first=21))
            await eventually(lambda: empty(engine), "an empty outbox")

    found = by_key(await everything_on(kafka, topic))
    assert found.keys() == {f"key-{key}".encode() for key in range(5)}
    assert all(first_copies(sequences) == list(range(1, 31)) for sequences in found.values())
    assert all(sequences.count(1) == 2 for sequences in found.values())


async def test_a_successor_waits_for_the_rows_of_a_relay_that_lost_only_its_lease(
    broker: Broker, engine: AsyncEngine, kafka: KafkaConnection, service: str
) -> None:
    topic = broker.fresh_topic("lease")
    gated = GatedSender(kafka)
    async with relaying(Relay(Outbox(engine, service=service), gated)):
        await queue(engine, streams(topic, keys=2, events=10))
        await asyncio.wait_for(gated.in_flight.wait(), 30)
        successor = Relay(Outbox(engine, service=service), PartitionSender(kafka))
        async with relaying(successor):
            await cut_off(engine, lease_only=True)
            await eventually(lambda: "lock" in (successor.problem() or ""), "the successor waits for the locked rows")
            gated.released.set()
            await queue(engine, streams(topic, keys=2, events=10, first=11))
            await eventually(lambda: empty(engine), "an empty outbox")

    found = by_key(await everything_on(kafka, topic))
    assert found == {f"key-{key}".encode(): list(range(1, 21)) for key in range(2)}


async def cut_off(engine: AsyncEngine, *, lease_only: bool) -> None:
    """End the database sessions of the active relay, as a network that breaks does."""
    chosen = "EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory')"
    if not lease_only:
        chosen = f"({chosen} OR a.state = 'idle in transaction')"
    async with engine.connect() as connection:
        ended = await connection.exec_driver_sql(
            "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a "
            f"WHERE a.usename = current_user AND a.pid <> pg_backend_pid() AND {chosen}"
        )
        assert ended.scalar_one() == (1 if lease_only else 2)


async def test_only_one_relay_of_a_service_is_active(
    broker: Broker, engine: AsyncEngine, kafka: KafkaConnection, service: str
) -> None:
    topic = broker.fresh_topic("single", partitions=3)
    outbox = Outbox(engine, service=service)
    async with (
        relaying(Relay(outbox, PartitionSender(kafka))),
        relaying(Relay(outbox, PartitionSender(kafka))) as other,
    ):
        await queue(engine, streams(topic, keys=20, events=100))
        await eventually(lambda: empty(engine), "an empty outbox")
        await eventually(lambda: other.problem() is None, "standing by is no problem")

    found = by_key(await everything_on(kafka, topic))
    assert found == {f"key-{key}".encode(): list(range(1, 101)) for key in range(20)}


async def test_a_relay_without_a_broker_keeps_every_row(engine: AsyncEngine, service: str) -> None:
    nobody = KafkaConnection(bootstrap=("127.0.0.1:1",), client_id="test")
    await queue(engine, [row(str(new_id()), b"key", b"1")])
    async with relaying(Relay(Outbox(engine, service=service), PartitionSender(nobody))) as relay:
        await eventually(lambda: "Kafka" in (relay.problem() or ""), "the relay says what is wrong")
    assert await waiting(engine) == 1
