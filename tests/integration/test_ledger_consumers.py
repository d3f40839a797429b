"""Consuming with the ledger on real PostgreSQL: order, gaps, repeats, dead letters, releases, receipts."""

import asyncio
import random

import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.envelope import read_event
from shared.contracts.records import Record
from shared.contracts.reference import ReferencePublished, Units, reference_stream
from shared.kernel.errors import Unavailable
from shared.kernel.identifiers import new_id
from shared.ledger.commands import Delivery
from shared.ledger.engine import create_ledger_engine
from shared.ledger.held import HeldMessageError, list_held, retry_held, show_held, skip_held
from shared.ledger.interventions import list_interventions
from shared.ledger.patience import repeat
from shared.ledger.positions import reached
from shared.ledger.seals import keep_sealing
from shared.ledger.vault import Vault
from tests.support.ledgers import EVENTS, KEY, ledger_on, notes, policy_on, reception_on, rows, sent
from tests.support.outbox import unsent
from tests.support.tally import (
    ACTOR,
    NOON,
    event_record,
    outside_record,
    react,
)


async def test_events_of_a_stream_are_taken_once_and_in_order_whatever_comes(ledger_engine: AsyncEngine) -> None:
    streams = [new_id() for _ in range(20)]
    records = [event_record(stream, sequence, note=str(sequence)) for stream in streams for sequence in range(1, 11)]
    shuffle = random.Random(11)
    arriving = shuffle.sample(records * 3, len(records) * 3)

    policy = policy_on(ledger_engine)
    for batch in chunks(arriving, 37):
        await policy.consume(batch)

    for stream in streams:
        assert await notes(ledger_engine, stream) == [str(number) for number in range(1, 11)]
    assert await list_held(ledger_engine) == []


async def test_two_owners_of_the_same_records_have_one_effect(ledger_engine: AsyncEngine) -> None:
    streams = [new_id() for _ in range(40)]
    records = [event_record(stream, sequence, note=str(sequence)) for stream in streams for sequence in (1, 2, 3)]

    await asyncio.gather(*(policy_on(ledger_engine).consume(records) for _ in range(4)))

    assert {tuple(row.notes) for row in await rows(ledger_engine, "SELECT notes FROM tallies")} == {("1", "2", "3")}


