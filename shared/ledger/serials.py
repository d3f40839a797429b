"""Serials of a day: numbers for people, given once and never again, for which no batch waits (ADR 0019)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.decisions import Serial
from shared.deadlines.working_time import LOCAL
from shared.ledger.commands import Command
from shared.ledger.draft import StreamState

_TAKE: Final = (
    "SELECT nextval('serials') - d.last_before AS number FROM serial_days d CROSS JOIN generate_series(1, $2::int) "
    "WHERE d.day = $1"
)
_LAST: Final = "SELECT nextval('serials')"
_BEGIN_DAY: Final = "INSERT INTO serial_days (day, last_before) VALUES ($1, $2)"


async def serials_for(
    connection: AsyncConnection, commands: Sequence[Command], states: Mapping[UUID, StreamState], now: datetime
) -> Iterator[Serial]:
    """Return a serial of the city's day for each of the commands that may begin a stream whose people see a number.

    Two batches never get the same one, whatever becomes of either; one that is rolled back leaves a gap. The caller
    holds its locks already: the first batch of a day is the only one that others wait for.
    """
    count = sum(_may_need_one(command, states[command.stream]) for command in commands)
    if not count:
        return iter(())
    day = now.astimezone(LOCAL).date()
    numbers = await _taken(connection, day, count)
    if not numbers:
        # Two batches that begin one day meet at its key: the second runs again, and finds the day begun.
        last: Any = (await connection.exec_driver_sql(_LAST)).scalar_one()
        await connection.exec_driver_sql(_BEGIN_DAY, (day, last))
        numbers = await _taken(connection, day, count)
    return (Serial(day=day, number=number) for number in numbers)


def _may_need_one(command: Command, state: StreamState) -> bool:
    return state.sequence == 0 and isinstance(command.body, state.aggregate.numbered)


async def _taken(connection: AsyncConnection, day: date, count: int) -> list[int]:
    rows = await connection.exec_driver_sql(_TAKE, (day, count))
    return [row.number for row in rows]
