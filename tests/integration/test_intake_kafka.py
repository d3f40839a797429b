"""Intake's worker on real Kafka and PostgreSQL, every party with its own rights and nothing more."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shared.contracts.common import Receipt
from shared.contracts.envelope import CloudEvent, read_event
from shared.contracts.intake import ReportSubmission
from shared.contracts.records import Record
from shared.contracts.reference import Calendar, ReferencePublished, reference_stream
from shared.contracts.registry import (
    DISPATCH_REFERENCE,
    INTAKE_CONTENTS,
    INTAKE_RECEIPTS_PREFIX,
    INTAKE_REPORTS,
    party_uri,
    source_principal,
    topics,
)
from shared.messaging.connection import KafkaConnection
from tests.support import reports
from tests.support.intaking import intake_on, raw_record, received, reference_records, submitted, working
from tests.support.kafka import connection_to, eventually, everything_on, producing
from tests.support.ledgers import rows
from tests.support.reports import CITY, LIBRARY, NOW, TRUSTED, UNTRUSTED
from tests.support.servers import Broker, Postgres, embedded_broker
from tests.support.stories import SYSTEM, event_record
from tests.support.working_hours import day_off

RECEIPTS = INTAKE_RECEIPTS_PREFIX + TRUSTED
OTHER_RECEIPTS = INTAKE_RECEIPTS_PREFIX + UNTRUSTED
DISTINCT, REPEATS = 40, 25


@pytest.fixture(scope="module")
def city_broker() -> Iterator[Broker]:
    """Return a broker of its own: the topics of a city have fixed names."""
    with embedded_broker() as running:
        running.provision(topics((TRUSTED, UNTRUSTED), ()))
        yield running


def connection_as(broker: Broker, principal: str) -> KafkaConnection:
    access = broker.access_of(principal)
    return KafkaConnection(
        bootstrap=(broker.bootstrap,), client_id=principal, username=access.username, password=access.password
    )


async def publish(broker: Broker, principal: str, records: Sequence[Record]) -> None:
    """Append the records to their topics, in their order, as that principal."""
    async with producing(connection_as(broker, principal)) as producer:
        waiting = [
            await producer.send(record.topic, record.value, key=record.key, headers=list(record.headers))
            for record in records
        ]
        await asyncio.gather(*waiting)


def observed(**parts: object) -> ReportSubmission:
    """A complete submission, observed an hour before the broker's clock."""
    return reports.submission(observed_at=datetime.now(UTC) - timedelta(hours=1), **parts)


def events_of(records: Sequence[Record]) -> list[CloudEvent]:
    return [read_event(record.headers, record.value) for record in records]


def receipts_of(records: Sequence[Record]) -> list[Receipt]:
    return [msgspec.json.decode(event.data or b"", type=Receipt) for event in events_of(records)]


async def test_a_source_gets_one_receipt_a_record_and_each_submission_one_effect(
    city_broker: Broker, postgres: Postgres
) -> None:
    bodies = {f"s-{number}": observed(campaign=f"c-{number}") for number in range(DISTINCT)}
    repeats = [submitted(body, id_=id_) for id_, body in bodies.items() for _ in range(REPEATS)]
    random.Random(11).shuffle(repeats)
    poison = [
        raw_record([], b"\x00\xff no event"),
        msgspec.structs.replace(raw_record([("ce_id", b"\xff\xfe")], None), key=b"a tombstone"),
        submitted(b"[" * 50_000),
        submitted(observed(description="another body"), id_="s-0"),
    ]
    later = [submitted(observed(), id_="behind-the-poison")]
    admin = connection_to(city_broker)

    async with (
        intake_on(postgres, with_references=False) as intake,
        working(intake, connection_as(city_broker, "intake")) as health,
    ):
        # The submissions are there before the reference documents: they wait, and none is refused for it.
        await publish(city_broker, source_principal(TRUSTED), [*repeats, *poison, *later])
        await publish(city_broker, source_principal(UNTRUSTED), [submitted(observed(), source=UNTRUSTED)])
        await publish(city_broker, "dispatch", reference_records())

        async def all_answered() -> bool:
            sent = len(repeats) + len(poison) + len(later)
            return (
                len(await everything_on(admin, RECEIPTS)) >= sent
                and len(await everything_on(admin, OTHER_RECEIPTS)) >= 1
            )

        await eventually(all_answered, "a receipt for every record", seconds=60)
        await eventually(lambda: health.readiness().ready, "a ready worker")
        told = receipts_of(await everything_on(admin, RECEIPTS))
        reported = events_of(await everything_on(admin, INTAKE_REPORTS))
        contents = await everything_on(admin, INTAKE_CONTENTS)

    answers: dict[str | None, set[bytes]] = defaultdict(set)
    for receipt in told:
        answers[receipt.request].add(msgspec.json.encode(receipt.answer))
    assert len(told) == len(repeats) + len(poison) + len(later)
    assert all(len(answers[id_]) == 1 for id_ in bodies if id_ != "s-0")
    assert [receipt.answer.code for receipt in told if receipt.request == "s-0"].count("key_reused") == 1
    assert len(answers[None]) == 2
    assert [receipt.answer.outcome for receipt in told if receipt.request == "behind-the-poison"] == ["accepted"]

    streams: dict[str | None, list[int | None]] = defaultdict(list)
    for event in reported:
        streams[event.subject].append(event.sequence)
    assert sorted(streams.values()) == [[1]] + [[1, 2, 3]] * (DISTINCT + 1)
    assert len({record.key for record in contents}) == DISTINCT + 2
    assert {event.source for event in reported} == {party_uri("services", "intake")}


async def test_the_clocks_of_waiting_reports_follow_a_calendar_that_arrives(
    city_broker: Broker, postgres: Postgres
) -> None:
    calendar = LIBRARY.documents["calendar", CITY][1]
    assert isinstance(calendar, Calendar)
    newer = msgspec.structs.replace(calendar, days=(*calendar.days, day_off("2026-11-23")))
    published = ReferencePublished(
        at=NOW, by=SYSTEM, kind="calendar", name=CITY, version=2, document=msgspec.Raw(msgspec.json.encode(newer))
    )
    stream = reference_stream("calendar", CITY)
    second = event_record(DISPATCH_REFERENCE, stream, 2, published, party_uri("services", "dispatch"))
    async with intake_on(postgres) as intake:
        await received(intake, submitted(source=UNTRUSTED))
        async with working(intake, connection_as(city_broker, "intake")):
            await publish(city_broker, "dispatch", [second])

            async def followed() -> bool:
                [waiting] = await rows(intake.engine, "SELECT calendar_version FROM reports")
                return bool(waiting.calendar_version == 2)

            await eventually(followed, "a clock by the newer calendar", seconds=60)
