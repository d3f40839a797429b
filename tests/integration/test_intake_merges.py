"""Two reports agree on a merge over a topic of their own, on real Kafka and PostgreSQL; their reporters follow."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.intake.app import MERGES
from services.intake.consumers import react
from services.intake.queries import CASES_CONSUMER
from shared.contracts.common import Actor
from shared.contracts.dispatch import CaseClosed
from shared.contracts.envelope import read_event
from shared.contracts.records import Record
from shared.contracts.registry import (
    DISPATCH_CASES,
    INTAKE_MERGES,
    INTAKE_REPORTS,
    PARTITIONS,
    partition_for,
    party_uri,
)
from shared.kernel.identifiers import new_id
from shared.ledger.held import HeldMessage, list_held
from tests.integration.test_intake_kafka import city_broker, connection_as
from tests.support.intake_client import IntakeClient, serving
from tests.support.intaking import intake_on, working
from tests.support.kafka import committed, connection_to, eventually, everything_on, producing
from tests.support.reports import NOW, TRUSTED, UNTRUSTED
from tests.support.servers import Broker, Postgres
from tests.support.stories import event_record

__all__ = ["city_broker"]

CLOSED = CaseClosed(at=NOW, by=Actor(client="dispatch", unit="dispatch", post="system"))
REASON = {"reason_code": "not_found", "reason": "nothing there"}


class City:
    """Intake as a worker on the broker, and its API."""

    def __init__(self, http: IntakeClient, broker: Broker) -> None:
        self.http = http
        self.kafka = connection_to(broker)

    async def reported(self, client: str = UNTRUSTED) -> str:
        response = await self.http.report(client=client)
        assert response.status_code == 201, response.text
        return str(response.json()["subject"])

    async def merge(self, report_id: str, master: str, post: str = "acceptor") -> None:
        body = {"master": master, "reason": "the same heap"}
        answer = await self.http.act(report_id, "merge", post, body)
        assert answer.status_code == 200, answer.text

    async def act(self, report_id: str, name: str, post: str = "acceptor", body: object = None) -> None:
        answer = await self.http.act(report_id, name, post, body)
        assert answer.status_code == 200, answer.text

    async def read(self, report_id: str, post: str = "acceptor", client: str = "console") -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get(f"/v1/reports/{report_id}", post, client)).json()["report"]
        return found

    async def becomes(self, report_id: str, state: str) -> None:
        async def there() -> bool:
            return bool((await self.read(report_id))["state"] == state)

        await eventually(there, f"report {report_id} becomes {state}")

    async def says(self, report_id: str, *names: str) -> None:
        """Wait until these are the short names of everything that the report said of merges, in order."""

        async def said() -> bool:
            records = await everything_on(self.kafka, INTAKE_REPORTS)
            events = [read_event(record.headers, record.value) for record in records]
            mine = [event.type.split(".")[2] for event in events if event.subject == report_id]
            return [name for name in mine if name.startswith("merge")] == list(names)

        await eventually(said, f"report {report_id} says {names}")

    async def everything_is_taken(self) -> None:
        async def taken() -> bool:
            acknowledged = sum(await committed(self.kafka, MERGES, INTAKE_MERGES, partitions=PARTITIONS))
            return acknowledged == len(await everything_on(self.kafka, INTAKE_MERGES))

        await eventually(taken, "everything that reports asked was read")

    async def send(self, key: str, value: bytes | None, headers: tuple[tuple[str, bytes | None], ...] = ()) -> None:
        """Send this on the topic, as a repeat of the relay would, or as nobody should."""
        async with producing(self.kafka) as producer:
            partition = partition_for(key.encode(), PARTITIONS)
            await producer.send_and_wait(
                INTAKE_MERGES, value, key=key.encode(), headers=list(headers), partition=partition
            )

    async def asked(self, *reports: str) -> list[Record]:
        return [
            record
            for record in await everything_on(self.kafka, INTAKE_MERGES)
            if (record.key or b"").decode() in reports
        ]

    async def held(self) -> list[HeldMessage]:
        return await list_held(self.http.intake.engine)


@pytest.fixture
async def city(postgres: Postgres, city_broker: Broker, tmp_path: Path) -> AsyncIterator[City]:
    async with (
        intake_on(postgres) as intake,
        working(intake, connection_as(city_broker, "intake")),
        serving(intake, tmp_path) as http,
    ):
        yield City(http, city_broker)


async def test_a_report_is_merged_and_its_reporter_follows_the_master_to_its_end(city: City) -> None:
    report, master = await city.reported(), await city.reported()
    await city.merge(report, master)
    await city.becomes(report, "merged")
    await city.says(report, "merge_requested", "merged")
    await city.says(master, "merge_admitted", "merge_confirmed")
    waiting = {"report_id": master, "state": "reported", "case": None}
    assert (await city.read(report, "source", UNTRUSTED))["master"] == waiting
    assert (await city.read(master))["carries"] == [report]

    await city.act(master, "accept")
    await city.act(master, "file", "duty_leader")
    closed = event_record(DISPATCH_CASES, UUID(master), 1, CLOSED, party_uri("services", "dispatch"))
    await city.http.intake.ledger.policy(CASES_CONSUMER, react).consume([closed])

    ended = {"case_id": master, "state": "closed", "follows": None}
    followed = {"report_id": master, "state": "filed", "case": ended}
    assert (await city.read(report, "source", UNTRUSTED))["master"] == followed
    listed = (await city.http.get("/v1/reports?state=merged", "source", UNTRUSTED)).json()["items"]
    assert [(one["report_id"], one["master"]) for one in listed] == [(report, followed)]
    records = await city.http.get(f"/v1/reports/{report}", "acceptor")
    assert {clock["standing"] for clock in records.json()["clocks"]} == {"stopped"}


async def test_a_filed_report_takes_another_on(city: City) -> None:
    report, master = await city.reported(), await city.reported(TRUSTED)
    await city.act(report, "accept")
    await city.merge(report, master, "duty_leader")
    await city.becomes(report, "merged")
    assert (await city.read(report))["master"]["case"] == {"case_id": master, "state": "open", "follows": None}


async def test_a_master_that_was_rejected_declines_and_the_report_goes_on_with_its_clock(city: City) -> None:
    report, master = await city.reported(), await city.reported()
    await city.act(master, "reject", body=REASON)
    await city.merge(report, master)
    await city.says(report, "merge_requested", "merge_abandoned")
    await city.says(master, "merge_declined")
    found = await city.http.get(f"/v1/reports/{report}")
    assert (found.json()["report"]["state"], found.json()["report"]["asked"]) == ("reported", None)
    assert [clock["standing"] for clock in found.json()["clocks"]] == ["running"]
    await city.act(report, "accept")


async def test_two_that_ask_each_other_at_once_are_merged_one_way_at_most(city: City) -> None:
    one, other = await city.reported(), await city.reported()
    await city.merge(one, other)
    answer = await city.http.act(other, "merge", "acceptor", {"master": one, "reason": "the same heap"})
    assert (answer.status_code, answer.json().get("code")) in {(200, None), (409, "wrong_state_report_carries_others")}
    await city.everything_is_taken()
    await city.everything_is_taken()

    async def settled() -> bool:
        return [(await city.read(report))["asked"] for report in (one, other)] == [None, None]

    await eventually(settled, "neither asks any more")
    states = [(await city.read(report))["state"] for report in (one, other)]
    assert sorted(states) in (["reported", "reported"], ["merged", "reported"])
    assert await city.held() == []


async def test_what_a_report_asked_twice_is_done_once(city: City) -> None:
    report, master = await city.reported(), await city.reported()
    await city.merge(report, master)
    await city.says(master, "merge_admitted", "merge_confirmed")
    asked = await city.asked(report, master)
    assert len(asked) == 3
    for record in asked:
        await city.send((record.key or b"").decode(), record.value, record.headers)
    await city.everything_is_taken()
    await city.says(report, "merge_requested", "merged")
    await city.says(master, "merge_admitted", "merge_confirmed")
    assert await city.held() == []


async def test_what_cannot_be_read_or_is_about_no_report_is_held_and_the_others_go_on(city: City) -> None:
    report, master, nobody = await city.reported(), await city.reported(), str(new_id())
    await city.send(report, b"hello")
    await city.merge(report, master)
    await city.becomes(report, "merged")
    (asked, *_) = await city.asked(master)
    headers = tuple((name, nobody.encode() if name == "ce_id" else value) for name, value in asked.headers)
    await city.send(nobody, (asked.value or b"").replace(master.encode(), nobody.encode()), headers)
    await city.everything_is_taken()
    dead = await city.held()
    assert [(one.consumer, one.topic) for one in dead] == [(MERGES, INTAKE_MERGES)] * 2
    assert dead[0].reason == "unreadable"
    assert "unknown_report" in str(dead[1].detail)


async def test_a_master_that_does_not_exist_is_not_found_and_nothing_is_asked(city: City) -> None:
    report, nobody = await city.reported(), str(new_id())
    answer = await city.http.act(report, "merge", "acceptor", {"master": nobody, "reason": "the same heap"})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_report")
    assert [error["field"] for error in answer.json()["errors"]] == ["master"]
    for body, code in (({"master": report, "reason": "x"}, "same_report"), ({"master": "x"}, "invalid")):
        refused = await city.http.act(report, "merge", "acceptor", body)
        assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert (await city.read(report))["revision"] == 1
