"""For every act a case in the state that it is meant for, and who does it: there its documented examples run."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from tests.support.dispatch_client import COMMAND, SUPERVISION
from tests.support.dispatch_served import LEADERSHIP, Served
from tests.support.dispatching import FIRE_LANE, FIRE_LANE_UNITS

POLICE: Final = "public-security"
"""Has leg 2."""
OTHER_STREET: Final = "street-220281002"
ADMINISTRATION: Final = ("joint-administration", "administrator")
OWN_RULE: Final[dict[str, object]] = {
    "rule": "own-fire-lane",
    "system": "jiaohe",
    "category": FIRE_LANE,
    "lead": FIRE_LANE_UNITS[0],
    "support": FIRE_LANE_UNITS[1:],
    "legal_basis": "市政府会议纪要",
    "reason": "先由街道协调",
    "level": "street",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """How the case comes into its state, and who acts then. `unit` None: the unit that is to check."""

    prepare: Callable[[Served], Awaitable[UUID]]
    unit: str | None
    post: str


def in_spring() -> str:
    """An instant some months ahead of the test."""
    return (datetime.now(UTC) + timedelta(days=120)).isoformat()


async def filed(http: Served) -> UUID:
    return await http.filed()


async def signed(http: Served) -> UUID:
    case_id = await http.filed()
    await http.signed(case_id, 2)
    return case_id


async def fed_back(http: Served) -> UUID:
    case_id = await http.filed()
    await http.fed_back(case_id, 2)
    return case_id


async def return_asked(http: Served) -> UUID:
    case_id = await http.filed()
    await ask_return(http, case_id)
    return case_id


async def ask_return(http: Served, case_id: UUID) -> None:
    await http.act(
        case_id, "legs/2/return-requests", POLICE, "department", reason="not_our_duty", ground="权责清单第 12 项"
    )


async def twice_returned(http: Served) -> UUID:
    case_id = await http.filed()
    for _time in range(2):
        await ask_return(http, case_id)
        await http.leads(case_id, "legs/2/return-decision", upheld=False, reason="属于职责范围")
    return case_id


async def extension_asked(http: Served) -> UUID:
    case_id = await signed(http)
    await http.act(case_id, "legs/2/extension-requests", POLICE, "department", reason="清障车调度需要时间")
    return case_id


async def suspension_asked(http: Served) -> UUID:
    case_id = await signed(http)
    body = {"reason": "wrong_season", "plan": "解冻后重新施划标线", "until": in_spring()}
    await http.act(case_id, "legs/2/suspension-requests", POLICE, "department", **body)
    return case_id


async def endorsed(http: Served) -> UUID:
    case_id = await suspension_asked(http)
    await http.dispatches(case_id, "legs/2/suspension-endorsement", endorsed=True, reason="现场已封冻")
    return case_id


async def suspended(http: Served) -> UUID:
    case_id = await endorsed(http)
    await http.act(case_id, "legs/2/suspension-decision", LEADERSHIP, "leader", approved=True, reason="按计划实施")
    return case_id


async def ordered(http: Served) -> UUID:
    case_id = await signed(http)
    basis = {"legal_basis": "道路交通安全法第五十六条", "document_number": "责改〔2026〕第 118 号"}
    await http.act(case_id, "legs/2/rectification-orders", POLICE, "department", **basis)
    return case_id


async def not_cleared(http: Served) -> UUID:
    case_id = await ordered(http)
    seen = {"passed": False, "finding": "车辆仍未移走"}
    await http.act(case_id, "legs/2/reinspections", POLICE, "department", **seen)
    return case_id


async def supervised(http: Served) -> UUID:
    case_id = await http.filed()
    await http.act(case_id, "supervision", COMMAND, "inspector", reason="群众反映强烈")
    return case_id


async def handled(http: Served) -> UUID:
    return await http.handled()


async def to_check_elsewhere(http: Served) -> UUID:
    case_id = await http.handled()
    if (await http.dossier(case_id))["case"]["check_unit"] != OTHER_STREET:
        await http.dispatches(case_id, "check-assignment", unit=OTHER_STREET, reason="就近")
    return case_id


async def checked(http: Served) -> UUID:
    return await http.checked()


async def closed(http: Served) -> UUID:
    return await http.closed()


async def closed_late(http: Served) -> UUID:
    case_id = await http.filed()
    await http.feeder.time_passes(case_id)
    for leg in (5, 4, 3, 2, 1):
        body = {"closing_condition": "lane clear"}
        response = await http.leg(case_id, leg, "feedback", FIRE_LANE_UNITS[leg - 1], body)
        assert response.status_code == 200, response.text
    await http.check(case_id, passed=True)
    await http.close(case_id)
    return case_id


async def appealed(http: Served) -> UUID:
    case_id = await closed_late(http)
    await http.act(case_id, "legs/2/appeal", POLICE, "department", ground="道路封闭，车辆无法进入")
    return case_id


async def void_proposed(http: Served) -> UUID:
    case_id = await http.filed()
    await http.leads(case_id, "void-proposals", reason="not_found", ground="两次到场均未发现")
    return case_id


async def for_the_street(http: Served) -> UUID:
    """A case that the city's own rule leaves to the street."""
    path = "/v1/reference/routing/jiaohe"
    if (await http.get(path)).json()["version"] == 1:
        response = await http.post(path, {"city": "jiaohe", "overrides": [OWN_RULE]}, *ADMINISTRATION)
        assert response.status_code == 201, response.text
        await http.feeder.relay()
    return await http.filed()


