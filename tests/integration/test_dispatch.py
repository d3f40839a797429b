"""Dispatch as it runs: its worker on real Kafka and PostgreSQL, its API beside it, departments on their own topics."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec
import pytest

from services.dispatch.app import Dispatch, build_worker, compose_on, migrate_and_seed
from services.dispatch.seed import catalogue
from shared.contracts.common import Answer, Message, Receipt
from shared.contracts.dispatch import FeedBackLeg, LegAction, SignLeg
from shared.contracts.envelope import CloudEvent, binary_headers, read_event
from shared.contracts.registry import (
    ACTIONS_PREFIX,
    ANSWERED,
    DISPATCH_CASES,
    DISPATCH_RECEIPTS_PREFIX,
    INTAKE_REPORTS,
    PARTITIONS,
    partition_for,
    topics,
)
from shared.contracts.tasks import TaskChanged
from shared.kernel.identifiers import new_id
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault
from shared.messaging.connection import KafkaConnection
from shared.observability.health import Health
from tests.support.dispatch_client import DispatchClient, dispatch_client, problem
from tests.support.dispatching import FIRE_LANE_UNITS, act_event, envelopes, filed_events
from tests.support.kafka import connection_to, eventually, everything_on, producing
from tests.support.servers import Broker, Postgres
from tests.support.web import Keys

CITY = "jiaohe"
FIRE, POLICE, STREET, PROPERTY, URBAN = FIRE_LANE_UNITS
GHOST = "ghost-office"
"""Has topics, but is no unit of the city."""

M = TypeVar("M", bound=Message)


class City:
    """Dispatch running, and everybody who meets it at its topics and its API."""

    def __init__(self, dispatch: Dispatch, kafka: KafkaConnection, http: DispatchClient) -> None:
        self.dispatch = dispatch
        self.kafka = kafka
        self.http = http

    async def publish(self, topic: str, events: Sequence[CloudEvent], *, partitions: int = 1) -> None:
        async with producing(self.kafka) as producer:
            for event in events:
                key = (event.subject or event.id).encode()
                await producer.send_and_wait(
                    topic,
                    event.data,
                    key=key,
                    headers=binary_headers(event),
                    partition=partition_for(key, partitions),
                )

    async def file(self, version: int = 1) -> UUID:
        """Publish what intake says of a complete report; return the case's id."""
        case_id = new_id()
        await self.publish(INTAKE_REPORTS, envelopes(case_id, filed_events(version)), partitions=PARTITIONS)
        return case_id

    async def state(self, case_id: UUID) -> str | None:
        response = await self.http.get(f"/v1/cases/{case_id}")
        return response.json()["case"]["state"] if response.status_code == 200 else None

    async def reaches(self, case_id: UUID, state: str) -> None:
        async def there() -> bool:
            return await self.state(case_id) == state

        await eventually(there, f"case {case_id} is {state}")

    async def messages(self, department: str, type_: str, message: type[M]) -> list[M]:
        """Return everything of this type that the department's receipts topic holds."""
        records = await everything_on(self.kafka, f"{DISPATCH_RECEIPTS_PREFIX}{department}")
        events = [read_event(record.headers, record.value) for record in records]
        return [msgspec.json.decode(event.data or b"", type=message) for event in events if event.type == type_]

    async def tasks(self, department: str, case_id: UUID) -> list[TaskChanged]:
        found = await self.messages(department, TaskChanged.type, TaskChanged)
        return [task for task in found if task.case_id == case_id]

    async def answers(self, department: str, *events: CloudEvent) -> list[Answer]:
        """Send these on the department's topic and return their answers, in order."""
        await self.publish(f"{ACTIONS_PREFIX}{department}", events)
        found: dict[str | None, Answer] = {}

        async def all_answered() -> bool:
            receipts = await self.messages(department, ANSWERED, Receipt)
            found.update({receipt.request: receipt.answer for receipt in receipts})
            return all(event.id in found for event in events)

        await eventually(all_answered, f"{department} is answered")
        return [found[event.id] for event in events]

    async def act(self, department: str, *acts: LegAction) -> list[Answer]:
        return await self.answers(department, *[act_event(department, act) for act in acts])


@pytest.fixture
async def city(postgres: Postgres, broker: Broker, tmp_path: Path) -> AsyncIterator[City]:
    broker.create_topics(topics((), (*FIRE_LANE_UNITS, GHOST)))
    engine = create_ledger_engine(postgres.fresh_database("dispatch"), application="test")
    dispatch = compose_on(engine, Vault(bytes(32)), CITY)
    await migrate_and_seed(dispatch)
    kafka = connection_to(broker)
    worker = build_worker(dispatch, kafka, health=Health())
    running = asyncio.create_task(worker.run())
    async with dispatch_client(dispatch, Keys(tmp_path)) as http:
        yield City(dispatch, kafka, http)
    worker.stop()
    await running
    await engine.dispose()


