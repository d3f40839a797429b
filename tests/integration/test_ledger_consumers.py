"""Consuming with the ledger on real PostgreSQL: order, gaps, repeats, dead letters, releases, receipts."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.common import Receipt
from shared.contracts.envelope import CloudEvent, binary_headers, read_event
from shared.contracts.intake import Content, ContentForgotten
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.contracts.reference import ReferencePublished, Units, reference_stream
from shared.contracts.registry import HELD, INTAKE_CONTENTS, party_uri
from shared.kernel.errors import Unavailable
from shared.kernel.identifiers import new_id
from shared.ledger.commands import Command, Delivery
from shared.ledger.consumption import Consumption
from shared.ledger.engine import create_ledger_engine
from shared.ledger.held import HeldMessageError, list_held, retry_held, show_held, skip_held
from shared.ledger.ledger import Ledger
from shared.ledger.outbox import read_outbox
from shared.ledger.positions import reached
from shared.ledger.reception import Reception
from shared.ledger.references import References
from shared.ledger.vault import Vault
from tests.support.servers import Postgres
from tests.support.tally import (
    ACTOR,
    NOON,
    TALLIES,
    TWINS,
    event_record,
    migrate,
    outside_record,
    react,
    translate,
)

KEY = bytes(range(32))
EVENTS = "intake.events"


@pytest.fixture
async def engine(postgres: Postgres) -> AsyncIterator[AsyncEngine]:
    engine = create_ledger_engine(postgres.fresh_database("consumers"), application="test")
    await migrate(engine)
    yield engine
    await engine.dispose()


def ledger_on(engine: AsyncEngine) -> Ledger:
    return Ledger(
        engine=engine,
        service="intake",
        aggregates=(TALLIES, TWINS),
        vault=Vault(KEY),
        references=References(engine),
    )


def policy_on(engine: AsyncEngine) -> Consumption:
    return ledger_on(engine).policy(EVENTS, react)


def reception_on(engine: AsyncEngine) -> Reception:
    return ledger_on(engine).reception("intake.submissions", translate)


async def rows(engine: AsyncEngine, statement: str) -> list[Any]:
    async with engine.connect() as connection:
        return list((await connection.exec_driver_sql(statement)).all())


async def notes(engine: AsyncEngine, stream: UUID) -> list[str]:
    async with engine.connect() as connection:
        found = await connection.exec_driver_sql("SELECT notes FROM tallies WHERE stream = $1", (stream,))
        return list(found.scalar() or [])


async def sent(engine: AsyncEngine, topic: str) -> list[bytes | None]:
    async with engine.begin() as connection:
        return [row.value for row in await read_outbox(connection, 10_000) if row.topic == topic]


async def test_events_of_a_stream_are_taken_once_and_in_order_whatever_comes(engine: AsyncEngine) -> None:
    streams = [new_id() for _ in range(20)]
    records = [event_record(stream, sequence, note=str(sequence)) for stream in streams for sequence in range(1, 11)]
    shuffle = random.Random(11)
    arriving = shuffle.sample(records * 3, len(records) * 3)

    policy = policy_on(engine)
    for batch in chunks(arriving, 37):
        await policy.consume(batch)

    for stream in streams:
        assert await notes(engine, stream) == [str(number) for number in range(1, 11)]
    assert await list_held(engine) == []


async def test_two_owners_of_the_same_records_have_one_effect(engine: AsyncEngine) -> None:
    streams = [new_id() for _ in range(40)]
    records = [event_record(stream, sequence, note=str(sequence)) for stream in streams for sequence in (1, 2, 3)]

    await asyncio.gather(*(policy_on(engine).consume(records) for _ in range(4)))

    assert {tuple(row.notes) for row in await rows(engine, "SELECT notes FROM tallies")} == {("1", "2", "3")}


async def test_a_gap_waits_until_the_hole_is_filled(engine: AsyncEngine) -> None:
    stream = new_id()
    policy = policy_on(engine)
    await policy.consume([event_record(stream, 3, note="c"), event_record(stream, 2, note="b")])
    assert await notes(engine, stream) == []
    async with engine.connect() as connection:
        assert await reached(connection, EVENTS, "dispatch.cases", stream, 3) == "held"

    await policy.consume([event_record(stream, 1, note="a")])

    assert await notes(engine, stream) == ["a", "b", "c"]
    assert await list_held(engine) == []


async def test_a_crash_holds_its_own_stream_and_nobody_elses(engine: AsyncEngine) -> None:
    bad, good = new_id(), new_id()
    await policy_on(engine).consume(
        [
            event_record(bad, 1, note="a"),
            event_record(bad, 2, note="crash"),
            event_record(good, 1, note="x"),
            event_record(bad, 3, note="c"),
            event_record(good, 2, note="y"),
        ]
    )

    assert await notes(engine, bad) == ["a"]
    assert await notes(engine, good) == ["x", "y"]
    assert [(held.sequence, held.reason) for held in await list_held(engine)] == [(2, "crashed"), (3, None)]
    [announced] = await sent(engine, "intake.dead-letters")
    assert b"crash" in (announced or b"")


async def test_a_record_that_cannot_be_read_is_held_and_its_stream_waits(engine: AsyncEngine) -> None:
    bad, good = new_id(), new_id()
    poison = Record(
        topic="dispatch.cases",
        partition=0,
        offset=50,
        timestamp=NOON,
        key=str(bad).encode(),
        headers=(("ce_type", b"\xff\xfe"),),
        value=b"\x00",
    )
    keyless = Record(topic="dispatch.cases", partition=0, offset=51, timestamp=NOON, key=None, headers=(), value=None)
    policy = policy_on(engine)
    batch = [poison, keyless, event_record(bad, 2, note="b"), event_record(good, 1, note="x")]
    await policy.consume(batch)
    await policy.consume(batch)

    assert await notes(engine, good) == ["x"]
    held = await list_held(engine)
    assert sorted((row.sequence, row.reason) for row in held if row.stream == bad) == [(1, "unreadable"), (2, None)]
    assert [row.reason for row in held if row.stream != bad] == ["unreadable"]


async def test_what_the_database_refuses_is_found_in_the_batch_and_held(engine: AsyncEngine) -> None:
    streams = [new_id() for _ in range(50)]
    records = [event_record(stream, 1, note="nul \x00" if stream == streams[17] else "good") for stream in streams]
    records += [event_record(streams[17], 2, note="behind"), event_record(streams[18], 2, note="more")]

    await policy_on(engine).consume(records)

    held = await list_held(engine)
    assert [(row.stream, row.sequence, row.reason) for row in held] == [
        (streams[17], 1, "database_refused_22P05"),
        (streams[17], 2, None),
    ]
    assert len(await rows(engine, "SELECT 1 FROM tallies")) == 49
    assert await notes(engine, streams[18]) == ["good", "more"]


async def test_a_released_message_and_what_waits_behind_it_go_on_in_order(engine: AsyncEngine) -> None:
    stream = new_id()
    policy = policy_on(engine)
    await policy.consume([event_record(stream, number, note="crash" if number == 1 else "n") for number in (1, 2, 3)])
    [dead, *_] = await list_held(engine)

    await retry_held(engine, dead.id, operator="operator", reason="release 2 handles it")
    healed = ledger_on(engine).policy(EVENTS, lambda delivery, library: react(healed_delivery(delivery), library))
    assert await healed.resume() == 1

    assert await notes(engine, stream) == ["healed", "n", "n"]
    assert await list_held(engine) == []
    assert [row.act for row in await rows(engine, "SELECT act FROM interventions")] == ["retry"]


async def test_a_release_that_crashes_again_is_held_again(engine: AsyncEngine) -> None:
    stream = new_id()
    policy = policy_on(engine)
    await policy.consume([event_record(stream, 1, note="crash"), event_record(stream, 2, note="n")])
    [dead, _] = await list_held(engine)

    await retry_held(engine, dead.id, operator="operator", reason="try")
    await policy.resume()

    assert [(held.sequence, held.reason) for held in await list_held(engine)] == [(1, "crashed"), (2, None)]
    assert await policy.resume() == 0


async def test_skipping_moves_the_position_and_is_recorded_with_its_reason(engine: AsyncEngine) -> None:
    stream = new_id()
    policy = policy_on(engine)
    await policy.consume([event_record(stream, 1, note="crash"), event_record(stream, 2, note="n")])
    [dead, waiting] = await list_held(engine)
    with pytest.raises(HeldMessageError, match="no dead letter"):
        await skip_held(engine, Vault(KEY), waiting.id, service="intake", operator="operator", reason="no")

    await skip_held(engine, Vault(KEY), dead.id, service="intake", operator="operator", reason="known duplicate")
    await policy.resume()

    assert await notes(engine, stream) == ["n"]
    assert await rows(engine, "SELECT act, operator, reason FROM interventions") == [
        ("skip", "operator", "known duplicate")
    ]


async def test_held_bytes_are_sealed_and_can_be_shown_to_an_operator(engine: AsyncEngine) -> None:
    stream = new_id()
    await policy_on(engine).consume([event_record(stream, 1, note="crash")])
    [(sealed,)] = await rows(engine, "SELECT record FROM held")
    [held] = await list_held(engine)

    record = await show_held(engine, Vault(KEY), held.id)

    assert b"crash" not in sealed
    assert record.value == b'{"note":"crash"}'


async def test_an_event_that_names_a_reference_version_waits_for_it_and_continues(engine: AsyncEngine) -> None:
    stream = new_id()
    ledger = ledger_on(engine)
    policy = ledger.policy(EVENTS, react)
    await policy.consume([event_record(stream, 1, note="wait:1"), event_record(stream, 2, note="after")])
    assert await policy.resume() == 0
    assert await notes(engine, stream) == []

    published = ReferencePublished(
        at=NOON, by=ACTOR, kind="units", name="jiaohe", version=1, document=msgspec.Raw(EMPTY_UNITS)
    )
    reference = reference_stream("units", "jiaohe")
    record = event_record(
        reference, 1, topic="dispatch.reference", type_=ReferencePublished.type, data=msgspec.json.encode(published)
    )
    await ledger.reference_copy("intake.reference").consume([record, record])

    assert await policy.resume() == 1
    assert await notes(engine, stream) == ["wait:1", "after"]


async def test_each_outside_record_gets_one_receipt_and_a_repeat_the_same_one(engine: AsyncEngine) -> None:
    reception = reception_on(engine)
    await reception.consume([outside_record("a", 0), outside_record("b", 1), outside_record("a", 2)])
    await reception.consume([outside_record("a", 3)])

    receipts = [msgspec.json.decode(raw or b"", type=Receipt) for raw in await sent(engine, "intake.receipts.tester")]
    assert [receipt.request for receipt in receipts] == ["a", "b", "a", "a"]
    assert receipts[0] == receipts[2] == receipts[3]
    assert len(await rows(engine, "SELECT 1 FROM events")) == 2


async def test_a_thousand_duplicates_in_two_processes_have_one_effect(engine: AsyncEngine) -> None:
    records = [outside_record("same", offset) for offset in range(1000)]
    await asyncio.gather(reception_on(engine).consume(records[::2]), reception_on(engine).consume(records[1::2]))

    receipts = await sent(engine, "intake.receipts.tester")
    assert len(receipts) == 1000
    assert len(set(receipts)) == 1
    assert len(await rows(engine, "SELECT 1 FROM events")) == 1


async def test_an_outside_record_that_crashes_is_held_once_while_the_others_are_answered(engine: AsyncEngine) -> None:
    reception = reception_on(engine)
    batch = [outside_record("a", 0), outside_record("crash", 1), outside_record("c", 2)]
    await reception.consume(batch)
    await reception.consume(batch)

    assert [held.reason for held in await list_held(engine)] == ["crashed"]
    receipts = [msgspec.json.decode(raw or b"", type=Receipt) for raw in await sent(engine, "intake.receipts.tester")]
    assert [receipt.request for receipt in receipts] == ["a", "c", "a", "c"]


async def test_an_outside_record_that_was_given_up_is_answered_so(engine: AsyncEngine) -> None:
    reception = reception_on(engine)
    await reception.consume([outside_record("crash", 1)])
    [held] = await list_held(engine)

    await skip_held(engine, Vault(KEY), held.id, service="intake", operator="operator", reason="Not to be saved.")

    [raw] = await sent(engine, "intake.receipts.tester")
    receipt = msgspec.json.decode(raw or b"", type=Receipt)
    assert (receipt.record, receipt.answer.code) == ("intake.submissions.tester:0:1", "given_up")


async def test_an_outside_record_that_was_released_is_handled(engine: AsyncEngine) -> None:
    await reception_on(engine).consume([outside_record("crash", 1)])
    [held] = await list_held(engine)
    await retry_held(engine, held.id, operator="operator", reason="release 2 handles it")

    def healed(record: Record, library: ReferenceLibrary) -> Command:
        return translate(outside_record("healed", record.offset), library)

    assert await ledger_on(engine).reception("intake.submissions", healed).resume() == 1
    assert await list_held(engine) == []
    assert len(await sent(engine, "intake.receipts.tester")) == 1


async def test_contents_are_copied_and_a_tombstone_forgets_them_whatever_comes_late(engine: AsyncEngine) -> None:
    stream = new_id()
    kept = Content(report_id=stream, description="broken lamp", address=None, photos=())
    first = content_record(stream, 1, msgspec.json.encode(kept))
    tombstone = content_record(stream, 2, None)
    copy = ledger_on(engine).contents_copy("dispatch.contents")

    await copy.consume([first])
    assert b"broken lamp" in (await rows(engine, "SELECT data FROM contents"))[0].data
    await copy.consume([tombstone])
    await copy.consume([first])

    assert await rows(engine, "SELECT revision, data FROM contents") == [(2, None)]


async def test_a_database_that_is_away_holds_nothing_and_skips_nothing() -> None:
    away = create_ledger_engine("postgresql+asyncpg://nobody:x@127.0.0.1:1/nothing", application="test")
    with pytest.raises(Unavailable):
        await policy_on(away).consume([event_record(new_id(), 1)])
    with pytest.raises(Unavailable):
        await reception_on(away).consume([outside_record("a", 0)])
    await away.dispose()


async def test_the_announcement_of_a_dead_letter_holds_none_of_its_content(engine: AsyncEngine) -> None:
    await reception_on(engine).consume([outside_record("crash", 1)])
    async with engine.begin() as connection:
        [row] = [row for row in await read_outbox(connection, 10) if row.topic == "intake.dead-letters"]

    assert read_event(row.headers, row.value).type == HELD
    assert b'"crash"' not in (row.value or b"")


EMPTY_UNITS = msgspec.json.encode(Units(units=(), sources=()))


def healed_delivery(delivery: Delivery) -> Delivery:
    data = (delivery.event.data or b"").replace(b'"crash"', b'"healed"')
    return replace(delivery, event=msgspec.structs.replace(delivery.event, data=data))


def content_record(stream: UUID, revision: int, value: bytes | None) -> Record:
    event = CloudEvent(
        id=str(new_id()),
        source=party_uri("services", "intake"),
        type=Content.type if value else ContentForgotten.type,
        subject=str(stream),
        sequence=revision,
        data=value,
    )
    return Record(
        topic=INTAKE_CONTENTS,
        partition=0,
        offset=revision,
        timestamp=NOON,
        key=str(stream).encode(),
        headers=tuple(binary_headers(event)),
        value=value,
    )


def chunks(records: list[Record], size: int) -> list[list[Record]]:
    return [records[start : start + size] for start in range(0, len(records), size)]
