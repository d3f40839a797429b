"""Every example in dispatch's description is sent as it stands, and answered as the description says."""

from pathlib import Path
from typing import Any

import pytest

from services.dispatch.api.examples import NO_SUCH_CASE
from tests.support.act_scenes import SCENES, in_spring
from tests.support.dispatch_served import Served, served
from tests.support.servers import Postgres

CASE = "/v1/cases/{case_id}/"


def documented(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The examples of each act on a case, by what follows the case in its path."""
    return {
        path.removeprefix(CASE): methods["post"]["requestBody"]["content"]["application/json"].get("examples", {})
        for path, methods in description["paths"].items()
        if path.startswith(CASE) and "post" in methods
    }


async def test_every_act_shows_an_example_that_is_accepted(postgres: Postgres, tmp_path: Path) -> None:
    async with served(postgres, tmp_path) as http:
        acts = documented((await http.plain.get("/schema/openapi.json")).json())
    assert acts.keys() == SCENES.keys()
    assert [act for act, examples in acts.items() if "200" not in examples] == []


@pytest.mark.slow
async def test_every_example_is_answered_as_it_says(postgres: Postgres, tmp_path: Path) -> None:
    async with served(postgres, tmp_path) as http:
        description = (await http.plain.get("/schema/openapi.json")).json()
        answers = {
            (act, name): await answered(http, act, example["value"], accepted=name == "200")
            for act, examples in documented(description).items()
            for name, example in examples.items()
        }
    assert {act: answer for act, answer in answers.items() if act[1] != answer} == {}
    assert len(answers) > len(SCENES)


async def answered(http: Served, act: str, body: dict[str, Any], *, accepted: bool) -> str:
    """What the example gets, in the way in which examples are named."""
    scene = SCENES[act]
    case_id = await scene.prepare(http)
    unit = scene.unit or (await http.dossier(case_id))["case"]["check_unit"]
    path = CASE.format(case_id=case_id) + act.format(leg=2)
    response = await http.post(path, await current(http, body) if accepted else body, unit, scene.post)
    return str(response.status_code) if response.is_success else f"{response.status_code} {response.json()['code']}"


async def current(http: Served, body: dict[str, Any]) -> dict[str, Any]:
    """The example with instants that lie ahead today, and a master that there is."""
    now: dict[str, Any] = {name: in_spring() for name in ("until", "reply_by") if name in body}
    if body.get("master", NO_SUCH_CASE) != NO_SUCH_CASE:
        now["master"] = str(await http.filed())
    return {**body, **now}
