"""Timers with a real inbound topic, and as processes: killed anywhere they catch up, and nothing rings twice."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.kernel.identifiers import new_id
from shared.ledger.engine import create_ledger_engine
from shared.ledger.ledger import Ledger
from shared.ledger.load import database_now
from shared.ledger.timers import Timers
from shared.messaging.consumer import Subscription
from shared.messaging.inbound import ConsumedTopics
from tests.support.kafka import connection_to, eventually, send_values
from tests.support.kafka import running as consuming
from tests.support.ledgers import rows
from tests.support.processes import a_process, ended
from tests.support.reminders import migrate, remind, reminders, reminders_on, translate
from tests.support.servers import Broker, Postgres, unique_name
from tests.support.timers_process import Plan, work

HOUR = timedelta(hours=1)
COUNT = 300


class Place:
    """A database of reminders, and the topic on which they are answered."""

    def __init__(self, broker: Broker, database: str) -> None:
        self.broker = broker
        self.kafka = connection_to(broker)
        self.engine: AsyncEngine = create_ledger_engine(database, application="test", connections=4)
        self.plan = Plan(
            bootstrap=broker.bootstrap,
            username=broker.access.username,
            password=broker.access.password,
            database=database,
            service=unique_name("service"),
            group=unique_name("group"),
            answers=broker.fresh_topic("answers"),
        )

    @property
    def ledger(self) -> Ledger:
        return reminders_on(self.engine, self.plan.service)

    async def now(self) -> datetime:
        async with self.engine.connect() as connection:
            return await database_now(connection)

    async def nothing_waits(self) -> bool:
        return await rows(self.engine, "SELECT 1 FROM wakes LIMIT 1") == []

    async def rang_once(self) -> int:
        """Return how many rang; fail if one rang twice."""
        found = await rows(self.engine, "SELECT rang, count(*) AS reminders FROM reminders GROUP BY rang")
        by_times: dict[int, int] = {row.rang: row.reminders for row in found}
        assert by_times.keys() <= {0, 1}
        events = await rows(self.engine, "SELECT stream FROM events WHERE type LIKE '%rang%'")
        assert len(events) == len({row.stream for row in events}) == by_times.get(1, 0)
        return by_times.get(1, 0)


@pytest.fixture
async def place(broker: Broker, postgres: Postgres) -> AsyncIterator[Place]:
    async with a_place(broker, postgres) as made:
        yield made


@asynccontextmanager
async def a_place(broker: Broker, postgres: Postgres) -> AsyncIterator[Place]:
    place = Place(broker, postgres.fresh_database("timers"))
    await migrate(place.engine)
    yield place
    await place.engine.dispose()


def started(place: Place, crash_at: str = "") -> AbstractAsyncContextManager[BaseProcess]:
    """Run the worker process, which dies at the crash point that is given."""
    return a_process(work, place.plan, crash_at)


async def test_who_acted_in_time_is_not_late_because_our_reception_stood_still(place: Place) -> None:
    ledger = place.ledger
    due = await place.now() + timedelta(seconds=3)
    in_time, silent = new_id(), new_id()
    await ledger.execute([remind(due, stream=in_time), remind(due, stream=silent)])
    await send_values(place.kafka, place.plan.answers, [str(in_time).encode()])
    assert await place.now() < due, "the machine was too slow: the answer is not in time"

    reception = ledger.reception(place.plan.group, translate)
    answers = Subscription(group=place.plan.group, topics=(place.plan.answers,), handle=reception.consume)
    consumed = ConsumedTopics(place.kafka, [answers])
    timers = Timers(ledger, consumed, clock_difference=timedelta(), every_seconds=0.05)
    work = asyncio.create_task(timers.run())
    try:
        await eventually(lambda: "wait until" in (timers.notice() or ""), "it says that wakes wait", seconds=20)
        assert await place.now() > due
        assert await place.rang_once() == 0
        async with consuming(place.kafka, answers):
            await eventually(place.nothing_waits, "both are settled")
    finally:
        work.cancel()
        await asyncio.wait([work])

    assert await rows(place.engine, f"SELECT rang FROM reminders WHERE stream = '{silent}'") == [(1,)]
    [answered] = await rows(place.engine, f"SELECT data FROM events WHERE stream = '{in_time}' AND sequence = 2")
    assert msgspec.json.decode(answered.data)["late"] is False


async def test_processes_killed_at_any_point_of_the_loop_catch_up_and_nothing_rings_twice(
    broker: Broker, postgres: Postgres
) -> None:
    points = ("timers_before_fire", "execute_before_commit", "execute_after_commit", "timers_after_fire")

    async def one(crash_at: str) -> None:
        async with a_place(broker, postgres) as place:
            await place.ledger.execute(reminders(COUNT, await place.now() - HOUR))
            async with started(place, crash_at) as process:
                assert await ended(process, 60) == -signal.SIGKILL
            rang = await place.rang_once()
            assert rang == (COUNT if "after" in crash_at else 0)
            await place.ledger.execute(reminders(10, await place.now() - HOUR))
            async with started(place):
                await eventually(place.nothing_waits, f"everything rang, after the kill at {crash_at}", seconds=60)
            assert await place.rang_once() == COUNT + 10

    async with asyncio.TaskGroup() as group:
        for crash_at in points:
            group.create_task(one(crash_at))


async def test_two_processes_side_by_side_ring_once_and_one_goes_on_when_the_other_is_killed(place: Place) -> None:
    start = await place.now()
    await place.ledger.execute(reminders(COUNT, start - HOUR))
    async with started(place) as first, started(place):
        await eventually(place.nothing_waits, "everything rang", seconds=60)
        first.kill()
        await ended(first, 10)
        await place.ledger.execute(reminders(COUNT, start - HOUR))
        await eventually(place.nothing_waits, "whoever is left rings", seconds=60)
    assert await place.rang_once() == 2 * COUNT
