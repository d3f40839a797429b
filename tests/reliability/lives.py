"""Lives that are more than closed once, on a running city: reopened, sent back, voided, merged, on the books.

And reports that are verified, or merged, before they are cases.

None of them is among the load's `closed`: they have other events than those.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.reliability.load import CENTRE, COUNTER, TRUSTED, Leg, Load
from tests.support.parties import reaches


async def live(load: Load) -> None:
    """Play one of each.

    Raises:
        AssertionError: when something was refused, or not answered in time.
    """
    await asyncio.gather(
        verified(load),
        reopened(load),
        voided(load),
        merged(load),
        merged_reports(load),
        suspended(load),
        returned(load),
    )


async def verified(load: Load) -> None:
    """Let collectors look twice at what the public reports, and once at what is not there."""
    there, gone = [await load.waiting(number) for number in (111, 112)]
    await _look(load, there, "undetermined", ":1")
    await _look(load, there, "exists", ":2")
    await load.file(there)
    await _look(load, gone, "absent")
    rejection = {"reason_code": "not_found", "reason": "现场未发现"}
    await load.write("acceptor", "intake", f"/v1/reports/{gone}/reject", rejection, f"{gone}:reject")


async def reopened(load: Load) -> None:
    """Close a case that was sent back once, and close it again after it was reopened."""
    case_id, legs = await _begun(load, 100)
    await _worked_on(load, case_id, legs)
    lead = next(leg for leg in legs if leg["role"] == "lead")
    await _act(load, "dispatcher", case_id, f"legs/{lead['leg']}/send-back", {"reason": "看不清照片"})
    await load.feed_back(case_id, lead, ":2")
    await load.check_and_close(case_id)
    body = {"ground": "recurrence", "reason": "又堆起来了", "legs": [lead["leg"]]}
    await _act(load, "leader", case_id, "reopen", body)
    await load.feed_back(case_id, lead, ":3")
    await load.check_and_close(case_id, ":3")


async def voided(load: Load) -> None:
    """Void a case of which nothing was found."""
    case_id, _ = await _begun(load, 101)
    await _act(load, "duty_leader", case_id, "void-proposals", {"reason": "not_found", "ground": "现场没有"})
    await _act(load, "leader", case_id, "void-decision", {"approved": True, "reason": "同意"})


async def merged(load: Load) -> None:
    """Merge two cases into a third, and take one out again."""
    (master, _), (stays, _), (leaves, _) = [await _begun(load, number) for number in (102, 103, 104)]
    for case_id in (stays, leaves):
        await _act(load, "duty_leader", case_id, "merge", {"master": str(master), "reason": "同一处"})
        await reaches(lambda case_id=case_id: _status(load, case_id), "merged")  # type: ignore[misc]
    await _act(load, "duty_leader", leaves, "unmerge", {"reason": "不是同一处"})


async def merged_reports(load: Load) -> None:
    """Merge a report into one that becomes a case and is closed; let a merged and a rejected one decline another."""
    master, goes, rejected, stays = [await load.waiting(number) for number in range(107, 111)]
    await _merge(load, goes, master)
    await reaches(lambda: _report(load, goes, "state"), "merged")
    reason = {"reason_code": "not_found", "reason": "现场没有"}
    await load.write("acceptor", "intake", f"/v1/reports/{rejected}/reject", reason, f"{rejected}:reject")
    for unwilling in (goes, rejected):
        await _merge(load, stays, unwilling)
        await reaches(lambda: _report(load, stays, "asked"), None)
    case_id, position = await load.file(master)
    await _worked_on(load, case_id, await load.legs_of(case_id, position))
    await load.check_and_close(case_id)


async def suspended(load: Load) -> None:
    """Give a leg more time, and put it on the books."""
    case_id, legs = await _begun(load, 105)
    leg = next(leg for leg in legs if leg["unit"] == COUNTER)
    await load.sign(case_id, leg)
    path = f"legs/{leg['leg']}"
    await _act(load, COUNTER, case_id, f"{path}/extension-requests", {"reason": "下雨"})
    await _act(load, "duty_leader", case_id, f"{path}/extension-decision", {"approved": True, "reason": "同意"})
    until = (datetime.now(UTC) + timedelta(days=120)).isoformat()
    body = {"reason": "wrong_season", "plan": "开春施工", "until": until}
    await _act(load, COUNTER, case_id, f"{path}/suspension-requests", body)
    await _act(load, "dispatcher", case_id, f"{path}/suspension-endorsement", {"endorsed": True, "reason": "属实"})
    await _act(load, "leader", case_id, f"{path}/suspension-decision", {"approved": True, "reason": "同意"})
    await _act(load, "leader", case_id, "supervision", {"reason": "重点问题"})
    await _act(load, COUNTER, case_id, f"{path}/supervision-answer", {"answer": "开春就办"})


async def returned(load: Load) -> None:
    """Give a leg to another unit, and add one more."""
    case_id, legs = await _begun(load, 106)
    leg = next(leg for leg in legs if leg["unit"] == COUNTER)
    request = {"reason": "not_our_duty", "ground": "没有物业"}
    await _act(load, COUNTER, case_id, f"legs/{leg['leg']}/return-requests", request)
    decision = {"upheld": True, "reason": "属实", "to_unit": "housing"}
    await _act(load, "duty_leader", case_id, f"legs/{leg['leg']}/return-decision", decision)
    await _act(load, "dispatcher", case_id, "legs", {"units": ["ecology"], "reason": "有污水"})


async def _look(load: Load, report_id: UUID, result: str, time: str = "") -> None:
    path = f"/v1/reports/{report_id}"
    assignment = {"unit": CENTRE}
    await load.write("acceptor", "intake", f"{path}/assign-verification", assignment, f"{report_id}:assign{time}")
    found = {"result": result, "finding": "现场查看", "evidence": ["0f" * 32]}
    await load.write(f"{CENTRE}.collector", "intake", f"{path}/verify", found, f"{report_id}:verify{time}")


async def _begun(load: Load, number: int) -> tuple[UUID, Sequence[Leg]]:
    case_id, position = await load.report(number, TRUSTED)
    return case_id, await load.legs_of(case_id, position)


async def _worked_on(load: Load, case_id: UUID, legs: Sequence[Leg]) -> None:
    for leg in sorted(legs, key=lambda leg: leg["role"], reverse=True):  # support before lead
        await load.work_on(case_id, leg)


async def _act(load: Load, who: str, case_id: UUID, act: str, body: object) -> None:
    await load.write(who, "dispatch", f"/v1/cases/{case_id}/{act}", body, f"{case_id}:{act}")


async def _merge(load: Load, report_id: UUID, master: UUID) -> None:
    body, key = {"master": str(master), "reason": "同一处"}, f"{report_id}:merge:{master}"
    await load.write("acceptor", "intake", f"/v1/reports/{report_id}/merge", body, key)


async def _report(load: Load, report_id: UUID, name: str) -> object:
    return (await load.doors["acceptor"].get("intake", f"/v1/reports/{report_id}")).document["report"].get(name)


async def _status(load: Load, case_id: UUID) -> object:
    document = (await load.doors["duty_leader"].get("dispatch", f"/v1/cases/{case_id}")).document
    return document["case"].get("status", document["case"].get("state"))
