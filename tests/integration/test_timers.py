"""Timers on real PostgreSQL: wakes fire in order and once, and never before what came in earlier was consumed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.kernel.errors import Unavailable
from shared.ledger.commands import Command, Outcome
from shared.ledger.ledger import Ledger
from shared.ledger.standing import Standing
from shared.ledger.timers import NothingInbound, Timers
from tests.support.kafka import eventually
from tests.support.ledgers import rows
from tests.support.reminders import ReminderRang, remind, reminders, reminders_on
from tests.support.servers import unique_name
from tests.support.turning import HOUR, SECOND, Told, decided, metric, now, rang, running, turning, waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedLedger(Ledger):
    """A ledger that waits with its commands in hand until it is let go: a batch in flight."""

    in_flight: asyncio.Event
    released: asyncio.Event

    async def execute(self, commands: Sequence[Command]) -> list[Outcome]:
        self.in_flight.set()
        await self.released.wait()
        return await Ledger.execute(self, commands)


@pytest.fixture
def service() -> str:
    """A name of its own: leases of all services of one database share its locks."""
    return unique_name("service")


@pytest.fixture
def ledger(reminders_engine: AsyncEngine, service: str) -> Ledger:
    return reminders_on(reminders_engine, service)


async def test_wakes_fire_in_the_order_in_which_they_were_due(ledger: Ledger) -> None:
    await ledger.execute(reminders(20, await now(ledger.engine) - HOUR, apart=SECOND))
    async with turning(ledger) as leased:
        await leased.turn()
    assert await rang(ledger.engine) == [str(number) for number in range(20)]
    assert await waiting(ledger.engine) == 0


async def test_a_wake_fires_when_it_is_due_and_not_before(ledger: Ledger) -> None:
    due = await now(ledger.engine) + 0.3 * SECOND
    await ledger.execute([remind(due, note="soon"), remind(due + HOUR, note="later")])
    async with turning(ledger) as leased:
        await leased.turn()
        assert await rang(ledger.engine) == []

        async def soon_rang() -> bool:
            await leased.turn()
            return bool(await rang(ledger.engine))

        await eventually(soon_rang, "the first rings")
        assert await now(ledger.engine) > due
    assert await rang(ledger.engine) == ["soon"]
    assert await waiting(ledger.engine) == 1


async def test_what_a_wake_made_says_that_the_system_did_it_for_this_stream(ledger: Ledger, service: str) -> None:
    reminder = remind(await now(ledger.engine) - HOUR)
    await ledger.execute([reminder])
    async with turning(ledger) as leased:
        await leased.turn()
    [event] = await rows(ledger.engine, "SELECT * FROM events WHERE sequence = 2")
    by = msgspec.json.decode(event.data, type=ReminderRang).by
    assert (by.client, by.unit, by.post) == (service, service, "system")
    assert (event.correlation, event.causation) == (str(reminder.stream), None)
    assert await rows(ledger.engine, "SELECT 1 FROM requests") == []


async def test_a_wake_waits_until_what_came_in_before_it_was_consumed(ledger: Ledger) -> None:
    start = await now(ledger.engine) - HOUR
    await ledger.execute(reminders(3, start, apart=SECOND))
    inbound = Told()
    async with turning(ledger, inbound) as leased:
        await leased.turn()
        assert (await rang(ledger.engine), leased.waiting_for) == ([], start)
        inbound.until = start + SECOND
        await leased.turn()
        assert (await rang(ledger.engine), leased.waiting_for) == (["0"], start + SECOND)
        inbound.until = start + HOUR
        await leased.turn()
        assert (await rang(ledger.engine), leased.waiting_for) == (["0", "1", "2"], None)


async def test_a_wake_waits_for_a_broker_whose_clock_is_behind(ledger: Ledger) -> None:
    due = await now(ledger.engine) - HOUR
    await ledger.execute([remind(due)])
    inbound = Told(until=due + SECOND)
    async with Timers(ledger, inbound, clock_difference=2 * SECOND).lease() as leased:
        assert leased is not None
        await leased.turn()
        assert await rang(ledger.engine) == []
        inbound.until = due + 3 * SECOND
        await leased.turn()
        assert len(await rang(ledger.engine)) == 1


async def test_nobody_is_asked_what_was_consumed_while_nothing_is_due(ledger: Ledger) -> None:
    start = await now(ledger.engine)
    await ledger.execute([remind(start + HOUR), *reminders(5, start - HOUR)])
    inbound = Told(until=start)
    async with turning(ledger, inbound) as leased:
        for _ in range(5):
            await leased.turn()
    assert inbound.asked == 1


async def test_a_large_backlog_fires_in_batches(ledger: Ledger) -> None:
    await ledger.execute(reminders(4500, await now(ledger.engine) - HOUR))
    async with turning(ledger) as leased:
        more = [await leased.turn() for _ in range(4)]
        left = await waiting(ledger.engine)
    assert (more, left) == ([True, True, False, False], 0)
    assert sorted(await rang(ledger.engine)) == sorted(str(number) for number in range(4500))


async def test_a_loop_that_cannot_find_out_what_was_consumed_fires_nothing_and_says_why(ledger: Ledger) -> None:
    await ledger.execute([remind(await now(ledger.engine) - HOUR)])
    inbound = Told(error=Unavailable("Kafka does not answer"))
    timers = Timers(ledger, inbound, clock_difference=timedelta(), every_seconds=0.02)
    assert timers.problem() == "not started"
    async with running(timers):
        await eventually(lambda: timers.problem() == "Kafka does not answer", "it says what is wrong")
        assert await rang(ledger.engine) == []
        inbound.error, inbound.until = None, await now(ledger.engine)

        async def fired() -> bool:
            return await waiting(ledger.engine) == 0

        await eventually(fired, "it fires when it can")
        await eventually(lambda: timers.problem() is None, "it is well again")


async def test_of_two_loops_one_fires_and_the_other_takes_over(ledger: Ledger, reminders_engine: AsyncEngine) -> None:
    start = await now(reminders_engine)
    await ledger.execute(reminders(200, start - HOUR))
    timers = [Timers(ledger, NothingInbound(), clock_difference=timedelta(), every_seconds=0.02) for _ in range(2)]

    async def all_rang() -> bool:
        return await waiting(reminders_engine) == 0

    async with running(timers[0]):
        async with running(timers[1]):
            await eventually(lambda: all(each.problem() is None for each in timers), "both are well")
            await eventually(all_rang, "everything rang")
            assert metric("timers_lease_held") == 1
        await ledger.execute(reminders(50, start - HOUR))
        await eventually(all_rang, "whoever is left fires")
    assert len(await rang(reminders_engine)) == 250


async def test_a_batch_in_flight_of_a_loop_that_lost_its_lease_does_nothing_twice(
    reminders_engine: AsyncEngine, ledger: Ledger, service: str
) -> None:
    await ledger.execute(reminders(50, await now(reminders_engine) - HOUR))
    plain = reminders_on(reminders_engine, service)
    gated = GatedLedger(
        engine=plain.engine,
        service=plain.service,
        aggregates=plain.aggregates,
        vault=plain.vault,
        references=plain.references,
        in_flight=asyncio.Event(),
        released=asyncio.Event(),
    )
    cut_off, successor = (
        Timers(each, NothingInbound(), clock_difference=timedelta(), every_seconds=0.02) for each in (gated, ledger)
    )
    before = decided()

    async def fired() -> bool:
        return await waiting(reminders_engine) == 0

    async with running(cut_off):
        await gated.in_flight.wait()
        async with running(successor):
            assert await waiting(reminders_engine) == 50
            await end_session_of_the_lease(reminders_engine)
            await eventually(fired, "the successor fires")
            gated.released.set()
            await eventually(lambda: decided() == before + 100, "the other one asks too")
    assert len(await rang(reminders_engine)) == 50
    assert await rows(reminders_engine, "SELECT DISTINCT rang FROM reminders") == [(1,)]


async def end_session_of_the_lease(engine: AsyncEngine) -> None:
    ended = await rows(
        engine,
        "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid "
        "WHERE a.usename = current_user AND l.locktype = 'advisory'",
    )
    assert ended == [(True,)]


async def test_what_is_due_shows_in_the_gauges_of_every_worker(ledger: Ledger) -> None:
    start = await now(ledger.engine)
    await ledger.execute([remind(start + HOUR), *reminders(3, start - HOUR)])
    standing = Standing(ledger.engine, service=ledger.service)
    await standing.look()
    assert metric("wakes_due") == 3
    assert 3600 <= metric("wakes_due_age_seconds") < 3700
    async with turning(ledger) as leased:
        await leased.turn()
    await standing.look()
    assert (metric("wakes_due"), metric("wakes_due_age_seconds")) == (0, 0)
