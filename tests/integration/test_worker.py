"""The worker as a process: killed at every point it comes by, it loses nothing; told to stop, it ends cleanly."""

import asyncio
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.ledger.draft import OutboxRow
from shared.ledger.engine import create_ledger_engine
from shared.ledger.write import write_outbox
from shared.messaging.connection import KafkaConnection
from tests.support.kafka import committed, connection_to, eventually, everything_on
from tests.support.processes import a_process, ended
from tests.support.servers import Broker, Postgres, unique_name
from tests.support.tally import NOON, migrate
from tests.support.worker_process import SEEN, Plan, work

KEYS = 5
EVENTS = 100
PARTITIONS = 3


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a worker process works: a database, a topic that it writes and reads, a group."""

    engine: AsyncEngine
    kafka: KafkaConnection
    plan: Plan

    async def queue(self, first: int, last: int) -> None:
        """Put events first … last of every key into the outbox."""
        rows = [
            OutboxRow(topic=self.plan.topic, key=f"key-{key}".encode(), headers=(), value=str(number).encode())
            for number in range(first, last + 1)
            for key in range(KEYS)
        ]
        async with self.engine.begin() as connection:
            await write_outbox(connection, rows, NOON)

    async def seen(self) -> dict[str, list[int]]:
        """What the handler took, key by key in its order."""
        found: dict[str, list[int]] = defaultdict(list)
        async with self.engine.connect() as connection:
            for row in await connection.exec_driver_sql("SELECT key, value FROM seen ORDER BY id"):
                found[row.key].append(row.value)
        return dict(found)

    async def published(self) -> dict[str, list[int]]:
        """What is on the topic, key by key in its order."""
        found: dict[str, list[int]] = defaultdict(list)
        for record in await everything_on(self.kafka, self.plan.topic):
            found[(record.key or b"").decode()].append(int(record.value or b"0"))
        return dict(found)

    async def begun(self) -> bool:
        return bool(await self.seen())

    async def seen_everything(self) -> bool:
        return first_copies(await self.seen()) == COMPLETE


COMPLETE = {f"key-{key}": list(range(1, EVENTS + 1)) for key in range(KEYS)}


def first_copies(by_key: dict[str, list[int]]) -> dict[str, list[int]]:
    return {key: list(dict.fromkeys(values)) for key, values in by_key.items()}


@pytest.fixture
async def place(broker: Broker, postgres: Postgres) -> AsyncIterator[Place]:
    async with a_place(broker, postgres) as made:
        yield made


@asynccontextmanager
async def a_place(broker: Broker, postgres: Postgres) -> AsyncIterator[Place]:
    database = postgres.fresh_database("worker")
    engine = create_ledger_engine(database, application="test", connections=2)
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(SEEN)
    yield Place(
        engine=engine,
        kafka=connection_to(broker),
        plan=Plan(
            bootstrap=broker.bootstrap,
            username=broker.access.username,
            password=broker.access.password,
            database=database,
            service=unique_name("service"),
            group=unique_name("group"),
            topic=broker.fresh_topic("worker", partitions=PARTITIONS),
        ),
    )
    await engine.dispose()


def started(place: Place, crash_at: str = "") -> AbstractAsyncContextManager[BaseProcess]:
    """Run the worker process, which dies at the crash point that is given."""
    return a_process(work, place.plan, crash_at)


async def killed_and_started_again(place: Place, crash_at: str) -> None:
    """Let a process die at the point in the middle of its work, and another one finish."""
    async with started(place, crash_at) as process:
        await place.queue(1, EVENTS // 2)
        await eventually(lambda: process.exitcode is not None or place.begun(), "a first round and batch")
        await place.queue(EVENTS // 2 + 1, EVENTS)
        assert await ended(process, 60) == -signal.SIGKILL
    assert not await place.seen_everything()
    async with started(place):
        await eventually(place.seen_everything, f"everything, after the kill at {crash_at}", seconds=60)


@pytest.mark.parametrize(
    "points",
    [
        ("relay_before_send:2", "relay_after_send_before_delete:2", "relay_after_delete_before_commit:2"),
        ("consumer_before_handle:2", "consumer_after_handle_before_ack:2", "consumer_after_ack:2"),
    ],
    ids=["relay", "consumer"],
)
async def test_a_worker_killed_at_any_point_loses_nothing(
    broker: Broker, postgres: Postgres, points: Sequence[str]
) -> None:
    """The points of one part together: most of the time is waiting for the group to miss the killed member."""

    async def one(crash_at: str) -> None:
        async with a_place(broker, postgres) as place:
            await killed_and_started_again(place, crash_at)
            assert first_copies(await place.published()) == COMPLETE

    async with asyncio.TaskGroup() as group:
        for crash_at in points:
            group.create_task(one(crash_at))


async def test_a_worker_that_is_told_to_stop_acknowledges_what_it_has_taken(place: Place) -> None:
    async with started(place):
        await place.queue(1, EVENTS)
        await eventually(place.seen_everything, "everything")
    assert await place.seen() == COMPLETE
    offsets = await committed(place.kafka, place.plan.group, place.plan.topic, partitions=PARTITIONS)
    assert sum(offsets) == KEYS * EVENTS


async def test_a_worker_told_to_stop_in_the_middle_repeats_nothing_after_its_next_start(place: Place) -> None:
    async with started(place):
        await place.queue(1, EVENTS // 2)
        await eventually(place.begun, "the first batch")
    async with started(place):
        await place.queue(EVENTS // 2 + 1, EVENTS)
        await eventually(place.seen_everything, "everything")
    assert await place.seen() == COMPLETE
    assert await place.published() == COMPLETE
