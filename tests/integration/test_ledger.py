"""The write path on real PostgreSQL: one batch, everything or nothing, one effect a request."""

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.common import Answer
from shared.kernel.errors import Unavailable
from shared.kernel.identifiers import new_id
from shared.ledger.batcher import CommandFailedError, GroupCommit
from shared.ledger.commands import Command, Failed
from shared.ledger.engine import create_ledger_engine
from shared.ledger.hashchain import GENESIS, chained
from shared.ledger.references import References
from shared.ledger.vault import Vault
from shared.observability import metrics
from tests.support.ledgers import KEY, ledger_on, policy_on, rows
from tests.support.outbox import unsent
from tests.support.tally import METADATA, Add, Hide, add, event_record


async def test_the_migration_makes_the_tables_that_the_queries_know(ledger_engine: AsyncEngine) -> None:
    def differences(connection: sa.Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), METADATA))

    async with ledger_engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_client_that_vanished_keeps_no_lock_for_long(ledger_engine: AsyncEngine) -> None:
    idle, interval, count = [
        int((await rows(ledger_engine, f"SHOW tcp_keepalives_{name}"))[0][0]) for name in ("idle", "interval", "count")
    ]
    assert 0 < idle + interval * count <= 60


async def test_a_command_writes_event_state_outbox_request_and_wake_together(ledger_engine: AsyncEngine) -> None:
    stream = new_id()

    [answer] = await ledger_on(ledger_engine).execute([add(stream, 3, key="a", note="first")])

    assert isinstance(answer, Answer)
    assert (answer.outcome, answer.subject) == ("accepted", stream)
    assert answer.position is not None
    assert answer.position.sequence == 1
    assert await rows(ledger_engine, "SELECT stream, sequence, type FROM events") == [
        (stream, 1, "jointenforcement.tally.added.v1")
    ]
    assert await rows(ledger_engine, "SELECT total, notes, detail FROM tallies") == [(3, ["first"], {"hidden": False})]
    assert len(await rows(ledger_engine, "SELECT 1 FROM requests")) == 1
    assert await rows(ledger_engine, "SELECT kind FROM wakes") == [("remind",)]


