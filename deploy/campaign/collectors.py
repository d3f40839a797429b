"""The collectors of all units as one program: each case is checked on site by a collector of the unit chosen for it.

They work over HTTP alone, each with a token of its own, and find what the plan lets them find.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from deploy.campaign.assignment import Assignment, Voice
from deploy.campaign.behaviour import finds_it_gone
from deploy.campaign.door import Door
from deploy.campaign.problems import Problem
from deploy.campaign.watching import SeenCase, Watch, pause, side_by_side


class Collectors:
    """All of them in one campaign; `doors` are by unit."""

    def __init__(self, doors: Mapping[str, Door], problems: tuple[Problem, ...]) -> None:
        self._doors = doors
        self._watch = Watch(next(iter(doors.values())), problems)
        self._voice = Voice("collectors")

    async def look(self) -> None:
        """Look once at everything that is to be checked, and check it."""
        await side_by_side(self._check(case) for case in await self._watch.cases("checking"))

    async def _check(self, case: SeenCase) -> None:
        failures = await self._watch.failures(case)
        gone = finds_it_gone(case.problem, failures)
        if gone is None or case.check_unit is None:
            return
        body: dict[str, Any] = {"passed": gone}
        if not gone:
            body |= {"rework": [case.lead.leg], "reason": "The problem is still there."}
        path = f"/v1/cases/{case.case_id}/checks"
        reply = await self._doors[case.check_unit].post("dispatch", path, body, key=f"{case.case_id}:check:{failures}")
        if reply.accepted:
            self._voice.did("checks")
        else:
            self._voice.trouble(f"{path}: {reply}")


async def run(assignment: Assignment) -> None:
    """Work as the collectors of all units until told to end."""
    async with AsyncExitStack() as open_doors:
        doors = {
            unit: await open_doors.enter_async_context(Door(assignment.api, token))
            for unit, token in assignment.tokens.items()
        }
        collectors = Collectors(doors, assignment.problems())
        while True:
            await collectors.look()
            await pause()
