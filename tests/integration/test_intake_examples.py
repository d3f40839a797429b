"""Every example in intake's description is sent as it stands, and answered as the description says."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from services.intake.api.examples import EXAMPLES, NO_SUCH_REPORT
from tests.support.intake_client import IntakeClient, serving
from tests.support.intaking import intake_on
from tests.support.reports import UNTRUSTED
from tests.support.servers import Postgres

REPORT = "/v1/reports/{report_id}/"


async def waiting(http: IntakeClient) -> str:
    return str((await http.report(client=UNTRUSTED)).json()["subject"])


async def verifying(http: IntakeClient) -> str:
    report_id = await waiting(http)
    assigned = await http.act(report_id, "assign-verification", "acceptor", {"unit": "supervision-centre"})
    assert assigned.is_success, assigned.text
    return report_id


async def accepted(http: IntakeClient) -> str:
    report_id = await waiting(http)
    assert (await http.act(report_id, "accept", "acceptor")).is_success
    return report_id


SCENES: dict[str, tuple[Callable[[IntakeClient], Awaitable[str]], str]] = {
    "complete": (waiting, "acceptor"),
    "assign-verification": (waiting, "acceptor"),
    "verify": (verifying, "collector"),
    "accept": (waiting, "acceptor"),
    "file": (accepted, "duty_leader"),
    "reject": (waiting, "acceptor"),
    "merge": (waiting, "acceptor"),
    "forget": (waiting, "leader"),
}
"""For every act a report in the state that it is meant for, and who does it."""


async def test_every_act_shows_an_example_and_every_example_is_answered_as_it_says(
    postgres: Postgres, tmp_path: Path
) -> None:
    async with intake_on(postgres) as intake, serving(intake, tmp_path) as http:
        shown = documented((await http.client.get("/schema/openapi.json")).json())
        answers = {
            (act, name): await answered(http, act, example["value"])
            for act, examples in shown.items()
            for name, example in examples.items()
        }
    assert shown.keys() == SCENES.keys()
    assert [act for act, examples in shown.items() if "200" not in examples] == []
    assert {act: answer for act, answer in answers.items() if act[1] != answer} == {}
    assert len(answers) == sum(map(len, EXAMPLES.values()))


def documented(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The examples of each act on a report, by what follows the report in its path."""
    return {
        path.removeprefix(REPORT): methods["post"]["requestBody"]["content"]["application/json"].get("examples", {})
        for path, methods in description["paths"].items()
        if path.startswith(REPORT) and "post" in methods
    }


async def answered(http: IntakeClient, act: str, body: dict[str, Any]) -> str:
    """What the example gets, in the way in which examples are named."""
    prepare, post = SCENES[act]
    report_id = await prepare(http)
    if body.get("master", NO_SUCH_REPORT) != NO_SUCH_REPORT:
        body = {**body, "master": await waiting(http)}
    response = await http.act(report_id, act, post, body)
    return str(response.status_code) if response.is_success else f"{response.status_code} {response.json()['code']}"
