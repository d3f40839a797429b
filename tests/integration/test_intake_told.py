"""Intake hears what dispatch makes of cases, and reporters see which case they follow, on real PostgreSQL and Kafka."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from httpx import Response

from services.intake.consumers import react
from services.intake.queries import CASES_CONSUMER
from shared.contracts.adjustments import CaseReopened
from shared.contracts.common import Actor, Event
from shared.contracts.dispatch import CaseClosed, LegSigned
from shared.contracts.merges import CaseMerged, CaseUnmerged
from shared.contracts.records import Record
from shared.contracts.registry import DISPATCH_CASES, INTAKE_REPORTS, party_uri
from shared.kernel.identifiers import new_id
from shared.ledger.held import list_held
from tests.support.dispatch_city import City, running_city
from tests.support.dispatch_client import SUPERVISION
from tests.support.dispatching import relayed
from tests.support.intake_client import IntakeClient, serving
from tests.support.intaking import intake_on, types, working
from tests.support.kafka import connection_to, eventually
from tests.support.parties import report_body
from tests.support.reports import NOW, TRUSTED, UNTRUSTED
from tests.support.servers import Broker, Postgres, embedded_broker
from tests.support.stories import event_record

STAMP: dict[str, Any] = {"at": NOW, "by": Actor(client="dispatch", unit="dispatch", post="system")}
CLOSED = CaseClosed(**STAMP)
REOPENED = CaseReopened(**STAMP, legs=(1,), ground="recurrence", reason="again", closed_at=NOW - timedelta(hours=1))


@pytest.fixture
async def http(postgres: Postgres, tmp_path: Path) -> AsyncIterator[IntakeClient]:
    async with intake_on(postgres) as intake, serving(intake, tmp_path) as running:
        yield running


async def filed(http: IntakeClient, body: object = None) -> str:
    """Report something that a trusted source reports completely; return its id, which is that of its case."""
    response = await http.report(body, TRUSTED)
    assert response.status_code == 201, response.text
    return str(response.json()["subject"])


async def case_of(http: IntakeClient, report_id: str, *, post: str = "source") -> dict[str, Any]:
    """Return what its reporter is shown of the case."""
    response = await http.get(f"/v1/reports/{report_id}", post, TRUSTED)
    shown: dict[str, Any] = response.json()["report"]["case"]
    return shown


def said(case_id: str, sequence: int, event: Event) -> Record:
    return event_record(DISPATCH_CASES, UUID(case_id), sequence, event, party_uri("services", "dispatch"))


async def hears(http: IntakeClient, *records: Record) -> list[str]:
    """Let intake hear what dispatch says of cases; return the short names of what it says itself then."""
    await http.intake.ledger.policy(CASES_CONSUMER, react).consume(records)
    return [name.split(".")[2] for name in types(await relayed(http.intake.engine), INTAKE_REPORTS)]


# ------------------------------------------------------------------------------------------- what the reporter is shown


async def test_a_reporter_follows_the_master_with_its_state_and_its_own_case_again_after_that(
    http: IntakeClient,
) -> None:
    own, master = await filed(http), await filed(http)
    await relayed(http.intake.engine)
    alone = {"case_id": own, "state": "open", "follows": None}
    assert await case_of(http, own) == alone

    assert await hears(http, said(own, 1, CaseMerged(**STAMP, master=UUID(master)))) == ["merge_told"]
    assert await case_of(http, own) == {**alone, "state": "merged", "follows": {"case_id": master, "state": "open"}}

    assert await hears(http, said(master, 1, CLOSED)) == ["outcome_told"]
    follows = {"case_id": master, "state": "closed"}
    assert await case_of(http, own) == {**alone, "state": "merged", "follows": follows}
    assert await case_of(http, master) == {"case_id": master, "state": "closed", "follows": None}
    listed = (await http.get("/v1/reports", "source", TRUSTED)).json()["items"]
    assert {one["report_id"]: one["case"]["follows"] for one in listed} == {own: follows, master: None}

    unmerged = CaseUnmerged(**STAMP, master=UUID(master), reason="two places")
    assert await hears(http, said(own, 2, unmerged), said(master, 2, REOPENED)) == ["unmerge_told", "outcome_told"]
    assert await case_of(http, own) == alone
    assert (await case_of(http, master))["state"] == "open"


async def test_a_master_whose_report_is_not_known_has_no_state(http: IntakeClient) -> None:
    own, elsewhere = await filed(http), new_id()
    await hears(http, said(own, 1, CaseMerged(**STAMP, master=elsewhere)))
    assert (await case_of(http, own))["follows"] == {"case_id": str(elsewhere), "state": None}


async def test_a_report_that_is_not_filed_has_no_case(http: IntakeClient) -> None:
    waiting = (await http.report(client=UNTRUSTED)).json()["subject"]
    assert (await http.get(f"/v1/reports/{waiting}")).json()["report"]["case"] is None


# ------------------------------------------------------------------------------------------------- how intake hears it


async def test_what_means_nothing_to_a_reporter_moves_the_position_and_changes_nothing(http: IntakeClient) -> None:
    case_id = await filed(http)
    await relayed(http.intake.engine)
    signed = LegSigned(**STAMP, leg=1, unit="fire-rescue")
    assert await hears(http, *(said(case_id, sequence, signed) for sequence in range(1, 6))) == []
    assert (await http.get(f"/v1/reports/{case_id}?after={DISPATCH_CASES}:{case_id}:5")).status_code == 200
    behind = await http.get(f"/v1/reports/{case_id}?after={DISPATCH_CASES}:{case_id}:6")
    assert (behind.status_code, behind.json()["state"]) == (202, "behind")


async def test_what_comes_again_or_out_of_order_is_told_once_and_in_order(http: IntakeClient) -> None:
    case_id = await filed(http)
    await relayed(http.intake.engine)
    assert await hears(http, said(case_id, 2, REOPENED)) == []
    assert await hears(http, said(case_id, 1, CLOSED), said(case_id, 1, CLOSED)) == ["outcome_told", "outcome_told"]
    assert await hears(http, said(case_id, 1, CLOSED), said(case_id, 2, REOPENED)) == []
    assert (await case_of(http, case_id))["state"] == "open"


async def test_news_of_a_case_without_a_report_is_held_and_all_others_are_told(http: IntakeClient) -> None:
    known, unknown = await filed(http), str(new_id())
    await relayed(http.intake.engine)
    assert await hears(http, said(unknown, 1, CLOSED), said(known, 1, CLOSED)) == ["outcome_told"]
    [dead] = await list_held(http.intake.engine)
    assert (dead.consumer, dead.topic, str(dead.stream)) == (CASES_CONSUMER, DISPATCH_CASES, unknown)
    assert dead.detail is not None
    assert "unknown_report" in dead.detail


# --------------------------------------------------------------------------------------------------- with both services


@pytest.fixture
def own_broker() -> Iterator[Broker]:
    """Return a broker that has the documents of one city only: a report names versions that dispatch must have."""
    with embedded_broker() as running:
        yield running


async def reported(http: IntakeClient, city: City) -> UUID:
    """Report a problem as soon as intake has the city's documents; return its case when it is dispatched."""
    answers: list[Response] = []

    async def accepted() -> bool:
        answers.append(await http.report(msgspec.to_builtins(report_body()), TRUSTED))
        return answers[-1].status_code == 201

    await eventually(accepted, "intake takes a report")
    case_id = UUID(answers[-1].json()["subject"])
    await city.reaches(case_id, "dispatched")
    return case_id