async def merged(http: Served) -> UUID:
    case_id, master = await http.filed(), await http.filed()
    await http.leads(case_id, "merge", master=str(master), reason="同一地点同一问题")
    await http.feeder.relay()
    return case_id


def _by_department(prepare: Callable[[Served], Awaitable[UUID]]) -> Scene:
    return Scene(prepare=prepare, unit=POLICE, post="department")


def _by_duty_leader(prepare: Callable[[Served], Awaitable[UUID]]) -> Scene:
    return Scene(prepare=prepare, unit=SUPERVISION, post="duty_leader")


def _by_dispatcher(prepare: Callable[[Served], Awaitable[UUID]]) -> Scene:
    return Scene(prepare=prepare, unit=COMMAND, post="dispatcher")


def _by_leader(prepare: Callable[[Served], Awaitable[UUID]]) -> Scene:
    return Scene(prepare=prepare, unit=LEADERSHIP, post="leader")


SCENES: Final[dict[str, Scene]] = {
    "legs/{leg}/sign": _by_department(filed),
    "legs/{leg}/feedback": _by_department(signed),
    "legs/{leg}/return-requests": _by_department(filed),
    "legs/{leg}/return-decision": _by_duty_leader(return_asked),
    "legs/{leg}/ruling": _by_leader(twice_returned),
    "legs/{leg}/extension-requests": _by_department(signed),
    "legs/{leg}/extension-decision": _by_duty_leader(extension_asked),
    "legs/{leg}/suspension-requests": _by_department(signed),
    "legs/{leg}/suspension-endorsement": _by_dispatcher(suspension_asked),
    "legs/{leg}/suspension-decision": _by_leader(endorsed),
    "legs/{leg}/resume": _by_department(suspended),
    "legs/{leg}/rectification-orders": _by_department(signed),
    "legs/{leg}/rectification-claims": _by_department(ordered),
    "legs/{leg}/reinspections": _by_department(ordered),
    "legs/{leg}/enforcements": _by_department(not_cleared),
    "legs/{leg}/send-back": _by_dispatcher(fed_back),
    "legs/{leg}/waive": _by_duty_leader(filed),
    "legs/{leg}/supervision-answer": _by_department(supervised),
    "legs/{leg}/appeal": _by_department(closed_late),
    "legs/{leg}/appeal-reviews": Scene(prepare=appealed, unit=SUPERVISION, post="evaluator"),
    "dispatch": _by_dispatcher(filed),
    "legs": _by_dispatcher(filed),
    "check-assignment": _by_dispatcher(to_check_elsewhere),
    "checks": Scene(prepare=handled, unit=None, post="collector"),
    "close": _by_duty_leader(checked),
    "void-proposals": _by_duty_leader(filed),
    "void-decision": _by_leader(void_proposed),
    "reopen": _by_duty_leader(closed),
    "supervision": Scene(prepare=filed, unit=COMMAND, post="inspector"),
    "escalation": _by_duty_leader(for_the_street),
    "merge": _by_duty_leader(filed),
    "unmerge": _by_duty_leader(merged),
}
"""By what follows the case in the path. Acts on a leg are on leg 2."""
