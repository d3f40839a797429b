"""Two cases agree on a merge over a topic of their own, on real Kafka and PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from services.dispatch.app import MERGES
from shared.contracts.envelope import read_event
from shared.contracts.records import Record
from shared.contracts.registry import DISPATCH_CASES, DISPATCH_MERGES, HELD, PARTITIONS, MessageHeld, partition_for
from shared.kernel.identifiers import new_id
from shared.ledger.held import HeldMessage, list_held, skip_held
from tests.support.dispatch_city import City, running_city
from tests.support.dispatch_client import SUPERVISION, problem
from tests.support.kafka import committed, eventually, everything_on, producing
from tests.support.servers import Broker, Postgres


@pytest.fixture
async def city(postgres: Postgres, broker: Broker, tmp_path: Path) -> AsyncIterator[City]:
    async with running_city(postgres, broker, tmp_path) as running:
        yield running


async def two_cases(city: City) -> tuple[UUID, UUID]:
    case_id, master = await city.file(), await city.file()
    await city.reaches(case_id, "dispatched")
    await city.reaches(master, "dispatched")
    return case_id, master


async def act(city: City, case_id: UUID, name: str, post: str = "duty_leader", **body: object) -> None:
    unit = SUPERVISION if post == "duty_leader" else "city-leadership"
    answer = await city.http.post(f"/v1/cases/{case_id}/{name}", {"reason": "the same heap", **body}, unit, post)
    assert answer.status_code == 200, answer.text


async def said(city: City, case_id: UUID) -> list[str]:
    """Return the short names of everything that the case said of merges, in order."""
    events = [read_event(record.headers, record.value) for record in await everything_on(city.kafka, DISPATCH_CASES)]
    names = [event.type.split(".")[2] for event in events if event.subject == str(case_id)]
    return [name for name in names if "merge" in name or name == "voided"]


async def says(city: City, case_id: UUID, *names: str) -> None:
    async def all_said() -> bool:
        return await said(city, case_id) == list(names)

    await eventually(all_said, f"case {case_id} says {names}")


async def test_a_case_is_merged_goes_on_by_itself_and_leaves_a_master_that_is_voided(city: City) -> None:
    case_id, master = await two_cases(city)

    await act(city, case_id, "merge", master=str(master))
    await city.reaches(case_id, "merged")
    await says(city, master, "merge_admitted")
    refused = await city.http.leg(case_id, 1, "sign", "fire-rescue")
    problem(refused, 409, "wrong_state_case_merged")

    await act(city, case_id, "unmerge")
    await city.reaches(case_id, "dispatched")
    await says(city, master, "merge_admitted", "merge_released")

    await act(city, case_id, "merge", master=str(master))
    await city.reaches(case_id, "merged")
    proposal = {"reason": "not_found", "ground": "nothing was there"}
    proposed = await city.http.post(f"/v1/cases/{master}/void-proposals", proposal, SUPERVISION, "duty_leader")
    assert proposed.status_code == 200, proposed.text
    await act(city, master, "void-decision", post="leader", approved=True)
    await city.reaches(case_id, "dispatched")
    await says(city, master, "merge_admitted", "merge_released", "merge_admitted", "voided", "merge_released")
    assert await said(city, case_id) == ["merge_requested", "merged", "unmerged"] * 2
    assert await city.state(master) == "voided"


async def test_a_master_that_is_void_declines_and_the_case_goes_on(city: City) -> None:
    case_id, master = await two_cases(city)
    proposal = {"reason": "duplicate", "ground": "the other one"}
    await city.http.post(f"/v1/cases/{master}/void-proposals", proposal, SUPERVISION, "duty_leader")
    await act(city, master, "void-decision", post="leader", approved=True)

    await act(city, case_id, "merge", master=str(master))
    await says(city, case_id, "merge_requested", "merge_abandoned")
    await says(city, master, "voided", "merge_declined")
    assert await city.state(case_id) == "dispatched"

    await everything_is_taken(city)
    assert await held(city) == []


async def test_what_a_case_asked_twice_is_done_once(city: City) -> None:
    case_id, master = await two_cases(city)
    await act(city, case_id, "merge", master=str(master))
    await city.reaches(case_id, "merged")
    asked = [
        record for record in await everything_on(city.kafka, DISPATCH_MERGES) if of_one_of(record, case_id, master)
    ]
    assert sorted(record.key or b"" for record in asked) == sorted(str(each).encode() for each in (master, case_id))

    for record in asked:
        await ask(city, record.key or b"", record.value, record.headers)

    await everything_is_taken(city)
    assert await said(city, case_id) == ["merge_requested", "merged"]
    assert await said(city, master) == ["merge_admitted"]
    assert await held(city) == []


async def test_what_cannot_be_read_is_held_and_announced_and_the_others_go_on(city: City) -> None:
    case_id, master = await two_cases(city)
    key = str(case_id).encode()
    await ask(city, key, b"hello")

    await act(city, case_id, "merge", master=str(master))
    await city.reaches(case_id, "merged")

    [dead] = await held(city)
    assert (dead.consumer, dead.topic, dead.reason) == (MERGES, DISPATCH_MERGES, "unreadable")
    await eventually(lambda: announced(city, dead), "it is announced")
    dispatch = city.dispatch
    vault, given_up = dispatch.ledger.vault, {"operator": "operator", "reason": "Nobody knows what it was."}
    await skip_held(dispatch.engine, vault, dead.id, service="dispatch", **given_up)
    assert await held(city) == []


async def test_what_is_asked_of_a_case_that_is_not_there_is_held(city: City) -> None:
    case_id, master = await two_cases(city)
    await act(city, case_id, "merge", master=str(master))
    await city.reaches(case_id, "merged")
    (asked, *_) = [one for one in await everything_on(city.kafka, DISPATCH_MERGES) if of_one_of(one, case_id, master)]
    nobody = str(new_id()).encode()
    headers = tuple((name, nobody if name == "ce_id" else value) for name, value in asked.headers)

    await ask(city, nobody, (asked.value or b"").replace(str(master).encode(), nobody), headers)

    await everything_is_taken(city)
    [dead] = await held(city)
    assert dead.detail is not None
    assert "unknown_case" in dead.detail


async def ask(city: City, key: bytes, value: bytes | None, headers: tuple[tuple[str, bytes | None], ...] = ()) -> None:
    """Send this on the topic, as a repeat of the relay would, or as nobody should."""
    async with producing(city.kafka) as producer:
        partition = partition_for(key, PARTITIONS)
        await producer.send_and_wait(DISPATCH_MERGES, value, key=key, headers=list(headers), partition=partition)


def of_one_of(record: Record, *cases: UUID) -> bool:
    """Tell whether one of these cases is asked."""
    return record.key in [str(case).encode() for case in cases]


async def held(city: City) -> list[HeldMessage]:
    return await list_held(city.dispatch.engine)


async def announced(city: City, dead: HeldMessage) -> bool:
    records = await everything_on(city.kafka, "dispatch.dead-letters")
    events = [read_event(record.headers, record.value) for record in records]
    told = [msgspec.json.decode(event.data or b"", type=MessageHeld) for event in events if event.type == HELD]
    return (MERGES, str(dead.stream)) in [(one.consumer, one.stream) for one in told]


async def everything_is_taken(city: City) -> None:
    async def taken() -> bool:
        acknowledged = sum(await committed(city.kafka, MERGES, DISPATCH_MERGES, partitions=PARTITIONS))
        return acknowledged == len(await everything_on(city.kafka, DISPATCH_MERGES))

    await eventually(taken, "everything that cases asked was read")