async def test_a_merge_in_dispatch_reaches_the_reporter_and_so_does_its_end(
    postgres: Postgres, own_broker: Broker, tmp_path: Path
) -> None:
    for name in ("dispatch", "intake"):
        (tmp_path / name).mkdir()
    async with (
        running_city(postgres, own_broker, tmp_path / "dispatch") as city,
        intake_on(postgres, with_references=False) as intake,
        working(intake, connection_to(own_broker)),
        serving(intake, tmp_path / "intake") as http,
    ):
        own, master = await reported(http, city), await reported(http, city)

        async def follows(case: str | None) -> None:
            async def shown() -> bool:
                followed = (await case_of(http, str(own)))["follows"]
                return (followed["case_id"] if followed else None) == case

            await eventually(shown, f"the reporter follows {case}")

        async def act(case_id: UUID, name: str, **body: object) -> None:
            answer = await city.http.post(f"/v1/cases/{case_id}/{name}", body, SUPERVISION, "duty_leader")
            assert answer.status_code == 200, answer.text

        await act(own, "merge", master=str(master), reason="the same heap")
        await follows(str(master))
        await act(own, "unmerge", reason="two heaps")
        await follows(None)
        assert await case_of(http, str(own)) == {"case_id": str(own), "state": "open", "follows": None}
        assert [held for held in await list_held(intake.engine) if held.stream in {own, master}] == []
