"""Two cases agree on a merge over dispatch's own topic, on real Kafka and PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from services.dispatch.app import MERGES
from shared.contracts.envelope import read_event
from shared.contracts.registry import DISPATCH_CASES, PARTITIONS
from tests.support.dispatch_city import City, running_city
from tests.support.dispatch_client import SUPERVISION, problem
from tests.support.kafka import committed, eventually, everything_on
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

    async def everything_taken() -> bool:
        taken = sum(await committed(city.kafka, MERGES, DISPATCH_CASES, partitions=PARTITIONS))
        return taken == len(await everything_on(city.kafka, DISPATCH_CASES))

    await eventually(everything_taken, "everything that cases said was read")
