"""An outside party's connection on real Kafka: it misses nothing from the instant that it names, in both modes."""

import asyncio
from datetime import UTC, datetime, timedelta

from aiokafka.structs import OffsetAndTimestamp, TopicPartition

from shared.contracts.envelope import CloudEvent, read_event
from shared.contracts.records import Record
from shared.messaging.client import Mode, PartyClient
from tests.support.kafka import connection_to, eventually
from tests.support.servers import Broker


def event(number: int) -> CloudEvent:
    return CloudEvent(
        id=f"event-{number}",
        source="/joint/sources/test",
        type="jointenforcement.test.happened.v1",
        time=datetime.now(UTC),
        data=b'{"number": %d}' % number,
    )


def looping(broker: Broker, topic: str, since: datetime) -> PartyClient:
    """Return a party that hears what it sends itself."""
    return PartyClient(connection_to(broker), outgoing=topic, incoming=topic, since=since)


async def heard(party: PartyClient, count: int) -> list[Record]:
    records: list[Record] = []
    async with asyncio.timeout(20):
        async for record in party.receive():
            records.append(record)
            if len(records) == count:
                break
    return records


def ids(records: list[Record]) -> list[str]:
    return [read_event(record.headers, record.value).id for record in records]


async def test_both_modes_arrive_as_the_same_event(broker: Broker) -> None:
    modes: tuple[Mode, Mode] = ("binary", "structured")
    async with looping(broker, broker.fresh_topic("party"), datetime.now(UTC)) as party:
        for mode in modes:
            await party.send(event(1), mode=mode)
        binary, structured = [read_event(record.headers, record.value) for record in await heard(party, 2)]
    assert (binary.id, binary.source, binary.type) == (structured.id, structured.source, structured.type)
    assert binary.data == b'{"number": 1}'
    assert structured.data == b'{"number":1}'


async def test_a_party_that_starts_again_reads_from_the_instant_that_it_names(broker: Broker) -> None:
    topic = broker.fresh_topic("party")
    async with looping(broker, topic, datetime.now(UTC)) as party:
        await party.send(event(1))
        between = datetime.now(UTC) + timedelta(milliseconds=5)
        await eventually(lambda: datetime.now(UTC) > between, "the instant has passed")
        await party.send(event(2))
        await party.send(event(3))
    async with looping(broker, topic, between) as again:
        assert ids(await heard(again, 2)) == ["event-2", "event-3"]


async def test_what_was_there_before_the_instant_is_not_read(broker: Broker) -> None:
    topic = broker.fresh_topic("party")
    async with looping(broker, topic, datetime.now(UTC)) as party:
        await party.send(event(1))
    async with looping(broker, topic, datetime.now(UTC) + timedelta(seconds=1)) as later:
        await later.send(event(2))
        assert ids(await heard(later, 1)) == ["event-2"]


async def test_what_arrives_while_a_party_is_starting_is_not_missed(broker: Broker) -> None:
    topic = broker.fresh_topic("party")
    async with looping(broker, topic, datetime.now(UTC)) as other:
        starting = looping(broker, topic, datetime.now(UTC))
        look_up = starting._consumer.offsets_for_times

        async def look_up_just_before_a_record(
            instants: dict[TopicPartition, int],
        ) -> dict[TopicPartition, OffsetAndTimestamp | None]:
            found: dict[TopicPartition, OffsetAndTimestamp | None] = await look_up(instants)
            await other.send(event(1))
            return found

        starting._consumer.offsets_for_times = look_up_just_before_a_record
        async with starting:
            assert ids(await heard(starting, 1)) == ["event-1"]