async def test_what_is_published_is_what_is_stored(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    await ledger_on(ledger_engine).execute([add(stream, 1), add(stream, 2)])

    stored = await rows(ledger_engine, "SELECT data, hash FROM events ORDER BY sequence")
    async with ledger_engine.begin() as connection:
        sent = await unsent(connection)

    assert [row.value for row in sent] == [data for data, _ in stored]
    headers = [dict(row.headers) for row in sent]
    assert [int(header["ce_sequence"]) for header in headers] == [1, 2]
    assert "ce_previoushash" not in headers[0]
    assert headers[1]["ce_previoushash"].decode() == stored[0].hash.hex()


async def test_each_event_carries_the_hash_of_its_predecessor(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    await ledger_on(ledger_engine).execute([add(stream, 1), add(stream, 2)])

    head = GENESIS
    for row in await rows(ledger_engine, "SELECT * FROM events ORDER BY sequence"):
        head = chained(
            head,
            event=row.event,
            stream=row.stream,
            sequence=row.sequence,
            type_=row.type,
            at=row.occurred_at,
            data=row.data,
        )
        assert row.hash == head
    assert await rows(ledger_engine, "SELECT head FROM tallies") == [(head,)]


async def test_the_same_request_has_one_effect_and_the_same_answer(ledger_engine: AsyncEngine) -> None:
    ledger = ledger_on(ledger_engine)
    first, in_batch = await ledger.execute([add(new_id(), key="a"), add(new_id(), key="a")])
    [later] = await ledger.execute([add(new_id(), key="a")])

    assert first == in_batch == later
    assert len(await rows(ledger_engine, "SELECT 1 FROM events")) == 1


async def test_every_command_is_counted_by_its_outcome(ledger_engine: AsyncEngine) -> None:
    def counted() -> dict[str, float]:
        outcomes = ("accepted", "refused", "repeated", "failed")
        return {name: metrics.COMMANDS.labels("tally", name)._value.get() for name in outcomes}

    before = counted()
    ledger = ledger_on(ledger_engine)
    await ledger.execute([add(new_id(), 1, key="a"), add(new_id(), -1), add(new_id(), 1, note="crash")])
    await ledger.execute([add(new_id(), 1, key="a"), add(new_id(), 2, key="a")])
    await policy_on(ledger_engine).consume([event_record(new_id(), 1)])

    assert {name: value - before[name] for name, value in counted().items()} == {
        "accepted": 2,
        "refused": 2,
        "repeated": 1,
        "failed": 1,
    }


async def test_a_key_that_is_reused_for_something_else_is_refused(
    ledger_engine: AsyncEngine,
) -> None:
    ledger = ledger_on(ledger_engine)
    await ledger.execute([add(new_id(), 1, key="a")])

    [answer] = await ledger.execute([add(new_id(), 2, key="a")])

    assert isinstance(answer, Answer)
    assert (answer.outcome, answer.code) == ("refused", "key_reused")
    assert len(await rows(ledger_engine, "SELECT 1 FROM events")) == 1


async def test_a_refusal_is_answered_again_as_it_was(ledger_engine: AsyncEngine) -> None:
    ledger = ledger_on(ledger_engine)
    [first] = await ledger.execute([add(new_id(), -1, key="a")])
    [again] = await ledger.execute([add(new_id(), -1, key="a")])

    assert first == again
    assert isinstance(first, Answer)
    assert (first.outcome, first.code) == ("refused", "negative")


async def test_two_creators_of_one_stream_both_have_their_effect(ledger_engine: AsyncEngine) -> None:
    one, other = ledger_on(ledger_engine), ledger_on(ledger_engine)
    for _ in range(20):
        stream = new_id()
        await asyncio.gather(one.execute([add(stream, 1)]), other.execute([add(stream, 2)]))
        async with ledger_engine.connect() as connection:
            total = await connection.exec_driver_sql("SELECT sequence, total FROM tallies WHERE stream = $1", (stream,))
            assert total.one() == (2, 3)


async def test_the_same_new_request_in_two_batches_has_one_effect(ledger_engine: AsyncEngine) -> None:
    one, other = ledger_on(ledger_engine), ledger_on(ledger_engine)
    for number in range(20):
        key = f"key-{number}"
        [[first], [second]] = await asyncio.gather(
            one.execute([add(new_id(), key=key)]), other.execute([add(new_id(), key=key)])
        )
        assert first == second
    assert len(await rows(ledger_engine, "SELECT 1 FROM events")) == 20


async def test_a_table_that_a_migration_changed_under_us_fails_no_command(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    ledger = ledger_on(ledger_engine)
    await ledger.execute([add(stream, 1)])
    async with ledger_engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE tallies ALTER sequence TYPE integer")

    [answer] = await ledger.execute([add(stream, 2)])

    assert isinstance(answer, Answer)
    assert answer.outcome == "accepted"


async def test_batches_on_the_same_rows_in_any_order_never_deadlock_or_lose(ledger_engine: AsyncEngine) -> None:
    streams = [new_id() for _ in range(30)]
    shuffle = random.Random(7)
    batches = [[add(stream) for stream in shuffle.sample(streams, len(streams))] for _ in range(10)]

    await asyncio.gather(*(ledger_on(ledger_engine).execute(batch) for batch in batches))

    assert set(await rows(ledger_engine, "SELECT sequence, total FROM tallies")) == {(10, 10)}


async def test_one_batch_may_be_about_several_aggregates(ledger_engine: AsyncEngine) -> None:
    stream, twin = new_id(), new_id()
    await ledger_on(ledger_engine).execute([add(stream, 1), add(twin, 2, aggregate="twin"), add(stream, 3)])

    assert await rows(ledger_engine, "SELECT total FROM tallies") == [(4,)]
    assert await rows(ledger_engine, "SELECT total FROM twins") == [(2,)]


async def test_a_statement_that_is_refused_is_halved_to_the_command_at_fault(
    ledger_engine: AsyncEngine,
) -> None:
    commands = [add(new_id(), note="nul \x00" if number == 37 else "good") for number in range(100)]

    outcomes = await ledger_on(ledger_engine).execute(commands)

    failed = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, Failed)]
    assert failed == [37]
    assert len(await rows(ledger_engine, "SELECT 1 FROM events")) == 99


async def test_an_exception_concerns_its_command_alone(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    outcomes = await ledger_on(ledger_engine).execute([add(stream, 1), add(stream, 2, note="crash"), add(stream, 4)])

    assert [isinstance(outcome, Failed) for outcome in outcomes] == [False, True, False]
    assert await rows(ledger_engine, "SELECT sequence, total FROM tallies") == [(2, 5)]


async def test_time_never_runs_backwards_in_a_stream(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    ledger = ledger_on(ledger_engine)
    await ledger.execute([add(stream)])
    async with ledger_engine.begin() as connection:
        moved = await connection.exec_driver_sql(
            "UPDATE tallies SET changed_at = changed_at + interval '1 hour' RETURNING changed_at"
        )
        ahead = moved.scalar_one()

    await ledger.execute([add(stream)])

    assert await rows(ledger_engine, "SELECT occurred_at FROM events WHERE sequence = 2") == [(ahead,)]
    assert await rows(ledger_engine, "SELECT changed_at FROM tallies") == [(ahead,)]


async def test_wakes_follow_the_state(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    ledger = ledger_on(ledger_engine)
    await ledger.execute([add(stream, 1)])
    [(first,)] = await rows(ledger_engine, "SELECT due_at FROM wakes")
    await ledger.execute([add(stream, 1)])
    [(second,)] = await rows(ledger_engine, "SELECT due_at FROM wakes")
    await ledger.execute([command_of(stream, Hide())])

    assert (second - first).days == 1
    assert await rows(ledger_engine, "SELECT 1 FROM wakes") == []


async def test_what_was_kept_private_is_sealed_and_can_be_forgotten(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    ledger = ledger_on(ledger_engine)
    await ledger.execute([command_of(stream, Add(amount=1, secret=b"a telephone number"))])
    [(sealed,)] = await rows(ledger_engine, "SELECT sealed FROM private")

    await ledger.execute([command_of(stream, Hide())])

    assert b"telephone" not in sealed
    assert Vault(KEY).open(sealed) == b"a telephone number"
    assert await rows(ledger_engine, "SELECT sealed, revision FROM private") == [(None, 2)]
    async with ledger_engine.begin() as connection:
        contents = [row for row in await unsent(connection) if row.topic == "intake.contents"]
    assert [row.value is None for row in contents] == [False, True]


async def test_a_database_that_is_away_is_our_fault_and_changes_nothing(ledger_engine: AsyncEngine) -> None:
    away = create_ledger_engine("postgresql+asyncpg://nobody:x@127.0.0.1:1/nothing", application="test")
    with pytest.raises(Unavailable):
        await ledger_on(away).execute([add(new_id())])
    await away.dispose()


async def test_concurrent_callers_share_commits_and_each_gets_its_own_answer(ledger_engine: AsyncEngine) -> None:
    streams = [new_id() for _ in range(200)]
    async with GroupCommit(ledger_on(ledger_engine)) as commits:
        answers = await asyncio.gather(*(commits.submit(add(stream)) for stream in streams))

    assert [answer.subject for answer in answers] == streams
    [(transactions,)] = await rows(ledger_engine, "SELECT count(DISTINCT xmin::text) FROM events")
    assert transactions < 20


async def test_a_caller_that_goes_away_cancels_no_batch(ledger_engine: AsyncEngine) -> None:
    async with GroupCommit(ledger_on(ledger_engine)) as commits:
        waiting = asyncio.create_task(commits.submit(add(new_id())))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    assert len(await rows(ledger_engine, "SELECT 1 FROM events")) == 1


async def test_a_caller_hears_of_a_crash(ledger_engine: AsyncEngine) -> None:
    async with GroupCommit(ledger_on(ledger_engine)) as commits:
        with pytest.raises(CommandFailedError, match="told to crash"):
            await commits.submit(add(new_id(), note="crash"))


def command_of(stream: UUID, body: Add | Hide) -> Command:
    return replace(add(stream), body=body)


async def test_reference_documents_are_unavailable_while_the_database_is_away(ledger_engine: AsyncEngine) -> None:
    references = References(ledger_engine)
    async with ledger_engine.connect() as mine:
        await mine.exec_driver_sql("SELECT 1")
        await references.refresh()  # leaves a session in the pool
        await mine.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = current_user AND pid <> pg_backend_pid()"
        )
        with pytest.raises(Unavailable):
            await references.refresh()
