"""Receiving records of outside parties on real PostgreSQL: receipts, held records, contents that are forgotten."""

import asyncio
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.common import Receipt
from shared.contracts.envelope import CloudEvent, binary_headers, read_event
from shared.contracts.intake import Content, ContentForgotten
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.contracts.registry import HELD, INTAKE_CONTENTS, party_uri
from shared.kernel.errors import Refusal
from shared.kernel.identifiers import new_id
from shared.ledger.arrivals import encode_record
from shared.ledger.commands import Command
from shared.ledger.expiry import expire_held
from shared.ledger.held import list_held, retry_held, skip_held
from shared.ledger.reception import Reception
from shared.ledger.requests import request_of
from shared.ledger.vault import Vault
from tests.support.ledgers import KEY, ledger_on, policy_on, reception_on, rows, sent
from tests.support.outbox import unsent
from tests.support.tally import (
    NOON,
    add,
    event_record,
    outside_record,
    translate,
)


async def test_each_outside_record_gets_one_receipt_and_a_repeat_the_same_one(ledger_engine: AsyncEngine) -> None:
    reception = reception_on(ledger_engine)
    await reception.consume([outside_record("a", 0), outside_record("b", 1), outside_record("a", 2)])
    await reception.consume([outside_record("a", 3)])

    receipts = [
        msgspec.json.decode(raw or b"", type=Receipt) for raw in await sent(ledger_engine, "intake.receipts.tester")
    ]
    assert [receipt.request for receipt in receipts] == ["a", "b", "a", "a"]
    assert receipts[0] == receipts[2] == receipts[3]
    assert len(await rows(ledger_engine, "SELECT 1 FROM events")) == 2


async def test_a_thousand_duplicates_in_two_processes_have_one_effect(ledger_engine: AsyncEngine) -> None:
    records = [outside_record("same", offset) for offset in range(1000)]
    await asyncio.gather(
        reception_on(ledger_engine).consume(records[::2]), reception_on(ledger_engine).consume(records[1::2])
    )

    receipts = await sent(ledger_engine, "intake.receipts.tester")
    assert len(receipts) == 1000
    assert len(set(receipts)) == 1
    assert len(await rows(ledger_engine, "SELECT 1 FROM events")) == 1


async def test_an_outside_record_that_crashes_is_held_once_and_the_others_are_answered(
    ledger_engine: AsyncEngine,
) -> None:
    reception = reception_on(ledger_engine)
    batch = [outside_record("a", 0), outside_record("crash", 1), outside_record("c", 2)]
    await reception.consume(batch)
    await reception.consume(batch)

    assert [held.reason for held in await list_held(ledger_engine)] == ["crashed"]
    receipts = [
        msgspec.json.decode(raw or b"", type=Receipt) for raw in await sent(ledger_engine, "intake.receipts.tester")
    ]
    assert [receipt.request for receipt in receipts] == ["a", "c", "a", "c"]


async def test_an_act_on_a_state_that_cannot_be_read_is_held_and_the_others_are_answered(
    ledger_engine: AsyncEngine,
) -> None:
    broken = new_id()
    await ledger_on(ledger_engine).execute([add(broken)])
    async with ledger_engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE tallies SET state = 'broken'")

    def on_broken(record: Record, library: ReferenceLibrary) -> Command:
        command = translate(record, library)
        return replace(command, stream=broken) if record.value == b"b" else command

    reception = ledger_on(ledger_engine).reception("intake.submissions", on_broken)
    await reception.consume([outside_record(note, offset) for offset, note in enumerate("abc")])

    assert [receipt.request for receipt in await receipts_of(ledger_engine)] == ["a", "c"]
    assert [held.reason for held in await list_held(ledger_engine)] == ["crashed"]


