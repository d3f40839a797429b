"""Dispatch over HTTP on real PostgreSQL: who may do what, what lists and dossiers say, and how it says no."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from services.dispatch.seed import catalogue
from shared.kernel.identifiers import new_id
from tests.support.dispatch_client import SUPERVISION, problem
from tests.support.dispatch_served import CITY, Served, served
from tests.support.servers import Postgres

FIRE, POLICE = "fire-rescue", "public-security"
ACTS_ON_LEGS = (
    *("sign", "feedback", "return-requests", "extension-requests", "suspension-requests", "resume"),
    *("supervision-answer", "appeal", "return-decision", "ruling", "extension-decision", "suspension-endorsement"),
    *("suspension-decision", "send-back", "waive", "appeal-reviews"),
    *("rectification-orders", "rectification-claims", "reinspections", "enforcements"),
)
ACTS_ON_CASES = (
    *("dispatch", "legs", "check-assignment", "checks", "close", "void-proposals", "void-decision", "reopen"),
    *("supervision", "escalation", "merge", "unmerge"),
)


@pytest.fixture
async def http(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Served]:
    async with served(postgres, tmp_path) as served_dispatch:
        yield served_dispatch


async def test_a_case_is_handled_checked_and_closed(http: Served) -> None:
    case_id = await http.handled()
    checked = await http.check(case_id, passed=True)
    assert checked.status_code == 200, checked.text
    closed = await http.close(case_id)
    assert closed.status_code == 200, closed.text
    assert closed.headers["Joint-Position"] == f"dispatch.cases:{case_id}:15"
    found = (await http.get(f"/v1/cases/{case_id}?after={closed.headers['Joint-Position']}")).json()
    assert found["case"]["state"] == "closed"
    assert found["open_because"] == []
    assert [entry["type"].split(".")[2] for entry in found["history"]][-2:] == ["checked", "closed"]
    assert found["history"][-1]["facts"]["by"]["post"] == "duty_leader"


async def test_the_dossier_says_why_it_went_where_it_went_and_why_it_is_open(http: Served) -> None:
    case_id = await http.filed()
    await http.feeder.content(case_id)
    found = (await http.get(f"/v1/cases/{case_id}")).json()
    assert found["explanation"]["rule"] == "E0496"
    assert found["explanation"]["considered"] == [{"rule": "E0496", "verdict": "won"}]
    assert (found["explanation"]["catalogue_version"], found["explanation"]["units_version"]) == (1, 1)
    assert [entry["code"] for entry in found["open_because"]] == ["leg_open"] * 5 + ["not_checked"]
    assert found["content"] == {
        "report_id": str(case_id),
        "description": "车道被占",
        "address": "民主路 8 号",
        "photos": ["a.jpg"],
    }


async def test_private_content_is_shown_to_the_centres_and_to_units_that_handle_the_case(http: Served) -> None:
    case_id = await http.filed()
    await http.feeder.content(case_id)
    path = f"/v1/cases/{case_id}"
    assert (await http.get(path, FIRE, "department")).json()["content"]["description"] == "车道被占"
    assert (await http.get(path, SUPERVISION, "collector")).json()["content"]["description"] == "车道被占"
    assert (await http.get(path, "health", "department")).json()["content"] is None
    problem(await http.get(path, "citizen-portal", "source"), 404, "unknown_case")
    assert (await http.get("/v1/cases", "citizen-portal", "source")).json()["items"] == []


async def test_refusals_have_the_status_of_their_kind(http: Served) -> None:
    case_id = await http.filed()
    problem(await http.leg(case_id, 1, "sign", POLICE), 403, "not_entitled_other_leg")
    problem(await http.leg(case_id, 9, "sign", FIRE), 404, "unknown_leg")
    problem(await http.leg(new_id(), 1, "sign", FIRE), 404, "unknown_case")
    problem(await http.leg(case_id, 1, "feedback", FIRE, {"closing_condition": "x"}), 409, "wrong_state_leg_assigned")
    stale = problem(await http.leg(case_id, 1, "sign", FIRE, {"expected_revision": 5}), 409, "stale_revision")
    assert stale["revision"] == 1
    errors = problem(await http.leg(case_id, 1, "feedback", FIRE, {"post": "leader"}), 422, "invalid")["errors"]
    assert {error["field"] for error in errors} == {"post", "closing_condition"}
    assert len(problem(await http.close(case_id), 409, "wrong_state_leg_open")["errors"]) == 6


async def test_a_handling_unit_neither_checks_nor_closes(http: Served) -> None:
    case_id = await http.handled()
    path = f"/v1/cases/{case_id}"
    problem(await http.post(f"{path}/checks", {"passed": True}, FIRE, "department"), 403, "not_entitled_post")
    problem(await http.post(f"{path}/checks", {"passed": True}, FIRE, "collector"), 403, "not_entitled_post_of_unit")


async def test_the_same_key_has_one_effect_and_the_same_answer(http: Served) -> None:
    case_id = await http.filed()
    path = f"/v1/cases/{case_id}/legs/1/sign"
    first = await http.post(path, {}, FIRE, "department", key="k-1")
    again = await http.post(path, {}, FIRE, "department", key="k-1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    problem(await http.post(path, {"expected_revision": 2}, FIRE, "department", key="k-1"), 422, "key_reused")


async def test_a_return_is_ruled_and_the_failed_check_reworked(http: Served) -> None:
    case_id = await http.filed()
    await http.leg(case_id, 2, "return-requests", POLICE, {"reason": "not_our_duty", "ground": "line 3"})
    ruling = {"upheld": True, "reason": "traffic", "to_unit": "no-such-unit"}
    path = f"/v1/cases/{case_id}"
    refused = await http.post(f"{path}/legs/2/return-decision", ruling, SUPERVISION, "duty_leader")
    problem(refused, 422, "unknown_unit")
    ruling["to_unit"] = "traffic-police"
    upheld = await http.post(f"{path}/legs/2/return-decision", ruling, SUPERVISION, "duty_leader")
    assert upheld.status_code == 200, upheld.text
    waived = await http.post(f"{path}/legs/3/waive", {"reason": "not needed"}, "city-leadership", "leader")
    assert waived.status_code == 200, waived.text
    legs = (await http.get(path)).json()["legs"]
    assert [(leg["unit"], leg["state"]) for leg in legs[1:3]] == [
        ("traffic-police", "assigned"),
        ("street-220281001", "waived"),
    ]


async def test_lists_filter_and_page(http: Served) -> None:
    ids = sorted([await http.filed() for _ in range(3)], reverse=True)
    first = (await http.get("/v1/cases?state=dispatched&unit=fire-rescue&street=220281001&limit=2")).json()
    assert [case["id"] for case in first["items"]] == [str(one) for one in ids[:2]]
    second = (await http.get(f"/v1/cases?category=E0496&campaign=winter&limit=2&cursor={first['next']}")).json()
    assert [case["id"] for case in second["items"]] == [str(ids[2])]
    assert second["next"] is None
    tasks = (await http.get("/v1/legs?unit=fire-rescue&limit=1")).json()
    assert [(task["case_id"], task["leg"]["leg"]) for task in tasks["items"]] == [(str(ids[0]), 1)]
    closed = (await http.get("/v1/cases?state=closed")).json()
    assert (closed["items"], closed["next"]) == ([], None)


async def test_a_read_after_a_filed_report_waits_and_says_that_it_waits(http: Served) -> None:
    case_id = await http.filed()
    assert (await http.get(f"/v1/cases/{case_id}?after=intake.reports:{case_id}:3")).status_code == 200
    late = await http.get(f"/v1/cases/{case_id}?after=intake.reports:{case_id}:4")
    assert (late.status_code, late.json()["state"]) == (202, "behind")
    problem(await http.get(f"/v1/cases/{new_id()}"), 404, "unknown_case")


async def test_an_administrator_publishes_and_everybody_reads_every_version(http: Served) -> None:
    path = "/v1/reference/catalogue/jiaohe"
    document = msgspec.to_builtins(catalogue(CITY))
    problem(await http.post(path, document, FIRE, "department"), 403, "not_entitled")
    published = await http.post(f"{path}?expected_version=1", document, "joint-administration", "administrator")
    assert published.status_code == 201, published.text
    await http.feeder.relay()
    after = published.headers["Joint-Position"]
    assert (await http.get(f"{path}?after={after}")).json()["version"] == 2
    assert (await http.get(f"{path}?version=1")).json()["document"]["system"] == CITY
    problem(await http.get(f"{path}?version=9"), 404, "unknown_reference")
    broken = await http.post(path, {**document, "system": "other"}, "joint-administration", "administrator")
    assert broken.status_code == 422
    stale = await http.post(f"{path}?expected_version=1", document, "joint-administration", "administrator")
    assert problem(stale, 409, "stale_revision")["revision"] == 2


async def test_a_case_is_merged_only_into_one_that_exists(http: Served) -> None:
    case_id, missing = await http.filed(), new_id()
    body = {"master": str(missing), "reason": "the same heap"}
    refused = await http.post(f"/v1/cases/{case_id}/merge", body, SUPERVISION, "duty_leader")
    found = problem(refused, 404, "unknown_case")
    assert str(missing) in found["detail"]
    assert [(error["field"], error["code"]) for error in found["errors"]] == [("master", "unknown_case")]
    assert (await http.dossier(case_id))["merges"]["asked"] is None


async def test_who_may_not_merge_is_not_told_which_cases_there_are(http: Served) -> None:
    case_id = await http.filed()
    for master in (await http.filed(), new_id()):
        body = {"master": str(master), "reason": "the same heap"}
        refused = await http.post(f"/v1/cases/{case_id}/merge", body, FIRE, "department")
        problem(refused, 403, "not_entitled_post")


async def test_two_cases_merge_and_part_again(http: Served) -> None:
    case_id, master = await http.filed(), await http.filed()
    await http.leads(case_id, "merge", master=str(master), reason="the same heap")
    await http.feeder.relay()
    merged = await http.dossier(case_id)
    assert (merged["case"]["state"], merged["merges"]["master"]) == ("merged", str(master))
    assert (await http.dossier(master))["merges"]["carries"] == [str(case_id)]
    await http.leads(case_id, "unmerge", reason="another heap after all")
    await http.feeder.relay()
    assert (await http.dossier(case_id))["case"]["state"] == "dispatched"
    assert (await http.dossier(master))["merges"]["carries"] == []


async def test_the_description_names_every_route(http: Served) -> None:
    description = (await http.plain.get("/schema/openapi.json")).json()
    of_cases = {path for path in description["paths"] if path.startswith("/v1/cases/{case_id}/")}
    legs = "/v1/cases/{case_id}/legs/{leg}"
    assert of_cases - {f"{legs}/{act}" for act in ACTS_ON_LEGS} == {
        f"/v1/cases/{{case_id}}/{name}" for name in ("history", "routing", *ACTS_ON_CASES)
    }
    assert {f"{legs}/{act}" for act in ACTS_ON_LEGS} <= of_cases
    assert {path for path in description["paths"] if path.startswith("/v1")} - of_cases == {
        "/v1/cases",
        "/v1/cases/{case_id}",
        "/v1/legs",
        "/v1/tasks",
        "/v1/routing/explanations",
        "/v1/routing/rules",
        "/v1/reference/{kind}/{name}",
    }
