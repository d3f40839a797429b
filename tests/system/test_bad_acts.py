"""Acts that are not allowed are refused by name, over topics and HTTP, and never hinder another department."""

from uuid import UUID

import pytest

from deploy.campaign.door import Door
from deploy.campaign.stage import Stage
from shared.contracts.dispatch import CaseClosed, FeedBackLeg, SignLeg
from shared.kernel.identifiers import new_id
from tests.support.parties import Party, a_department, a_source, found, reaches, refused, reported

pytestmark = pytest.mark.timeout(180)

SOURCE = "grid-platform"
LEAD = "sanitation"
SUPPORTS = ("street-220281001", "property-service")


async def test_a_department_acts_only_on_its_own_leg(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as source, a_department(stage, LEAD) as lead:
        case_id = await reported(source)
        task = await lead.task(case_id, "assigned")
        act = {"case_id": str(case_id), "leg": task.leg + 1}
        assert (await refused(lead, act, type_=SignLeg.type)).code == "not_entitled_other_leg"
        assert (await refused(lead, act | {"leg": 40}, type_=SignLeg.type)).code == "unknown_leg"
        assert (await refused(lead, act | {"case_id": str(new_id())}, type_=SignLeg.type)).code == "unknown_case"


async def test_a_department_asserts_no_post_of_a_centre_over_a_topic(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as source, a_department(stage, LEAD) as lead:
        case_id = await reported(source)
        act = {"case_id": str(case_id), "leg": 1}
        assert (await refused(lead, act, type_=CaseClosed.type)).code == "centre_act_over_topic"
        assert found(
            (await refused(lead, act | {"post": "duty_leader"}, type_=SignLeg.type)).errors,
            "post",
            "additionalProperties",
        )
        other = await refused(lead, act, type_=SignLeg.type, source="/joint/departments/housing")
        assert other.code == "wrong_source"


async def test_a_department_that_does_not_exist_may_do_nothing(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as source, Door(stage.api, stage.token("x", "x", "department")) as nobody:
        case_id = await reported(source)
        async with stage.reader() as reader:
            await reaches(lambda: _status(reader, case_id), 200)
        reply = await nobody.post("dispatch", f"/v1/cases/{case_id}/legs/1/sign", {}, key=str(new_id()))
        assert (reply.status, reply.code) == (403, "not_entitled_unknown_unit")


async def test_a_stale_revision_is_told_the_current_one_and_departments_never_conflict(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as source, a_department(stage, LEAD) as lead:
        case_id = await reported(source)
        task = await lead.task(case_id, "assigned")
        path = f"/v1/cases/{case_id}/legs/{task.leg}/sign"
        async with unit_door(stage, LEAD) as door, unit_door(stage, SUPPORTS[0]) as other:
            stale = await door.post("dispatch", path, {"expected_revision": 7}, key=str(new_id()))
            assert (stale.status, stale.code, stale.document["revision"]) == (409, "stale_revision", task.revision)
            support = await other.post(
                "dispatch", f"/v1/cases/{case_id}/legs/2/sign", {"expected_revision": 1}, key=str(new_id())
            )
            assert support.status == 200
            fresh = await door.post("dispatch", path, {"expected_revision": task.revision}, key=str(new_id()))
            assert fresh.status == 200


async def test_a_closed_case_takes_no_act_and_the_one_who_handles_never_closes(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as source, a_department(stage, LEAD) as lead:
        case_id = await reported(source)
        await lead.task(case_id, "assigned")
        early = await lead.send(feedback(case_id, 1), type_=FeedBackLeg.type)
        assert (await lead.answer(early)).code == "wrong_state_leg_assigned"
        await handled(stage, lead, case_id)
        cases = f"/v1/cases/{case_id}"
        async with unit_door(stage, LEAD) as door:
            assert (await door.post("dispatch", f"{cases}/close", {}, key=str(new_id()))).status == 403
            checker = (await door.get("dispatch", cases)).document["case"]["check_unit"]
        async with Door(stage.api, stage.token("test.collector", checker, "collector")) as collector:
            checked = await collector.post("dispatch", f"{cases}/checks", {"passed": True}, key=str(new_id()))
            assert checked.status == 200
        async with centre_door(stage, "duty_leader") as leader:
            assert (await leader.post("dispatch", f"{cases}/close", {}, key=str(new_id()))).status == 200
        late = await refused(lead, feedback(case_id, 1), type_=FeedBackLeg.type)
        assert late.code == "wrong_state_case_closed"


def feedback(case_id: UUID, leg: int) -> dict[str, object]:
    return {"case_id": str(case_id), "leg": leg, "closing_condition": "清理干净"}


async def handled(stage: Stage, lead: Party, case_id: UUID) -> None:
    """Let the supports sign and feed back over HTTP, and then the lead over its topic."""
    for leg, unit in enumerate(SUPPORTS, start=2):
        async with unit_door(stage, unit) as door:
            path = f"/v1/cases/{case_id}/legs/{leg}"
            assert (await door.post("dispatch", f"{path}/sign", {}, key=str(new_id()))).status == 200
            body = {"closing_condition": "清理干净"}
            assert (await door.post("dispatch", f"{path}/feedback", body, key=str(new_id()))).status == 200
    signing: dict[str, object] = {"case_id": str(case_id), "leg": 1}
    for type_, act in ((SignLeg.type, signing), (FeedBackLeg.type, feedback(case_id, 1))):
        answer = await lead.answer(await lead.send(act, type_=type_))
        assert answer.outcome == "accepted", answer


def unit_door(stage: Stage, unit: str) -> Door:
    return Door(stage.api, stage.token(unit, unit, "department"))


def centre_door(stage: Stage, post: str) -> Door:
    return Door(stage.api, stage.token(f"test.{post}", "supervision-centre", post))


async def _status(door: Door, case_id: UUID) -> int:
    return (await door.get("dispatch", f"/v1/cases/{case_id}")).status
