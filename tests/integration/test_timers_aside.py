"""Wakes that stay though they fired: set aside with an alarm, tried again later, and nobody waits for them."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.kernel.identifiers import new_id
from shared.ledger.ledger import Ledger
from tests.support.kafka import eventually
from tests.support.reminders import remind, reminders_on
from tests.support.servers import unique_name
from tests.support.turning import HOUR, SECOND, decided, metric, now, rang, turning


@pytest.fixture
def ledger(reminders_engine: AsyncEngine) -> Ledger:
    return reminders_on(reminders_engine, unique_name("service"))


async def test_a_wake_that_stays_is_set_aside_with_an_alarm_and_the_others_go_on(ledger: Ledger) -> None:
    start = await now(ledger.engine)
    stubborn = remind(start - HOUR, kind="stubborn")
    await ledger.execute([stubborn, remind(start - HOUR, kind="mute"), remind(start - SECOND, note="first")])
    async with turning(ledger) as leased:
        await leased.turn()
        before = decided()
        await leased.turn()
        await leased.turn()
        assert (leased.set_aside, metric("wakes_set_aside_streams"), decided()) == (2, 2, before)
        assert leased.stays_because is not None

        await ledger.execute([remind(start - SECOND, note="second")])
        await leased.turn()
        assert await rang(ledger.engine) == ["first", "second"]

        async def tried_again() -> bool:
            await leased.turn()
            return decided() >= before + 3

        await eventually(tried_again, "the one that stays is tried again")
        await ledger.execute([remind(start + HOUR, stream=stubborn.stream)])

        async def one_is_left() -> bool:
            await leased.turn()
            return leased.set_aside == 1

        await eventually(one_is_left, "what went away is forgotten")


async def test_a_whole_batch_of_wakes_that_stay_stops_nobody(ledger: Ledger) -> None:
    start = await now(ledger.engine)
    await ledger.execute([remind(start - HOUR, kind="stubborn") for _ in range(2000)])
    await ledger.execute([remind(start - SECOND, note="behind them")])
    async with turning(ledger) as leased:
        for _ in range(3):
            await leased.turn()
    assert await rang(ledger.engine) == ["behind them"]


async def test_a_wake_of_an_aggregate_that_is_not_known_stops_nobody(ledger: Ledger) -> None:
    start = await now(ledger.engine)
    await ledger.execute([remind(start - HOUR, note="known")])
    async with ledger.engine.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO wakes (stream, kind, aggregate, due_at) VALUES ($1, 'bell', 'unknown', $2)",
            (new_id(), start - 2 * HOUR),
        )
    async with turning(ledger) as leased:
        await leased.turn()
        await leased.turn()
        assert (leased.set_aside, leased.stays_because) == (1, "it has no command: KeyError: 'unknown'")
    assert await rang(ledger.engine) == ["known"]


async def test_it_is_said_why_a_wake_stays(ledger: Ledger) -> None:
    await ledger.execute([remind(await now(ledger.engine) - HOUR, kind="stubborn")])
    async with turning(ledger) as leased:
        await leased.turn()
        await leased.turn()
        assert leased.stays_because == "its command changed nothing"
