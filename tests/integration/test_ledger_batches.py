"""How much goes into one transaction: at most 2,000 commands or 4 MiB, whoever asks and however many at once."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.kernel.identifiers import new_id
from shared.ledger.batcher import GroupCommit
from tests.support.ledgers import ledger_on, rows
from tests.support.tally import add

LARGE = "x" * (1024 * 1024)
"""Three of them fit into 4 MiB with what travels beside them; four do not."""


async def events_a_transaction(engine: AsyncEngine) -> list[int]:
    found = await rows(engine, "SELECT count(*) FROM events GROUP BY xmin ORDER BY min(occurred_at)")
    return [number for (number,) in found]


async def test_large_commands_are_executed_in_several_transactions(ledger_engine: AsyncEngine) -> None:
    outcomes = await ledger_on(ledger_engine).execute([add(new_id(), note=LARGE) for _ in range(7)])

    assert len(outcomes) == 7
    assert await events_a_transaction(ledger_engine) == [3, 3, 1]


async def test_many_commands_are_executed_in_several_transactions(ledger_engine: AsyncEngine) -> None:
    await ledger_on(ledger_engine).execute([add(new_id()) for _ in range(2001)])

    assert await events_a_transaction(ledger_engine) == [2000, 1]


async def test_callers_who_share_a_commit_share_no_more_than_fits(ledger_engine: AsyncEngine) -> None:
    async with GroupCommit(ledger_on(ledger_engine)) as commits:
        answers = await asyncio.gather(*(commits.submit(add(new_id(), note=LARGE)) for _ in range(7)))

    assert [answer.outcome for answer in answers] == ["accepted"] * 7
    assert await events_a_transaction(ledger_engine) == [3, 3, 1]