async def test_a_gap_waits_until_the_hole_is_filled(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    policy = policy_on(ledger_engine)
    await policy.consume([event_record(stream, 3, note="c"), event_record(stream, 2, note="b")])
    assert await notes(ledger_engine, stream) == []
    async with ledger_engine.connect() as connection:
        assert await reached(connection, EVENTS, "dispatch.cases", stream, 3) == "waiting"
        assert await reached(connection, EVENTS, "dispatch.cases", stream, 1) == "behind"

    await policy.consume([event_record(stream, 1, note="a")])

    assert await notes(ledger_engine, stream) == ["a", "b", "c"]
    assert await list_held(ledger_engine) == []


async def test_a_crash_holds_its_own_stream_and_nobody_elses(ledger_engine: AsyncEngine) -> None:
    bad, good = new_id(), new_id()
    await policy_on(ledger_engine).consume(
        [
            event_record(bad, 1, note="a"),
            event_record(bad, 2, note="crash"),
            event_record(good, 1, note="x"),
            event_record(bad, 3, note="c"),
            event_record(good, 2, note="y"),
        ]
    )

    assert await notes(ledger_engine, bad) == ["a"]
    assert await notes(ledger_engine, good) == ["x", "y"]
    assert [(held.sequence, held.reason) for held in await list_held(ledger_engine)] == [(2, "crashed"), (3, None)]
    async with ledger_engine.connect() as connection:
        seen = [await reached(connection, EVENTS, "dispatch.cases", bad, sequence) for sequence in (1, 2, 3, 4)]
    assert seen == ["reached", "held", "held", "held"]
    [announced] = await sent(ledger_engine, "intake.dead-letters")
    assert b"crash" in (announced or b"")


async def test_a_record_that_cannot_be_read_is_held_and_its_stream_waits(ledger_engine: AsyncEngine) -> None:
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
    policy = policy_on(ledger_engine)
    batch = [poison, keyless, event_record(bad, 2, note="b"), event_record(good, 1, note="x")]
    await policy.consume(batch)
    await policy.consume(batch)

    assert await notes(ledger_engine, good) == ["x"]
    held = await list_held(ledger_engine)
    assert sorted((row.sequence, row.reason) for row in held if row.stream == bad) == [(1, "unreadable"), (2, None)]
    assert [row.reason for row in held if row.stream != bad] == ["unreadable"]


@pytest.mark.parametrize(
    "header",
    [("ce_sequence", b"9" * 20), ("ce_sequence", b"9" * 5000), ("content-type", b"text/\x00")],
    ids=["sequence beyond any", "sequence of 5000 digits", "U+0000 in what is said about it"],
)
async def test_whatever_is_in_a_record_it_can_be_held(ledger_engine: AsyncEngine, header: tuple[str, bytes]) -> None:
    bad, good = new_id(), new_id()
    poison = msgspec.structs.replace(event_record(bad, 1), headers=(header,))

    await policy_on(ledger_engine).consume([poison, event_record(good, 1, note="x")])

    assert await notes(ledger_engine, good) == ["x"]
    assert [(held.stream, held.reason) for held in await list_held(ledger_engine)] == [(bad, "unreadable")]


@pytest.mark.parametrize("together", [True, False])
async def test_an_event_is_taken_though_something_unreadable_was_held_in_its_place(
    ledger_engine: AsyncEngine, *, together: bool
) -> None:
    stream = new_id()
    policy = policy_on(ledger_engine)
    junk = msgspec.structs.replace(event_record(stream, 1, offset=77), headers=())
    events = [event_record(stream, 1, note="a"), event_record(stream, 2, note="b")]
    for batch in [[junk, *events]] if together else [[junk], events]:
        await policy.consume(batch)

    assert await notes(ledger_engine, stream) == ["a", "b"]
    [dead] = await list_held(ledger_engine)
    assert (dead.reason, dead.stream != stream) == ("unreadable", True)
    await skip_held(ledger_engine, Vault(KEY), dead.id, service="intake", operator="operator", reason="no event")
    await policy.consume([event_record(stream, 3, note="c")])
    assert await notes(ledger_engine, stream) == ["a", "b", "c"]


async def test_what_the_database_refuses_is_found_in_the_batch_and_held(ledger_engine: AsyncEngine) -> None:
    streams = [new_id() for _ in range(50)]
    records = [event_record(stream, 1, note="nul \x00" if stream == streams[17] else "good") for stream in streams]
    records += [event_record(streams[17], 2, note="behind"), event_record(streams[18], 2, note="more")]

    await policy_on(ledger_engine).consume(records)

    held = await list_held(ledger_engine)
    assert [(row.stream, row.sequence, row.reason) for row in held] == [
        (streams[17], 1, "database_refused_22021"),
        (streams[17], 2, None),
    ]
    assert len(await rows(ledger_engine, "SELECT 1 FROM tallies")) == 49
    assert await notes(ledger_engine, streams[18]) == ["good", "more"]


async def test_a_state_that_cannot_be_read_holds_its_own_stream_and_nobody_elses(ledger_engine: AsyncEngine) -> None:
    bad, good = new_id(), new_id()
    policy = policy_on(ledger_engine)
    await policy.consume([event_record(stream, 1, note="a") for stream in (bad, good)])
    async with ledger_engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE tallies SET state = 'broken' WHERE stream = $1", (bad,))

    await policy.consume([event_record(stream, 2, note="b") for stream in (bad, good)])

    assert await notes(ledger_engine, good) == ["a", "b"]
    assert [(held.stream, held.sequence, held.reason) for held in await list_held(ledger_engine)] == [
        (bad, 2, "crashed")
    ]


async def test_a_released_message_and_what_waits_behind_it_go_on_in_order(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    policy = policy_on(ledger_engine)
    await policy.consume([event_record(stream, number, note="crash" if number == 1 else "n") for number in (1, 2, 3)])
    [dead, *_] = await list_held(ledger_engine)

    await retry_held(ledger_engine, dead.id, service="intake", operator="operator", reason="release 2 handles it")
    healed = ledger_on(ledger_engine).policy(
        EVENTS, lambda delivery, library: react(healed_delivery(delivery), library)
    )
    assert await healed.resume() == 1

    assert await notes(ledger_engine, stream) == ["healed", "n", "n"]
    assert await list_held(ledger_engine) == []
    assert [row.act for row in await rows(ledger_engine, "SELECT act FROM interventions")] == ["retry"]


async def test_a_release_that_crashes_again_is_held_again(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    policy = policy_on(ledger_engine)
    await policy.consume([event_record(stream, 1, note="crash"), event_record(stream, 2, note="n")])
    [dead, _] = await list_held(ledger_engine)

    await retry_held(ledger_engine, dead.id, service="intake", operator="operator", reason="try")
    await policy.resume()

    assert [(held.sequence, held.reason) for held in await list_held(ledger_engine)] == [(1, "crashed"), (2, None)]
    assert await policy.resume() == 0


async def test_skipping_moves_the_position_and_is_recorded_with_its_reason(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    policy = policy_on(ledger_engine)
    await policy.consume([event_record(stream, 1, note="crash"), event_record(stream, 2, note="n")])
    [dead, waiting] = await list_held(ledger_engine)
    with pytest.raises(HeldMessageError, match="no dead letter"):
        await skip_held(ledger_engine, Vault(KEY), waiting.id, service="intake", operator="operator", reason="no")

    await skip_held(ledger_engine, Vault(KEY), dead.id, service="intake", operator="operator", reason="known duplicate")
    await policy.resume()

    assert await notes(ledger_engine, stream) == ["n"]
    [done] = await list_interventions(ledger_engine)
    assert (done.act, done.operator, done.reason) == ("skip", "operator", "known duplicate")
    assert (done.topic, done.stream, done.sequence) == ("dispatch.cases", stream, 1)
    async with ledger_engine.begin() as connection:
        *_, announced = [row for row in await unsent(connection) if row.topic == "intake.dead-letters"]
    assert read_event(announced.headers, announced.value).type == "jointenforcement.message.dealt_with.v1"
    assert msgspec.json.decode(announced.value or b"") == {
        "consumer": EVENTS,
        "topic": "dispatch.cases",
        "stream": str(stream),
        "sequence": 1,
        "act": "skip",
        "operator": "operator",
        "reason": "known duplicate",
    }


async def test_held_bytes_are_sealed_and_can_be_shown_to_an_operator(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    await policy_on(ledger_engine).consume([event_record(stream, 1, note="crash"), event_record(stream, 2)])
    sealed = [row.record for row in await rows(ledger_engine, "SELECT record FROM held")]
    [held, _] = await list_held(ledger_engine)

    shown = await show_held(ledger_engine, Vault(KEY), held.id)

    assert not any(b"crash" in one for one in sealed)
    assert shown.record.value == b'{"note":"crash"}'
    assert (shown.message, shown.behind) == (held, 1)


async def test_an_event_that_names_a_reference_version_waits_for_it_and_continues(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    ledger = ledger_on(ledger_engine)
    policy = ledger.policy(EVENTS, react)
    await policy.consume([event_record(stream, 1, note="wait:1"), event_record(stream, 2, note="after")])
    assert await policy.resume() == 0
    assert await notes(ledger_engine, stream) == []

    published = ReferencePublished(
        at=NOON, by=ACTOR, kind="units", name="jiaohe", version=1, document=msgspec.Raw(EMPTY_UNITS)
    )
    reference = reference_stream("units", "jiaohe")
    record = event_record(
        reference, 1, topic="dispatch.reference", type_=ReferencePublished.type, data=msgspec.json.encode(published)
    )
    await ledger.reference_copy("intake.reference").consume([record, record])

    assert await policy.resume() == 1
    assert await notes(ledger_engine, stream) == ["wait:1", "after"]


async def test_a_database_that_is_away_holds_nothing_and_skips_nothing() -> None:
    away = create_ledger_engine("postgresql+asyncpg://nobody:x@127.0.0.1:1/nothing", application="test")
    with pytest.raises(Unavailable):
        await policy_on(away).consume([event_record(new_id(), 1)])
    with pytest.raises(Unavailable):
        await reception_on(away).consume([outside_record("a", 0)])
    await away.dispose()


EMPTY_UNITS = msgspec.json.encode(Units(units=(), sources=()))


def healed_delivery(delivery: Delivery) -> Delivery:
    data = (delivery.event.data or b"").replace(b'"crash"', b'"healed"')
    return msgspec.structs.replace(delivery, event=msgspec.structs.replace(delivery.event, data=data))


def chunks(records: list[Record], size: int) -> list[list[Record]]:
    return [records[start : start + size] for start in range(0, len(records), size)]


async def test_repeated_work_outlives_a_database_that_is_away() -> None:
    away = create_ledger_engine("postgresql+asyncpg://nobody:x@127.0.0.1:1/nothing", application="test")
    tasks = [
        asyncio.create_task(policy_on(away).keep_resuming(0.01)),
        asyncio.create_task(reception_on(away).keep_resuming(0.01)),
        asyncio.create_task(keep_sealing(away, "intake")),
    ]
    done, waiting = await asyncio.wait(tasks, timeout=0.5)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await away.dispose()

    assert done == set()


async def test_repeated_work_that_has_a_bug_says_so() -> None:
    async def buggy() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        await repeat("buggy", buggy, 0.01)