async def test_what_is_refused_and_gets_no_receipt_is_held_and_announced(ledger_engine: AsyncEngine) -> None:
    def unanswered(record: Record, library: ReferenceLibrary) -> Command:
        command = replace(translate(record, library), receipt=None)
        no = Refusal(code="bad_envelope", detail="It has no envelope.")
        by_note = {b"unreadable": replace(command, body=None, refusal=no), b"no": add(command.stream, -1)}
        return by_note.get(record.value or b"", command)

    reception = ledger_on(ledger_engine).reception("intake.submissions", unanswered)
    await reception.consume([outside_record(note, offset) for offset, note in enumerate(("a", "unreadable", "no"))])

    unreadable, refused = await list_held(ledger_engine)
    assert (unreadable.reason, unreadable.detail) == ("unreadable", "It has no envelope.")
    assert refused.reason == "crashed"
    assert "was refused" in (refused.detail or "")
    assert len(await sent(ledger_engine, "intake.dead-letters")) == 2
    assert len(await rows(ledger_engine, "SELECT 1 FROM events")) == 1


async def test_an_outside_record_that_was_given_up_is_answered_so(ledger_engine: AsyncEngine) -> None:
    reception = reception_on(ledger_engine)
    await reception.consume([outside_record("crash", 1)])
    [held] = await list_held(ledger_engine)

    await skip_held(
        ledger_engine, Vault(KEY), held.id, service="intake", operator="operator", reason="Not to be saved."
    )

    [raw] = await sent(ledger_engine, "intake.receipts.tester")
    receipt = msgspec.json.decode(raw or b"", type=Receipt)
    assert (receipt.record, receipt.answer.code) == ("intake.submissions.tester:0:1", "given_up")


async def test_a_request_that_was_given_up_stays_so_when_it_comes_again(ledger_engine: AsyncEngine) -> None:
    await on_requests(ledger_engine, crashing=True).consume([outside_event("x", 1)])
    await give_up(ledger_engine)

    await on_requests(ledger_engine, crashing=False).consume([outside_event("x", 2)])

    assert [receipt.answer.code for receipt in await receipts_of(ledger_engine)] == ["given_up", "given_up"]
    assert await rows(ledger_engine, "SELECT 1 FROM events") == []


async def test_giving_up_a_repeat_of_what_was_accepted_repeats_that_answer(ledger_engine: AsyncEngine) -> None:
    await on_requests(ledger_engine, crashing=True).consume([outside_event("x", 1)])
    await on_requests(ledger_engine, crashing=False).consume([outside_event("x", 2)])

    await give_up(ledger_engine)

    accepted, repeated = await receipts_of(ledger_engine)
    assert accepted.answer.outcome == "accepted"
    assert repeated.answer == accepted.answer


async def test_an_outside_record_is_held_for_ninety_days_and_an_event_of_ours_longer(
    ledger_engine: AsyncEngine,
) -> None:
    await reception_on(ledger_engine).consume([outside_record("crash", 1), outside_record("crash", 2)])
    await policy_on(ledger_engine).consume([event_record(new_id(), 1, note="crash")])
    async with ledger_engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE held SET held_at = held_at - interval '91 days' WHERE id <> 2")

    given_up = await expire_held(ledger_engine, Vault(KEY), service="intake")

    assert given_up == 1
    assert [held.id for held in await list_held(ledger_engine)] == [2, 3]
    assert await rows(ledger_engine, "SELECT act, operator, reason FROM interventions") == [
        ("skip", "retention", "It was held for 90 days.")
    ]
    [receipt] = await receipts_of(ledger_engine)
    assert (receipt.record, receipt.answer.code) == ("intake.submissions.tester:0:1", "given_up")


async def test_an_outside_record_that_was_released_is_handled(ledger_engine: AsyncEngine) -> None:
    await reception_on(ledger_engine).consume([outside_record("crash", 1)])
    [held] = await list_held(ledger_engine)
    await retry_held(ledger_engine, held.id, service="intake", operator="operator", reason="release 2 handles it")

    def healed(record: Record, library: ReferenceLibrary) -> Command:
        return translate(outside_record("healed", record.offset), library)

    assert await ledger_on(ledger_engine).reception("intake.submissions", healed).resume() == 1
    assert await list_held(ledger_engine) == []
    assert len(await sent(ledger_engine, "intake.receipts.tester")) == 1


