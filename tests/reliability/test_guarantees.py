"""Guarantees that only show when something is in the way: what mutations of the code had survived before."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.common import Receipt
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.kernel.errors import Unavailable
from shared.kernel.identifiers import new_id
from shared.ledger.commands import Command
from shared.ledger.draft import OutboxRow
from shared.ledger.relaying import Outbox
from shared.ledger.transaction import in_transaction
from shared.ledger.write import write_outbox
from shared.messaging.consumer import Subscription
from shared.messaging.partitions import PartitionSender
from shared.messaging.relay import Relay
from shared.observability import metrics
from tests.support.kafka import committed, connection_to, eventually, everything_on, running, send_values
from tests.support.ledgers import ledger_on, notes, policy_on, rows, sent
from tests.support.servers import Broker, unique_name
from tests.support.tally import NOON, Add, add, event_record, outside_record, translate

TOO_LARGE = 2 * 1024 * 1024


@pytest.mark.parametrize("table", ["events", "requests", "positions"])
async def test_the_database_itself_refuses_a_second_row_of_one_key(ledger_engine: AsyncEngine, table: str) -> None:
    """I-2, I-4, I-6: the last line, whatever the code above it believes."""
    await ledger_on(ledger_engine).execute([add(new_id(), key="a")])
    await policy_on(ledger_engine).consume([event_record(new_id(), 1)])
    assert await rows(ledger_engine, f"SELECT 1 FROM {table}") != []

    async with ledger_engine.begin() as connection:
        with pytest.raises(IntegrityError) as refused:
            await connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM {table}")

    assert isinstance(refused.value.orig, Exception)
    assert getattr(refused.value.orig, "sqlstate", None) == asyncpg.UniqueViolationError.sqlstate


async def test_one_id_on_two_topics_is_two_streams(ledger_engine: AsyncEngine) -> None:
    """I-6: a case has the id of its report, and both count from 1."""
    stream = new_id()

    def report(sequence: int, note: str) -> Record:
        return event_record(stream, sequence, topic="intake.reports", note=note)

    policy = policy_on(ledger_engine)
    await policy.consume([event_record(stream, 1, note="a"), event_record(stream, 2, note="b")])
    await policy.consume([report(1, "c")])
    await policy.consume([event_record(stream, 3, note="d"), report(2, "e")])

    assert sorted(await notes(ledger_engine, stream)) == ["a", "b", "c", "d", "e"]
    assert await rows(ledger_engine, "SELECT topic, sequence FROM positions ORDER BY topic") == [
        ("dispatch.cases", 3),
        ("intake.reports", 2),
    ]


async def test_owners_that_go_on_with_the_same_streams_have_one_effect(ledger_engine: AsyncEngine) -> None:
    """I-6: the streams have positions already, so that no unique key decides who is first."""
    streams = [new_id() for _ in range(20)]
    await policy_on(ledger_engine).consume([event_record(stream, 1, note="1") for stream in streams])

    for sequence in range(2, 7):
        batch = [event_record(stream, sequence, note=str(sequence)) for stream in streams]
        await asyncio.gather(*(policy_on(ledger_engine).consume(batch) for _ in range(3)))

    expected = ("1", "2", "3", "4", "5", "6")
    assert {tuple(row.notes) for row in await rows(ledger_engine, "SELECT notes FROM tallies")} == {expected}


async def test_a_refused_record_gets_a_receipt_as_an_accepted_one_does(ledger_engine: AsyncEngine) -> None:
    """I-3: exactly one outcome, whichever it is."""

    def judged(record: Record, library: ReferenceLibrary) -> Command:
        command = translate(record, library)
        return replace(command, body=Add(amount=-1)) if record.value == b"bad" else command

    reception = ledger_on(ledger_engine).reception("intake.submissions", judged)
    await reception.consume([outside_record("good", 0), outside_record("bad", 1)])

    receipts = [
        msgspec.json.decode(raw or b"", type=Receipt) for raw in await sent(ledger_engine, "intake.receipts.tester")
    ]
    assert [(receipt.request, receipt.answer.outcome) for receipt in receipts] == [
        ("good", "accepted"),
        ("bad", "refused"),
    ]


async def test_a_batch_that_waited_for_a_row_decides_once_and_on_what_it_waited_for(
    ledger_engine: AsyncEngine,
) -> None:
    """I-4: the lock, and not only the key of the events, which would make the batch run again and at last fail."""
    stream = new_id()
    ledger = ledger_on(ledger_engine)
    await ledger.execute([add(stream, 1)])
    reruns = metrics.BATCH_RERUNS._value.get()
    written = asyncio.Event()

    async def slow(connection: AsyncConnection) -> None:
        await ledger._run(connection, [add(stream, 2)], None)
        written.set()
        await eventually(lambda: _somebody_waits(ledger_engine), "the other batch waits for the row")

    first = asyncio.create_task(in_transaction(ledger_engine, slow))
    await written.wait()
    await asyncio.gather(first, ledger.execute([add(stream, 4)]))

    assert await rows(ledger_engine, "SELECT sequence, total FROM tallies") == [(3, 7)]
    assert metrics.BATCH_RERUNS._value.get() == reruns


async def test_the_now_of_a_batch_is_later_than_what_it_waited_for(ledger_engine: AsyncEngine) -> None:
    """I-18: an instant from before the wait would lie before what has happened meanwhile."""
    contended, other = new_id(), new_id()
    ledger = ledger_on(ledger_engine)
    await ledger.execute([add(contended)])

    async with ledger_engine.begin() as holder:
        await holder.exec_driver_sql("SELECT 1 FROM tallies WHERE stream = $1 FOR UPDATE", (contended,))
        batch = asyncio.create_task(ledger.execute([add(contended), add(other)]))
        await eventually(lambda: _somebody_waits(ledger_engine), "the batch waits for the row")
        released_at = (await holder.exec_driver_sql("SELECT clock_timestamp()")).scalar_one()
    await batch

    assert await _occurred_at(ledger_engine, other) > released_at


async def _somebody_waits(engine: AsyncEngine) -> bool:
    found = await rows(
        engine, "SELECT 1 FROM pg_stat_activity WHERE usename = current_user AND wait_event_type = 'Lock'"
    )
    return found != []


async def _occurred_at(engine: AsyncEngine, stream: UUID) -> object:
    [(instant,)] = await rows(engine, f"SELECT occurred_at FROM events WHERE stream = '{stream}'")
    return instant


async def test_what_waits_is_sent_in_the_order_in_which_it_was_written(ledger_engine: AsyncEngine) -> None:
    """I-4: a round takes the oldest, whatever was committed after it."""
    stream = new_id()
    ledger = ledger_on(ledger_engine)
    for _ in range(4):
        await ledger.execute([add(stream)])

    async with Outbox(ledger_engine, service=unique_name("service")).lease() as leased:
        assert leased is not None
        async with leased.round(1, ()) as first:
            assert [_sequence(row) for row in first.rows] == [1]
        async with leased.round(100, ()) as everything:
            assert [_sequence(row) for row in everything.rows] == [1, 2, 3, 4]


def _sequence(row: OutboxRow) -> int:
    return int(dict(row.headers)["ce_sequence"])


async def test_what_was_sent_of_a_lot_leaves_it_and_the_rest_stays(ledger_engine: AsyncEngine) -> None:
    """I-1: the broker may take one partition's messages and not another's."""
    streams = [new_id() for _ in range(4)]
    await ledger_on(ledger_engine).execute([add(stream, note=str(number)) for number, stream in enumerate(streams)])
    written = await sent(ledger_engine, "intake.reports")

    async with Outbox(ledger_engine, service=unique_name("service")).lease() as leased:
        assert leased is not None
        async with leased.round(100, ()) as round_:
            await round_.sent({round_.rows[0].id, round_.rows[2].id})

    assert len(written) == 4
    assert await sent(ledger_engine, "intake.reports") == [written[1], written[3]]


async def test_one_relay_of_a_service_is_active_and_the_next_takes_over(ledger_engine: AsyncEngine) -> None:
    """I-4: of a service, not of all."""
    service = unique_name("service")
    ours, theirs = Outbox(ledger_engine, service=service), Outbox(ledger_engine, service=unique_name("service"))

    async with ours.lease() as active:
        assert active is not None
        async with ours.lease() as standing_by, theirs.lease() as another:
            assert standing_by is None
            assert another is not None
    async with ours.lease() as successor:
        assert successor is not None


async def test_a_batch_is_acknowledged_when_its_handler_is_done_and_not_before(broker: Broker) -> None:
    """I-1, I-8: what is acknowledged too early is lost with the process."""
    connection, topic, group = connection_to(broker), broker.fresh_topic("late"), unique_name("group")
    await send_values(connection, topic, [b"1", b"2", b"3"])
    failures = [Unavailable("no database"), ValueError("a bug")]
    acknowledged_meanwhile: list[list[int]] = []

    async def handle(records: Sequence[Record]) -> None:
        acknowledged_meanwhile.append(await committed(connection, group, topic))
        if failures:
            raise failures.pop(0)

    async def everything_is_acknowledged() -> bool:
        return await committed(connection, group, topic) == [3]

    async with running(connection, Subscription(group=group, topics=(topic,), handle=handle)):
        await eventually(everything_is_acknowledged, "the group has committed the end")
    assert acknowledged_meanwhile == [[0], [0], [0]]


async def test_what_the_broker_did_not_take_stays_in_the_outbox(broker: Broker, ledger_engine: AsyncEngine) -> None:
    """I-1, I-4: the row that is refused, and whatever lies behind it in its partition."""
    topic = broker.fresh_topic("refused")
    values = [b"1", b"x" * TOO_LARGE, b"3"]
    async with ledger_engine.begin() as connection:
        await connection.exec_driver_sql("SELECT 1")  # begins the transaction
        await write_outbox(
            connection, [OutboxRow(topic=topic, key=b"key", headers=(), value=value) for value in values], NOON
        )

    async with _relaying(ledger_engine, broker):
        await eventually(lambda: _published(broker, topic, values[:1]), "the first row was sent")

    assert await sent(ledger_engine, topic) == values[1:]
    assert await _published(broker, topic, values[:1])


@asynccontextmanager
async def _relaying(engine: AsyncEngine, broker: Broker) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    relay = Relay(Outbox(engine, service=unique_name("service")), PartitionSender(connection_to(broker)))
    work = asyncio.create_task(relay.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await work


async def _published(broker: Broker, topic: str, values: Sequence[bytes]) -> bool:
    return [record.value for record in await everything_on(connection_to(broker), topic)] == list(values)
