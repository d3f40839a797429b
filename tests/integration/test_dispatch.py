"""Dispatch as it runs: its worker on real Kafka and PostgreSQL, its API beside it, departments on their own topics."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from services.dispatch.seed import catalogue
from shared.contracts.dispatch import FeedBackLeg, SignLeg
from shared.contracts.envelope import CloudEvent, read_event
from shared.contracts.registry import DISPATCH_CASES
from shared.kernel.identifiers import new_id
from tests.support.dispatch_city import CITY, GHOST, City, running_city
from tests.support.dispatch_client import problem
from tests.support.dispatching import FIRE_LANE_UNITS, act_event
from tests.support.kafka import eventually, everything_on
from tests.support.servers import Broker, Postgres

FIRE, POLICE, STREET, PROPERTY, URBAN = FIRE_LANE_UNITS


@pytest.fixture
async def city(postgres: Postgres, broker: Broker, tmp_path: Path) -> AsyncIterator[City]:
    async with running_city(postgres, broker, tmp_path) as running:
        yield running


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
