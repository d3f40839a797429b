"""核实 on real PostgreSQL: over HTTP, in the lists of who has to look, and what time does to it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from httpx import Response

from shared.contracts.reference import ReferencePublished, reference_stream
from shared.contracts.registry import DISPATCH_REFERENCE, INTAKE_REPORTS, party_uri
from tests.support import reports
from tests.support.dispatching import relayed
from tests.support.intake_client import BODY, IntakeClient, serving
from tests.support.intaking import answers, intake_on, received, submitted_at, types
from tests.support.ledgers import rows
from tests.support.reports import CITY, NOW, TRUSTED, UNTRUSTED
from tests.support.servers import Postgres
from tests.support.stories import SYSTEM, event_record
from tests.support.turning import now, turning
from tests.support.working_hours import hours, limit

CENTRE = "supervision-centre"
ASSIGN = {"unit": CENTRE}
EXISTS = {"result": "exists", "finding": "as photographed", "evidence": ["0f" * 32]}
ABSENT = {"result": "absent", "finding": "nothing there"}
UNDETERMINED = {"result": "undetermined", "finding": "the gate is locked"}
TWO_HOURS = limit(2, "urgent_hour")


@pytest.fixture
async def http(postgres: Postgres, tmp_path: Path) -> AsyncIterator[IntakeClient]:
    async with intake_on(postgres) as intake, serving(intake, tmp_path) as running:
        yield running


async def hurry(http: IntakeClient) -> None:
    """Let the city accept within two hours, day and night, and verify at once."""
    policy = msgspec.structs.replace(hours(stage=TWO_HOURS), verify=limit(0, "at_once"))
    published = ReferencePublished(
        at=NOW,
        by=SYSTEM,
        kind="limit_policy",
        name=CITY,
        version=2,
        document=msgspec.Raw(msgspec.json.encode(policy)),
    )
    stream = reference_stream("limit_policy", CITY)
    record = event_record(DISPATCH_REFERENCE, stream, 2, published, party_uri("services", "dispatch"))
    await http.intake.ledger.reference_copy("intake.reference").consume([record])


async def reported(http: IntakeClient, client: str = UNTRUSTED, **parts: object) -> str:
    response = await http.report({**BODY, **parts}, client)
    assert response.status_code == 201, response.text
    return str(response.json()["subject"])


async def verifying(http: IntakeClient) -> str:
    report = await reported(http)
    assert (await http.act(report, "assign-verification", "acceptor", ASSIGN)).is_success
    return report


async def read(http: IntakeClient, report: str) -> dict[str, Any]:
    found: dict[str, Any] = (await http.get(f"/v1/reports/{report}")).json()
    return found


async def listed(http: IntakeClient, query: str) -> list[str]:
    return [item["report_id"] for item in (await http.get(f"/v1/reports?{query}")).json()["items"]]


async def happened(http: IntakeClient, report: str) -> list[str]:
    """Return what happened to the report, in order; of clocks with the stage."""
    found = await rows(http.intake.engine, f"SELECT type, data FROM events WHERE stream = '{report}' ORDER BY sequence")
    names = []
    for row in found:
        body = msgspec.json.decode(row.data)
        told = [body["stage"], str(body.get("percent", 100))] if "clock_" in row.type else []
        names.append(" ".join([row.type.split(".")[2], *told]))
    return names


async def fire(http: IntakeClient) -> None:
    async with turning(http.intake.ledger) as leased:
        for _ in range(5):
            await leased.turn()
        assert leased.set_aside == 0


def code(response: Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def test_what_the_public_reports_is_verified_accepted_and_filed(http: IntakeClient) -> None:
    report = await reported(http)
    sent = await http.act(report, "assign-verification", "acceptor", {**ASSIGN, "expected_revision": 1})
    assert (sent.status_code, sent.json()["position"]["sequence"]) == (200, 2)
    assert (await read(http, report))["report"]["verification"]["result"] is None
    told = await http.act(report, "verify", "collector", {**EXISTS, "expected_revision": 2})
    assert told.status_code == 200, told.text
    summary = (await read(http, report))["report"]
    assert (summary["state"], summary["revision"]) == ("reported", 3)
    found = summary["verification"]
    assert (found["unit"], found["result"], found["finding"]) == (CENTRE, "exists", "as photographed")
    assert found["evidence"] == ["0f" * 32]
    assert (await http.act(report, "accept", "acceptor")).is_success
    assert (await http.act(report, "file", "duty_leader")).is_success
    assert [name.split(".")[2] for name in types(await relayed(http.intake.engine), INTAKE_REPORTS)] == [
        "reported",
        "verification_assigned",
        "verified",
        "accepted",
        "filed",
    ]


async def test_what_was_not_found_is_rejected_for_that_or_accepted_with_a_reason(http: IntakeClient) -> None:
    gone, there = await verifying(http), await verifying(http)
    for report in (gone, there):
        assert (await http.act(report, "verify", "collector", ABSENT)).is_success
    refused = await http.act(there, "accept", "acceptor")
    assert code(refused) == (422, "verified_absent")
    assert [error["field"] for error in refused.json()["errors"]] == ["reason"]
    assert (await http.act(there, "accept", "acceptor", {"reason": "every evening"})).is_success
    rejection = {"reason_code": "not_found", "reason": "nothing there"}
    assert (await http.act(gone, "reject", "acceptor", rejection)).is_success
    assert await listed(http, "state=rejected") == [gone]


async def test_lists_show_who_has_to_look_and_no_longer_has_to(http: IntakeClient) -> None:
    told, rejected, waits, other = [await verifying(http) for _ in range(3)] + [await reported(http)]
    assert await listed(http, f"verify_unit={CENTRE}") == [waits, rejected, told]
    assert (await http.act(told, "verify", "collector", UNDETERMINED)).is_success
    rejection = {"reason_code": "duplicate", "reason": "reported this morning"}
    assert (await http.act(rejected, "reject", "acceptor", rejection)).is_success
    assert await listed(http, f"verify_unit={CENTRE}") == await listed(http, "state=verifying") == [waits]
    assert await listed(http, "state=reported") == [other, told]
    assert (await http.act(told, "assign-verification", "acceptor", ASSIGN)).is_success
    assert await listed(http, f"verify_unit={CENTRE}&limit=1") == [waits]
    assert await listed(http, "state=verifying") == [waits, told]


async def test_a_collector_reads_what_was_reported_but_not_by_whom_while_it_is_to_be_verified(
    http: IntakeClient,
) -> None:
    report, path = await verifying(http), "/v1/reports/{}"
    shown = (await http.get(path.format(report), "collector")).json()
    assert (shown["content_state"], shown["content"]["address"]) == ("shown", reports.ADDRESS)
    assert (shown["content"]["photos"], shown["content"]["contact"]) == (BODY["photos"], None)
    assert (await http.get(path.format(report), "department")).json()["content_state"] == "withheld"
    assert (await http.act(report, "verify", "collector", EXISTS)).is_success
    for not_his in (report, await reported(http)):
        assert (await http.get(path.format(not_his), "collector")).json()["content_state"] == "withheld"


async def test_acts_of_a_verification_are_refused_by_name(http: IntakeClient) -> None:
    report = await reported(http)
    assert code(await http.act(report, "assign-verification", "collector", ASSIGN)) == (403, "not_entitled_post")
    nobody = await http.act(report, "assign-verification", "acceptor", {"unit": "urban-management"})
    assert code(nobody) == (422, "no_verifier")
    assert code(await http.act(report, "verify", "collector", EXISTS)) == (409, "wrong_state_report_reported")
    assert (await http.act(report, "assign-verification", "acceptor", ASSIGN)).is_success
    assert code(await http.act(report, "accept", "acceptor")) == (409, "wrong_state_report_verifying")
    assert code(await http.act(report, "verify", "acceptor", EXISTS)) == (403, "not_entitled_post")
    wrong = await http.act(report, "verify", "collector", {"result": "perhaps", "evidence": ["photo"], "colour": 1})
    assert {error["field"] for error in wrong.json()["errors"]} == {"result", "finding", "evidence.0", "colour"}
    assert (await http.act(report, "verify", "collector", EXISTS)).is_success
    again = await http.act(report, "assign-verification", "acceptor", ASSIGN)
    assert code(again) == (409, "wrong_state_report_verified")
    place = {"longitude": 127.3, "latitude": 43.7}
    trusted = await reported(http, TRUSTED, place=place)
    assert code(await http.act(trusted, "assign-verification", "acceptor", ASSIGN)) == (422, "source_is_trusted")


async def test_acceptance_tells_nothing_while_somebody_is_to_verify_and_what_was_due_after_it(
    http: IntakeClient,
) -> None:
    await hurry(http)
    at = await now(http.intake.engine)
    [answer] = answers(await received(http.intake, submitted_at(at - timedelta(minutes=100), source=UNTRUSTED)))
    report = str(answer.subject)
    assert (await http.act(report, "assign-verification", "acceptor", ASSIGN)).is_success

    await fire(http)
    assert await happened(http, report) == ["reported", "verification_assigned", "clock_breached verify 100"]
    acceptance, verification = (await read(http, report))["clocks"]
    assert (acceptance["stage"], acceptance["standing"], acceptance["colour"]) == ("accept", "paused", None)
    assert (verification["stage"], verification["standing"], verification["breached"]) == ("verify", "running", True)
    assert await rows(http.intake.engine, "SELECT stream FROM wakes") == []

    assert (await http.act(report, "verify", "collector", EXISTS)).is_success
    await fire(http)
    assert (await happened(http, report))[3:] == ["verified", "clock_warned accept 50", "clock_warned accept 80"]
    acceptance, verification = (await read(http, report))["clocks"]
    assert (acceptance["standing"], verification["standing"]) == ("running", "stopped")
    [pause] = acceptance["pauses"]
    assert pause["started_at"] == verification["started_at"]
    assert pause["ended_at"] == verification["stopped_at"]
    assert acceptance["due_at"] > acceptance["original_due_at"]
    assert any("停止计时" in sentence for sentence in acceptance["why"]["zh"])
    assert len(await rows(http.intake.engine, "SELECT stream FROM wakes")) == 1