async def test_a_filed_report_is_handled_over_topics_checked_over_http_and_closed(city: City) -> None:
    case_id = await city.file()
    await city.reaches(case_id, "dispatched")
    for leg, unit in enumerate(FIRE_LANE_UNITS, start=1):

        async def told(unit: str = unit) -> bool:
            return bool(await city.tasks(unit, case_id))

        await eventually(told, f"{unit} hears of its task")
        (task,) = await city.tasks(unit, case_id)
        assert (task.change, task.leg, task.unit, task.revision) == ("assigned", leg, unit, 1)

    signed = await asyncio.gather(
        *(
            city.act(unit, SignLeg(case_id=case_id, leg=leg, expected_revision=1))
            for leg, unit in enumerate(FIRE_LANE_UNITS, start=1)
        )
    )
    assert [answer.outcome for (answer,) in signed] == ["accepted"] * 5
    waiver = {"reason": "the lane is a private one"}
    waived = await city.http.post(f"/v1/cases/{case_id}/legs/4/waive", waiver, "city-leadership", "leader")
    assert waived.status_code == 200, waived.text
    for leg, unit in ((2, POLICE), (3, STREET), (5, URBAN), (1, FIRE)):
        done = FeedBackLeg(case_id=case_id, leg=leg, closing_condition="lane clear", expected_revision=2)
        (answer,) = await city.act(unit, done)
        assert answer.outcome == "accepted", answer
    assert (await city.http.check(case_id, passed=True)).status_code == 200
    closed = await city.http.close(case_id)
    assert closed.status_code == 200, closed.text
    assert await city.state(case_id) == "closed"

    (late,) = await city.act(FIRE, SignLeg(case_id=case_id, leg=1))
    assert (late.outcome, late.code) == ("refused", "wrong_state_case_closed")
    await the_stream_is_complete(city, case_id, int(closed.headers["Joint-Position"].rsplit(":", 1)[1]))
    changes = [task.change for task in await city.tasks(PROPERTY, case_id)]
    assert changes == ["assigned", "signed", "waived", "closed"]


async def the_stream_is_complete(city: City, case_id: UUID, last: int) -> None:
    """`dispatch.cases` holds the case's events 1..last, in order, on its key."""

    async def all_there() -> bool:
        return len(await sequences(city, case_id)) >= last

    await eventually(all_there, "every event of the case is on dispatch.cases")
    assert await sequences(city, case_id) == list(range(1, last + 1))


async def sequences(city: City, case_id: UUID) -> list[int | None]:
    records = await everything_on(city.kafka, DISPATCH_CASES)
    mine = [record for record in records if record.key == str(case_id).encode()]
    return [read_event(record.headers, record.value).sequence for record in mine]


async def test_what_a_department_may_not_do_is_answered_by_name(city: City) -> None:
    case_id = await city.file()
    await city.reaches(case_id, "dispatched")
    sign = SignLeg(case_id=case_id, leg=1)
    data = msgspec.to_builtins(sign)
    asserted = CloudEvent(
        id=str(new_id()),
        source="/joint/departments/public-security",
        type=SignLeg.type,
        data=msgspec.json.encode({**data, "post": "duty_leader"}),
    )
    closing = CloudEvent(
        id=str(new_id()),
        source="/joint/departments/public-security",
        type="jointenforcement.case.closed.v1",
        data=b"{}",
    )
    answers = await city.answers(
        POLICE,
        act_event(POLICE, sign),
        act_event(POLICE, SignLeg(case_id=case_id, leg=2, expected_revision=9)),
        asserted,
        closing,
        act_event(FIRE, sign),
    )
    assert [(answer.outcome, answer.code) for answer in answers] == [
        ("refused", "not_entitled_other_leg"),
        ("refused", "stale_revision"),
        ("refused", "invalid"),
        ("refused", "centre_act_over_topic"),
        ("refused", "wrong_source"),
    ]
    assert answers[1].revision == 1
    assert [error.field for error in answers[2].errors] == ["post"]
    (ghost,) = await city.act(GHOST, sign)
    assert (ghost.outcome, ghost.code) == ("refused", "not_entitled_unknown_unit")
    assert await city.state(case_id) == "dispatched"


async def test_a_report_waits_for_its_catalogue_version_and_holds_up_nobody(city: City) -> None:
    waiting = await city.file(version=2)
    other = await city.file()
    await city.reaches(other, "dispatched")
    held = await city.http.get(f"/v1/cases/{waiting}?after=intake.reports:{waiting}:3")
    assert (held.status_code, held.json()["state"]) == (202, "waiting")
    published = await city.http.post(
        "/v1/reference/catalogue/jiaohe",
        msgspec.to_builtins(catalogue(CITY)),
        "joint-administration",
        "administrator",
    )
    assert published.status_code == 201, published.text
    await city.reaches(waiting, "dispatched")
    dossier = (await city.http.get(f"/v1/cases/{waiting}")).json()
    assert dossier["explanation"]["catalogue_version"] == 2


async def test_a_case_whose_departments_act_at_the_same_time_meets_no_false_conflict(city: City) -> None:
    case_id = await city.file()
    await city.reaches(case_id, "dispatched")
    over_http = [
        city.http.leg(case_id, leg, "sign", unit, {"expected_revision": 1})
        for leg, unit in ((2, POLICE), (3, STREET), (4, PROPERTY), (5, URBAN))
    ]
    over_topic = city.act(FIRE, SignLeg(case_id=case_id, leg=1, expected_revision=1))
    (answer,), responses = await asyncio.gather(over_topic, asyncio.gather(*over_http))
    assert answer.outcome == "accepted"
    assert [response.status_code for response in responses] == [200] * 4
    stale = await city.http.leg(case_id, 2, "feedback", POLICE, {"closing_condition": "x", "expected_revision": 1})
    assert problem(stale, 409, "stale_revision")["revision"] == 2
