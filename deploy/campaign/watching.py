"""What a party sees of the campaign's cases over HTTP: every case with its legs, and the problem it is about."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Struct

from deploy.campaign.assignment import Positions
from deploy.campaign.behaviour import LegState
from deploy.campaign.door import Door, Unreachable
from deploy.campaign.plan import FailedCheck
from deploy.campaign.problems import Problem
from shared.contracts.dispatch import LegRole

LOOK_SECONDS: Final = 0.7
"""How long a party waits between two looks."""
_HANDS: Final = 12
"""How many things one party does at the same time."""


class SeenLeg(Struct, frozen=True, kw_only=True):
    """One leg as the API shows it."""

    leg: int
    unit: str
    role: LegRole
    state: LegState
    revision: int

    @property
    def done(self) -> bool:
        """Whether nothing more is expected of the unit."""
        return self.state in {"fed_back", "waived"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCase:
    """One case of the campaign, and its problem."""

    case_id: str
    legs: tuple[SeenLeg, ...]
    check_unit: str | None
    """Whose collectors check it, once all legs are done."""
    problem: Problem

    @property
    def lead(self) -> SeenLeg:
        """Return the lead leg."""
        return next(leg for leg in self.legs if leg.role == "lead")

    @property
    def waits_for_the_lead(self) -> bool:
        """Whether every support leg is done, so that the lead may feed back."""
        return all(leg.done for leg in self.legs if leg.role == "support")


class Watch:
    """Looks at the cases of one campaign through a party's door."""

    def __init__(self, door: Door, problems: tuple[Problem, ...]) -> None:
        self._door = door
        self._campaign = problems[0].campaign if problems else ""
        self._positions = Positions(problems)
        self._known: dict[str, Problem | None] = {}

    async def cases(self, *states: str, unit: str | None = None) -> list[SeenCase]:
        """Return the campaign's cases in these states, of one unit where one is named."""
        items = [
            item
            for state in states
            async for item in self._door.items("dispatch", "/v1/cases", campaign=self._campaign, state=state, unit=unit)
        ]
        await side_by_side(self._recognise(str(item["id"])) for item in items)
        return [
            SeenCase(
                case_id=str(item["id"]),
                legs=msgspec.convert(item["legs"], tuple[SeenLeg, ...]),
                check_unit=item["check_unit"],
                problem=problem,
            )
            for item in items
            if (problem := self._known[str(item["id"])]) is not None
        ]

    async def failures(self, case: SeenCase) -> int:
        """Return how many checks of the case have failed; asks only where the plan lets checks fail."""
        if not isinstance(case.problem.deviation, FailedCheck):
            return 0
        return int((await self._dossier(case.case_id))["failed_checks"])

    async def _recognise(self, case_id: str) -> None:
        if case_id in self._known:
            return
        place = (await self._dossier(case_id))["place"]
        self._known[case_id] = self._positions.find(place["longitude"], place["latitude"])

    async def _dossier(self, case_id: str) -> Mapping[str, Any]:
        reply = await self._door.get("dispatch", f"/v1/cases/{case_id}")
        if not reply.accepted:
            raise Unreachable(f"dispatch does not show case {case_id}: {reply}")
        return reply.document


async def side_by_side(acts: Iterable[Awaitable[object]]) -> None:
    """Do all of this, a few at a time; the first failure ends it."""
    hands = asyncio.Semaphore(_HANDS)

    async def one(act: Awaitable[object]) -> None:
        async with hands:
            await act

    await asyncio.gather(*(one(act) for act in acts))


async def pause() -> None:
    """Wait until the next look."""
    await asyncio.sleep(LOOK_SECONDS)
