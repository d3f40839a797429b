"""The dossier over HTTP: clocks with their reasons, history with actors and receipts, evidence; and what acts cost."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.dispatch.consumers import translate
from shared.contracts.dispatch import FeedBackLeg, SignLeg
from shared.kernel.identifiers import new_id
from tests.support.dispatch_client import COMMAND, SUPERVISION, problem
from tests.support.dispatch_served import Served, done, served
from tests.support.dispatching import FIRE_LANE_UNITS, act_record
from tests.support.servers import Postgres

FIRE, POLICE = FIRE_LANE_UNITS[:2]
PHOTO = "ab" * 32


@pytest.fixture
async def http(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Served]:
    async with served(postgres, tmp_path) as dispatch:
        yield dispatch


async def test_a_leg_says_until_when_it_runs_and_why(http: Served) -> None:
    case_id = await http.filed()
    await http.signed(case_id, 1)
    found = await http.dossier(case_id)
    sign, handle = found["legs"][0]["clocks"]
    assert (sign["stage"], sign["standing"], sign["colour"]) == ("sign", "stopped", None)
    assert sign["stopped_at"] == found["legs"][0]["signed_at"]
    assert (handle["stage"], handle["standing"]) == ("handle", "running")
    assert handle["limit"] == {"amount": 2, "unit": "working_hour"}
    assert handle["original_due_at"] == handle["due_at"] == found["case"]["deadline"]["due_at"]
    assert (handle["calendar_version"], handle["policy_version"]) == (1, 1)
    # Two working hours were given a moment ago: not more than that is left, and some of it.
    assert 7000 < handle["remaining_seconds"] <= 7200
    steps = handle["why"]["steps"]
    assert (steps[0]["started_at"], steps[-1]["ended_at"]) == (handle["started_at"], handle["due_at"])
    due = datetime.fromisoformat(handle["due_at"])
    assert "2 工作时" in handle["why"]["zh"][0]
    assert "2 working hours" in handle["why"]["en"][0]
    assert f"{(due.hour + 8) % 24:02}:{due.minute:02}" in handle["why"]["zh"][-1]


async def test_whoever_must_act_is_told_with_the_leg_and_with_the_case(http: Served) -> None:
    case_id = await http.filed()
    done(await http.leg(case_id, 2, "return-requests", POLICE, {"reason": "not_our_duty", "ground": "line 3"}))
    found = await http.dossier(case_id)
    assert [(one["expected"], one["post"], one["leg"]) for one in found["legs"][1]["awaits"]] == [
        ("decide_return", "duty_leader", 2)
    ]
    assert [(one["expected"], one["leg"]) for one in found["case"]["awaits"]] == [
        ("sign", 1),
        ("decide_return", 2),
        ("sign", 3),
        ("sign", 4),
        ("sign", 5),
    ]


async def test_the_history_says_who_did_what_and_why_page_by_page(http: Served) -> None:
    case_id = await http.filed()
    ground = {"reason": "not_our_duty", "ground": "power list, line 3"}
    done(await http.leg(case_id, 2, "return-requests", POLICE, ground))
    await http.leads(case_id, "legs/2/return-decision", upheld=False, reason="it is yours")
    path = f"/v1/cases/{case_id}/history"
    first = (await http.get(f"{path}?limit=3")).json()
    rest = (await http.get(f"{path}?limit=3&after_sequence={first['next']}")).json()
    entries = [*first["items"], *rest["items"]]
    assert (first["next"], rest["next"]) == (3, None)
    assert [
        (entry["sequence"], entry["type"].split(".")[2], entry["by"]["unit"], entry["by"]["post"], entry["reason"])
        for entry in entries
    ] == [
        (1, "opened", "dispatch", "system", None),
        (2, "dispatched", "dispatch", "system", None),
        (3, "leg_return_requested", POLICE, "department", "power list, line 3"),
        (4, "leg_return_refused", SUPERVISION, "duty_leader", "it is yours"),
    ]
    problem(await http.get(f"/v1/cases/{new_id()}/history"), 404, "unknown_case")
    problem(await http.get(path, "citizen-portal", "source"), 404, "unknown_case")


async def test_what_came_over_a_topic_has_its_receipt_and_what_was_fed_back_its_evidence(http: Served) -> None:
    case_id = await http.filed()
    await http.feeder.relay()
    acts = http.feeder.dispatch.ledger.reception("dispatch.actions", translate)
    await acts.consume([act_record(POLICE, SignLeg(case_id=case_id, leg=2), "sign-1")])
    feedback = FeedBackLeg(case_id=case_id, leg=2, closing_condition="lane clear", evidence=(PHOTO,))
    await acts.consume([act_record(POLICE, feedback, "feedback-1")])
    await http.signed(case_id, 1)
    found = await http.dossier(case_id)
    receipts = [(entry["type"].split(".")[2], entry["receipt"]) for entry in found["history"]]
    assert [(name, receipt and (receipt["request"], receipt["answer"]["outcome"])) for name, receipt in receipts] == [
        ("opened", None),
        ("dispatched", None),
        ("leg_signed", ("sign-1", "accepted")),
        ("leg_fed_back", ("feedback-1", "accepted")),
        ("leg_signed", None),
    ]
    [evidence] = found["evidence"]
    assert (evidence["leg"], evidence["unit"], evidence["closing_condition"], evidence["digests"]) == (
        2,
        POLICE,
        "lane clear",
        [PHOTO],
    )


async def test_a_merge_is_told_on_both_sides(http: Served) -> None:
    merged, master = await http.filed(), await http.filed()
    await http.feeder.relay()
    await http.leads(merged, "merge", master=str(master), reason="the same heap")
    assert (await http.dossier(merged))["merges"] == {"master": None, "asked": str(master), "carries": []}
    await http.feeder.relay()
    assert (await http.dossier(merged))["merges"] == {"master": str(master), "asked": None, "carries": []}
    assert (await http.dossier(master))["merges"] == {"master": None, "asked": None, "carries": [str(merged)]}


async def updates(http: Served) -> tuple[int, int]:
    """How many updates of cases there were in all, and how many of them changed no index."""
    async with http.feeder.dispatch.engine.begin() as connection:
        await connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
    async with http.feeder.dispatch.engine.connect() as connection:
        await connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
        row: Any = await connection.exec_driver_sql(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = 'cases'::regclass"
        )
        (found,) = row.all()
        return found.n_tup_upd, found.n_tup_hot_upd


async def test_acts_on_legs_change_no_index_while_the_stage_of_the_case_stays(http: Served) -> None:
    cases: list[UUID] = [await http.filed() for _ in range(3)]
    engine = http.feeder.dispatch.engine
    for case_id in cases:
        await http.signed(case_id, 1)
    await engine.dispose()  # a connection tells what it did when it ends
    before = await updates(http)
    for case_id in cases:
        for leg in (2, 3, 4, 5):
            await http.fed_back(case_id, leg)
    await engine.dispose()
    after = await updates(http)
    assert (after[0] - before[0], after[1] - before[1]) == (24, 24)


async def test_a_read_of_the_dossier_is_one_snapshot_with_its_instant(http: Served) -> None:
    case_id = await http.filed()
    async with http.feeder.dispatch.engine.connect() as connection:
        before = (await connection.execute(sa.select(sa.func.now()))).scalar_one()
    found = await http.dossier(case_id)
    assert datetime.fromisoformat(found["as_of"]) >= before
    assert (found["sequence"], found["history"][-1]["sequence"], found["history_next"]) == (2, 2, None)
    assert (await http.get("/v1/cases", COMMAND)).json()["items"][0]["awaits"] == found["case"]["awaits"]
