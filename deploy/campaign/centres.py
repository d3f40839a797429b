"""The supervision centre's console as a program: its acceptor and its duty leader work over HTTP alone.

They take up what untrusted sources reported, rule on returns, release support legs and close what was checked. Each act
is that of a post with a token of its own.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Final

from deploy.campaign.assignment import Assignment, Positions, Voice
from deploy.campaign.behaviour import accepts, ruling, waives
from deploy.campaign.door import Door
from deploy.campaign.problems import Problem
from deploy.campaign.watching import SeenCase, SeenLeg, Watch, pause, side_by_side

UNIT: Final = "supervision-centre"
POSTS: Final = ("acceptor", "duty_leader")


class Centre:
    """The supervision centre in one campaign; `doors` are by post."""

    def __init__(self, doors: Mapping[str, Door], problems: tuple[Problem, ...]) -> None:
        self._doors = doors
        self._watch = Watch(doors["duty_leader"], problems)
        self._positions = Positions(problems)
        self._untrusted = sorted({problem.source for problem in problems if not problem.trusted})
        self._voice = Voice("supervision centre")

    async def look(self) -> None:
        """Look once at everything that waits for the centre, and act."""
        for source in self._untrusted:
            await self._take_up(source)
        at_work = await self._watch.cases("dispatched", "handling")
        await side_by_side(self._rule(case, leg) for case in at_work for leg in case.legs)
        await side_by_side(self._waive(case, leg) for case in at_work for leg in case.legs)
        await side_by_side(self._close(case.case_id) for case in await self._watch.cases("checked"))

    async def _take_up(self, source: str) -> None:
        for state, post, act in (("reported", "acceptor", "accept"), ("accepted", "duty_leader", "file")):
            door = self._doors[post]
            waiting = [item async for item in door.items("intake", "/v1/reports", state=state, source=source)]
            for report in waiting:
                place = report["place"]
                problem = self._positions.find(place["longitude"], place["latitude"])
                if problem is not None and accepts(problem):
                    path = f"/v1/reports/{report['report_id']}/{act}"
                    await self._write(post, "intake", path, {}, f"{report['report_id']}:{act}")

    async def _rule(self, case: SeenCase, leg: SeenLeg) -> None:
        found = ruling(case.problem) if leg.state == "return_pending" else None
        if found is None:
            return
        body: dict[str, Any] = {"upheld": found.to_unit is not None, "reason": "The power list was looked at again."}
        if found.to_unit is not None:
            body["to_unit"] = found.to_unit
        await self._on_leg(case, leg, "return-decision", body)

    async def _waive(self, case: SeenCase, leg: SeenLeg) -> None:
        if not leg.done and leg.role == "support" and waives(case.problem, leg.unit):
            await self._on_leg(case, leg, "waive", {"reason": "The lead has settled it without this unit."})

    async def _on_leg(self, case: SeenCase, leg: SeenLeg, act: str, body: dict[str, Any]) -> None:
        path = f"/v1/cases/{case.case_id}/legs/{leg.leg}/{act}"
        await self._write("duty_leader", "dispatch", path, body, f"{case.case_id}:{leg.leg}:{act}:{leg.revision}")

    async def _close(self, case_id: str) -> None:
        await self._write("duty_leader", "dispatch", f"/v1/cases/{case_id}/close", {}, f"{case_id}:close")

    async def _write(self, post: str, service: str, path: str, body: dict[str, Any], key: str) -> bool:
        reply = await self._doors[post].post(service, path, body, key=key)
        act = path.rsplit("/", 1)[-1]
        if reply.accepted:
            self._voice.did(act)
        else:
            self._voice.trouble(f"{path}: {reply}")
        return reply.accepted


async def run(assignment: Assignment) -> None:
    """Work as the supervision centre until told to end."""
    async with AsyncExitStack() as open_doors:
        doors = {
            post: await open_doors.enter_async_context(Door(assignment.api, token))
            for post, token in assignment.tokens.items()
        }
        centre = Centre(doors, assignment.problems())
        while True:
            await centre.look()
            await pause()
