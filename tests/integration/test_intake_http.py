"""Intake over HTTP on real PostgreSQL: who may report, act and read, and how it says no."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from shared.contracts.registry import INTAKE_REPORTS
from shared.kernel.identifiers import new_id
from tests.support import reports
from tests.support.dispatching import relayed
from tests.support.intake_client import BODY, IntakeClient, serving
from tests.support.intaking import answers, intake_on, received, submitted, types
from tests.support.reports import TRUSTED, UNTRUSTED
from tests.support.servers import Postgres


@pytest.fixture
async def http(postgres: Postgres, tmp_path: Path) -> AsyncIterator[IntakeClient]:
    async with intake_on(postgres) as intake, serving(intake, tmp_path) as running:
        yield running


def created(response: Response) -> str:
    assert response.status_code == 201, response.text
    return str(response.json()["subject"])


def problem(response: Response, status: int, code: str) -> dict[str, Any]:
    found: dict[str, Any] = response.json()
    assert (response.status_code, found.get("code")) == (status, code), response.text
    return found


async def test_a_report_is_submitted_accepted_filed_and_read(http: IntakeClient) -> None:
    response = await http.report()
    report_id = created(response)
    assert response.headers["Joint-Position"] == f"{INTAKE_REPORTS}:{report_id}:1"
    assert (await http.act(report_id, "accept", "acceptor", {"expected_revision": 1})).status_code == 200
    filed = await http.act(report_id, "file", "duty_leader")
    assert filed.json()["position"]["sequence"] == 3
    read = (await http.get(f"/v1/reports/{report_id}?after={filed.headers['Joint-Position']}")).json()
    assert (read["report"]["state"], read["report"]["channel"], read["report"]["revision"]) == ("filed", "http", 3)
    assert [name.split(".")[2] for name in types(await relayed(http.intake.engine), INTAKE_REPORTS)] == [
        "reported",
        "accepted",
        "filed",
    ]


async def test_a_waiting_report_is_completed(http: IntakeClient) -> None:
    place = {"longitude": 127.3, "latitude": 43.7}
    report_id = created(await http.report({**BODY, "place": place}, TRUSTED))
    problem(await http.act(report_id, "accept", "acceptor"), 422, "incomplete")
    completion = {"place": {"street": reports.STREET, "community": reports.COMMUNITY}}
    assert (await http.act(report_id, "complete", "acceptor", completion)).status_code == 200
    read = (await http.get(f"/v1/reports/{report_id}")).json()
    assert (read["report"]["missing"], read["report"]["place"]["street"]) == ([], reports.STREET)


async def test_the_same_key_has_one_effect_and_always_the_same_answer(http: IntakeClient) -> None:
    first = await http.report(key="once")
    again = await http.report(dict(reversed(BODY.items())), key="once")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    other = await http.report({**BODY, "description": "something else"}, key="once")
    problem(other, 422, "key_reused")
    assert created(await http.report(client=TRUSTED, key="once")) != created(first)
    page = (await http.get(f"/v1/reports?source={UNTRUSTED}")).json()
    assert [item["report_id"] for item in page["items"]] == [created(first)]


async def test_every_field_error_is_said_at_once(http: IntakeClient) -> None:
    wrong = {**BODY, "place": {"longitude": 300, "latitude": "north"}, "observed_at": "yesterday", "colour": "red"}
    found = problem(await http.report(wrong), 422, "invalid")
    assert [error["field"] for error in found["errors"]] == [
        "colour",
        "observed_at",
        "place.latitude",
        "place.longitude",
    ]
    unknown = {**BODY, "category": {"system": "mars", "code": "E0702"}, "place": {"longitude": 1, "latitude": 1}}
    found = problem(await http.report(unknown), 422, "invalid")
    assert {error["code"] for error in found["errors"]} == {"unknown_code_system", "outside_city"}


@pytest.mark.parametrize(
    "body, code",
    [(b"{", "not_json"), (b"\xff", "not_json"), (b"[" * 100_000, "invalid"), (b'{"a":"\\ud800"}', "invalid")],
)
async def test_bodies_that_are_no_submission_are_refused(http: IntakeClient, body: bytes, code: str) -> None:
    problem(await http.report(body), 400 if code == "not_json" else 422, code)


async def test_a_client_that_is_no_source_cannot_report(http: IntakeClient) -> None:
    problem(await http.report(client="nobody"), 403, "not_entitled_source")
    problem(await http.post("/v1/reports", BODY, "acceptor", "console"), 403, "not_entitled_source")


async def test_acts_are_refused_by_name(http: IntakeClient) -> None:
    report_id = created(await http.report())
    problem(await http.act(report_id, "accept", "duty_leader"), 403, "not_entitled_post")
    problem(await http.act(report_id, "file", "duty_leader"), 409, "wrong_state_report_reported")
    problem(await http.act(str(new_id()), "accept", "acceptor"), 404, "unknown_report")
    stale = problem(await http.act(report_id, "accept", "acceptor", {"expected_revision": 9}), 409, "stale_revision")
    assert stale["revision"] == 1
    problem(await http.act(report_id, "reject", "acceptor", {"reason_code": "because"}), 422, "invalid")
    no_key = await http.client.post(
        f"/v1/reports/{report_id}/accept", json={}, headers=http._headers("acceptor", "console")
    )
    problem(no_key, 400, "idempotency_key_missing")


async def test_private_content_is_shown_to_those_who_need_it_and_to_its_source(http: IntakeClient) -> None:
    report_id = created(await http.report())
    path = f"/v1/reports/{report_id}"
    for post in ("acceptor", "duty_leader", "leader", "administrator"):
        shown = (await http.get(path, post)).json()
        assert (shown["content_state"], shown["content"]["contact"]["phone"]) == ("shown", reports.PHONE)
    assert (await http.get(path, "source", UNTRUSTED)).json()["content"]["contact"]["phone"] == reports.PHONE
    for post in ("collector", "department"):
        withheld = await http.get(path, post)
        assert (withheld.json()["content_state"], withheld.json()["content"]) == ("withheld", None)
        assert [word for word in reports.PRIVATE_WORDS if word in withheld.text] == []


async def test_a_source_sees_its_own_reports_only(http: IntakeClient) -> None:
    report_id = created(await http.report())
    problem(await http.get(f"/v1/reports/{report_id}", "source", TRUSTED), 404, "unknown_report")
    problem(await http.get(f"/v1/reports?source={UNTRUSTED}", "source", TRUSTED), 403, "not_entitled_source")
    assert (await http.get("/v1/reports", "source", TRUSTED)).json()["items"] == []
    assert len((await http.get("/v1/reports", "source", UNTRUSTED)).json()["items"]) == 1


async def test_who_may_not_merge_is_not_told_which_reports_there_are(http: IntakeClient) -> None:
    report_id = created(await http.report())
    for master in (created(await http.report()), str(new_id())):
        body = {"master": master, "reason": "the same heap"}
        refused = await http.post(f"/v1/reports/{report_id}/merge", body, "source", TRUSTED)
        problem(refused, 403, "not_entitled_post")


async def test_forgotten_content_is_shown_to_nobody(http: IntakeClient) -> None:
    report_id = created(await http.report())
    problem(await http.act(report_id, "forget", "acceptor", {"reason": "asked"}), 403, "not_entitled_post")
    assert (await http.act(report_id, "forget", "administrator", {"reason": "asked"})).status_code == 200
    forgotten = await http.get(f"/v1/reports/{report_id}", "administrator")
    assert (forgotten.json()["content_state"], forgotten.json()["content"]) == ("forgotten", None)
    assert [word for word in reports.PRIVATE_WORDS if word in forgotten.text] == []


async def test_lists_are_paged_and_filtered(http: IntakeClient) -> None:
    ids = [created(await http.report({**BODY, "campaign": "autumn"})) for _ in range(3)]
    await http.act(ids[0], "accept", "acceptor")
    first = (await http.get("/v1/reports?campaign=autumn&limit=2")).json()
    second = (await http.get(f"/v1/reports?campaign=autumn&limit=2&cursor={first['next']}")).json()
    assert [item["report_id"] for item in first["items"] + second["items"]] == ids[::-1]
    assert second["next"] is None
    accepted = (await http.get("/v1/reports?state=accepted")).json()
    assert [item["report_id"] for item in accepted["items"]] == ids[:1]


@pytest.mark.parametrize(
    "query", ["state=lost", "verify_unit=a%00b", "limit=0", "limit=1000", "cursor=x", "campaign=a%00b", "after=here"]
)
async def test_parameters_that_are_not_valid_are_refused(http: IntakeClient, query: str) -> None:
    assert (await http.get(f"/v1/reports?{query}")).status_code == 400


async def test_a_read_that_waits_for_a_position_not_reached_says_so(http: IntakeClient) -> None:
    pending = await http.get(f"/v1/reports?after=intake.reports:{new_id()}:1")
    assert (pending.status_code, pending.json()["state"], "Retry-After" in pending.headers) == (202, "behind", True)


async def test_topic_and_http_are_two_doors_of_one_source(http: IntakeClient) -> None:
    (answer,) = answers(await received(http.intake, submitted(id_="s-1")))
    assert created(await http.report(client=TRUSTED, key="s-1")) != str(answer.subject)
    assert len((await http.get(f"/v1/reports?source={TRUSTED}")).json()["items"]) == 2


async def test_the_interface_describes_itself(http: IntakeClient) -> None:
    described = (await http.client.get("/schema/openapi.json")).json()
    assert {path for path in described["paths"] if path.startswith("/v1/")} == {
        "/v1/reports",
        "/v1/reports/{report_id}",
        *(
            f"/v1/reports/{{report_id}}/{act}"
            for act in ("complete", "assign-verification", "verify", "accept", "file", "reject", "merge", "forget")
        ),
    }
    assert (await http.client.get("/asyncapi.json")).json()["asyncapi"] == "3.0.0"


async def test_nothing_is_written_before_the_reference_documents_have_arrived(
    postgres: Postgres, tmp_path: Path
) -> None:
    async with intake_on(postgres, with_references=False) as intake, serving(intake, tmp_path) as http:
        unavailable = await http.report(key="early")
        problem(unavailable, 503, "unavailable")
        assert unavailable.headers["Retry-After"]
