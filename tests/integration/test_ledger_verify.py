"""Verification, seals and republishing on real PostgreSQL; what was published is read back from the outbox."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.records import Record
from shared.kernel.identifiers import new_id
from shared.ledger.engine import create_ledger_engine
from shared.ledger.hashchain import chained
from shared.ledger.ledger import Ledger
from shared.ledger.references import References
from shared.ledger.republish import republish
from shared.ledger.seals import Seal, seal_if_due
from shared.ledger.vault import Vault
from shared.ledger.verify import Verification, verify
from tests.support.outbox import drained
from tests.support.servers import Postgres
from tests.support.tally import NOON, TALLIES, TWINS, add, migrate

AGGREGATES = (TALLIES, TWINS)
MOMENT = timedelta(milliseconds=1)


@dataclass
class Published:
    """What a relay would have sent: the outbox, drained in order, topic by topic."""

    records: dict[str, list[Record]] = field(default_factory=dict)

    async def drain(self, engine: AsyncEngine) -> None:
        async with engine.begin() as connection:
            rows = await drained(connection)
        for row in rows:
            topic = self.records.setdefault(row.topic, [])
            topic.append(
                Record(
                    topic=row.topic,
                    partition=0,
                    offset=len(topic),
                    timestamp=NOON,
                    key=row.key,
                    headers=row.headers,
                    value=row.value,
                )
            )

    async def read(self, topic: str) -> AsyncIterator[Sequence[Record]]:
        yield self.records.get(topic, [])


@pytest.fixture
async def engine(postgres: Postgres) -> AsyncIterator[AsyncEngine]:
    engine = create_ledger_engine(postgres.fresh_database("verify"), application="test")
    await migrate(engine)
    ledger = Ledger(
        engine=engine,
        service="intake",
        aggregates=AGGREGATES,
        vault=Vault(bytes(32)),
        references=References(engine),
    )
    streams = [new_id() for _ in range(5)]
    await ledger.execute([add(stream, number, note="n") for stream in streams for number in (1, 2, 3)])
    await ledger.execute([add(new_id(), 1, aggregate="twin")])
    yield engine
    await engine.dispose()


async def verified(engine: AsyncEngine, published: Published) -> Verification:
    return await verify(engine, service="intake", aggregates=AGGREGATES, read_topic=published.read)


async def change(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql(statement)


async def rewrite_last_events(engine: AsyncEngine) -> None:
    """Change the third event of every stream and give it the hash that fits: no chain is broken."""
    async with engine.begin() as connection:
        rows = await connection.exec_driver_sql(
            "SELECT e.*, p.hash AS before FROM events e "
            "JOIN events p ON p.stream = e.stream AND p.sequence = e.sequence - 1 WHERE e.sequence = 3"
        )
        for row in rows.all():
            data = row.data.replace(b"3", b"7")
            fitting = chained(
                row.before,
                event=row.event,
                stream=row.stream,
                sequence=row.sequence,
                type_=row.type,
                at=row.occurred_at,
                data=data,
            )
            await connection.exec_driver_sql(
                "UPDATE events SET data = $1, hash = $2 WHERE event = $3", (data, fitting, row.event)
            )


async def sealed(engine: AsyncEngine) -> Seal:
    await asyncio.sleep(0.01)
    seal = await seal_if_due(engine, "intake", every=MOMENT, settled=timedelta(0))
    assert seal is not None
    return seal


async def test_an_untouched_ledger_equals_its_topics_its_states_and_its_seals(engine: AsyncEngine) -> None:
    seal = await sealed(engine)
    published = Published()
    await published.drain(engine)

    result = await verified(engine, published)

    assert result.differences == []
    assert (result.streams, result.events, result.states, result.records, result.seals) == (6, 16, 6, 16, 1)
    assert (seal.streams, seal.events) == (6, 16)


async def test_what_still_waits_in_the_outbox_is_no_difference(engine: AsyncEngine) -> None:
    result = await verified(engine, Published())
    assert (result.equal, result.unpublished) == (True, 16)


async def test_repeats_on_a_topic_are_counted_and_compared(engine: AsyncEngine) -> None:
    published = Published()
    await published.drain(engine)
    published.records["intake.reports"] += published.records["intake.reports"][:4]

    result = await verified(engine, published)

    assert (result.equal, result.repeats) == (True, 4)


@pytest.mark.parametrize(
    "statement, difference",
    [
        (
            "UPDATE events SET data = convert_to(replace(convert_from(data, 'UTF8'), '2', '7'), 'UTF8')",
            "was changed",
        ),
        ("DELETE FROM events WHERE sequence = 2", "is missing"),
        ("UPDATE tallies SET total = total + 1", "column total"),
        ("UPDATE tallies SET state = convert_to('{}', 'UTF8')", "not the fold"),
        ("DELETE FROM tallies", "has no row"),
        ("INSERT INTO twins SELECT gen_random_uuid(), 1, head, changed_at, state, 1, '{}', '{}' FROM twins", "belong"),
    ],
)
async def test_a_change_by_hand_is_seen(engine: AsyncEngine, statement: str, difference: str) -> None:
    published = Published()
    await published.drain(engine)
    await change(engine, statement)

    result = await verified(engine, published)

    assert any(difference in text for text in result.differences), result.differences


@pytest.mark.parametrize("how", ["rewritten", "cut off"])
async def test_history_that_was_rewritten_with_fitting_hashes_breaks_its_seal(engine: AsyncEngine, how: str) -> None:
    await sealed(engine)
    published = Published()
    await published.drain(engine)
    if how == "rewritten":
        await rewrite_last_events(engine)
    else:
        await change(engine, "DELETE FROM events WHERE sequence = 3")

    result = await verified(engine, published)

    assert any("history before it was changed" in text for text in result.differences)


async def test_an_event_that_a_topic_lost_or_disordered_is_seen(engine: AsyncEngine) -> None:
    published = Published()
    await published.drain(engine)
    lost = Published(records={"intake.reports": published.records["intake.reports"][:-1]})
    first, second, *rest = published.records["intake.reports"]
    disordered = Published(records={"intake.reports": [second, first, *rest]})

    assert any("are not on the topic" in text for text in (await verified(engine, lost)).differences)
    assert any("follows 0" in text for text in (await verified(engine, disordered)).differences)


async def test_a_period_is_sealed_once_whatever_replicas_try(engine: AsyncEngine) -> None:
    year = timedelta(days=365)
    seals = await asyncio.gather(*(seal_if_due(engine, "intake", every=year) for _ in range(3)))
    assert len([seal for seal in seals if seal is not None]) == 1


async def test_a_period_is_not_sealed_while_a_batch_may_still_write_into_it(engine: AsyncEngine) -> None:
    ledger = Ledger(
        engine=engine, service="intake", aggregates=AGGREGATES, vault=Vault(bytes(32)), references=References(engine)
    )
    async with engine.begin() as writing:  # a batch that has not committed yet
        await ledger._run(writing, [add(new_id(), 1)], None)
        await asyncio.sleep(0.01)
        assert await seal_if_due(engine, "intake", every=MOMENT, settled=timedelta(0)) is None

    assert (await sealed(engine)).streams == 7


async def test_a_seal_that_is_made_during_the_verification_is_no_difference(engine: AsyncEngine) -> None:
    published = Published()

    async def sealing_meanwhile(topic: str) -> AsyncIterator[Sequence[Record]]:
        before = list(published.records.get(topic, []))
        if topic == "intake.seals":
            await asyncio.sleep(0.01)
            await seal_if_due(engine, "intake", every=MOMENT, settled=timedelta(0))
            await published.drain(engine)
        yield before

    result = await verify(engine, service="intake", aggregates=AGGREGATES, read_topic=sealing_meanwhile)

    assert not [text for text in result.differences if "seal" in text]


async def test_a_topic_can_be_filled_anew_with_the_same_bytes(engine: AsyncEngine) -> None:
    published = Published()
    await published.drain(engine)
    pages: list[int] = []

    count = await republish(
        engine, service="intake", aggregate="tally", topic="intake.reports-2", progress=pages.append
    )
    await published.drain(engine)

    again = published.records["intake.reports-2"]
    tallies = {record.key for record in again}
    original = [record for record in published.records["intake.reports"] if record.key in tallies]
    by_place = sorted((record.key or b"", dict(record.headers)["ce_sequence"] or b"", record.value) for record in again)
    assert (count, sum(pages)) == (15, 15)
    assert by_place == sorted(
        (record.key or b"", dict(record.headers)["ce_sequence"] or b"", record.value) for record in original
    )
    assert [record.headers for record in sorted(again, key=lambda r: str(dict(r.headers)["ce_id"]))] == [
        record.headers for record in sorted(original, key=lambda r: str(dict(r.headers)["ce_id"]))
    ]