async def test_contents_are_copied_and_a_tombstone_forgets_them_whatever_comes_late(ledger_engine: AsyncEngine) -> None:
    stream = new_id()
    kept = Content(report_id=stream, description="broken lamp", address=None, photos=())
    first = content_record(stream, 1, msgspec.json.encode(kept))
    tombstone = content_record(stream, 2, None)
    copy = ledger_on(ledger_engine).contents_copy("dispatch.contents")

    await copy.consume([first])
    assert b"broken lamp" in (await rows(ledger_engine, "SELECT data FROM contents"))[0].data
    await copy.consume([tombstone])
    await copy.consume([first])

    assert await rows(ledger_engine, "SELECT revision, data FROM contents") == [(2, None)]


async def test_a_tombstone_forgets_what_was_held_of_its_content_and_nothing_else(ledger_engine: AsyncEngine) -> None:
    forgotten, other = new_id(), new_id()
    unreadable = [
        msgspec.structs.replace(content_record(stream, revision, b"{}"), headers=())
        for stream, revision in ((forgotten, 1), (other, 2))
    ]
    copy = ledger_on(ledger_engine).contents_copy("dispatch.contents")
    await copy.consume(unreadable)

    await copy.consume([content_record(forgotten, 3, None)])

    assert [held.stream for held in await list_held(ledger_engine)] == [other]
    assert await rows(ledger_engine, "SELECT stream, operator, act FROM interventions") == [
        (forgotten, "forgetting", "skip")
    ]


async def test_a_content_that_could_not_be_copied_can_be_released_and_given_up(ledger_engine: AsyncEngine) -> None:
    good, junk = content_record(new_id(), 7, b"{}"), content_record(new_id(), 8, b"{}")
    copy = ledger_on(ledger_engine).contents_copy("dispatch.contents")
    await copy.consume([msgspec.structs.replace(record, headers=()) for record in (good, junk)])
    first, second = await list_held(ledger_engine)
    async with ledger_engine.begin() as connection:
        sealed = Vault(KEY).seal(encode_record(good))  # as if a new release understood it
        await connection.exec_driver_sql("UPDATE held SET record = $1 WHERE id = $2", (sealed, first.id))

    for held in (first, second):
        await retry_held(ledger_engine, held.id, service="intake", operator="operator", reason="release 2 reads it")
    assert await copy.resume() == 2

    assert await rows(ledger_engine, "SELECT revision, data FROM contents") == [(7, b"{}")]
    assert [(held.id, held.reason) for held in await list_held(ledger_engine)] == [(second.id, "unreadable")]
    await skip_held(ledger_engine, Vault(KEY), second.id, service="dispatch", operator="operator", reason="no content")
    assert await list_held(ledger_engine) == []


async def test_the_announcement_of_a_dead_letter_holds_none_of_its_content(ledger_engine: AsyncEngine) -> None:
    await reception_on(ledger_engine).consume([outside_record("crash", 1)])
    async with ledger_engine.begin() as connection:
        [row] = [row for row in await unsent(connection) if row.topic == "intake.dead-letters"]

    assert read_event(row.headers, row.value).type == HELD
    assert b'"crash"' not in (row.value or b"")


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


def outside_event(request: str, offset: int) -> Record:
    source = party_uri("sources", "tester")
    event = CloudEvent(id=request, source=source, type="jointenforcement.tally.add.v1", data=b"{}")
    return msgspec.structs.replace(outside_record("{}", offset), headers=tuple(binary_headers(event)))


def on_requests(engine: AsyncEngine, *, crashing: bool) -> Reception:
    """Return a consumer of outside events that crashes, as release 1 does, or does not."""

    def translated(record: Record, library: ReferenceLibrary) -> Command:
        command = translate(outside_record("crash" if crashing else "fine", record.offset), library)
        return replace(command, request=request_of(record, read_event(record.headers, record.value)))

    return ledger_on(engine).reception("intake.submissions", translated)


async def give_up(engine: AsyncEngine) -> None:
    [held] = await list_held(engine)
    await skip_held(engine, Vault(KEY), held.id, service="intake", operator="operator", reason="Not to be saved.")


async def receipts_of(engine: AsyncEngine) -> list[Receipt]:
    return [msgspec.json.decode(raw or b"", type=Receipt) for raw in await sent(engine, "intake.receipts.tester")]
