"""A load of whole cases, each from its report to its closure, through all three doors; every word is in the history.

Doors: submissions over topics, acts over topics, acts over HTTP. It is safe to repeat: what got no answer is sent again
under its key until it has one.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec

from deploy.campaign.door import Door, Reply
from deploy.campaign.stage import Stage
from services.dispatch.seed import units
from shared.contracts.dispatch import FeedBackLeg, SignLeg
from shared.contracts.intake import ReportSubmission
from shared.kernel.identifiers import new_id
from shared.messaging.client import Mode
from tests.reliability.history.actions import History
from tests.reliability.recording import a_department, a_door, a_source, position_of
from tests.support.kafka import eventually
from tests.support.parties import Party, report_body

TRUSTED: Final = "grid-platform"
UNTRUSTED: Final = "hotline-12345"
ON_HTTP: Final = "citizen-portal"
SOURCES: Final = (TRUSTED, UNTRUSTED)
DEPARTMENTS: Final = ("sanitation", "street-220281001")
COUNTER: Final = "property-service"
CENTRE: Final = "supervision-centre"
_TURNS: Final = (TRUSTED, UNTRUSTED, TRUSTED, ON_HTTP)
EVENTS_OF_A_CASE: Final = 11
"""On dispatch.cases: opened, dispatched, three legs signed and fed back, check assigned, checked, closed."""
_AT_ONCE: Final = 6
_ANSWER_SECONDS: Final = 200.0
"""Longer than any fault lasts, on a crowded machine too; a test has its own limit."""

Leg = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Everybody who takes part, connected. Made by `a_load`."""

    parties: Mapping[str, Party]
    doors: Mapping[str, Door]
    closed: list[UUID]

    async def play(self, cases: int = 20) -> list[UUID]:
        """Report so many problems and bring each to its closure; return their ids. `closed` has those that are.

        Raises:
            AssertionError: when something was refused, or not answered in time.
        """
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def one(number: int) -> UUID:
            async with at_once:
                return await self._case(number, _TURNS[number % len(_TURNS)])

        return list(await asyncio.gather(*map(one, range(cases))))

    async def publish_reference(self) -> None:
        """Put the units' document in force once more, as its next version: news for every service's copy."""
        path = "/v1/reference/units/jiaohe"
        document = (await self.doors["duty_leader"].get("dispatch", path)).document["document"]
        await self.write("administrator", "dispatch", path, document, str(new_id()))

    async def _case(self, number: int, source: str) -> UUID:
        case_id, position = await self.report(number, source)
        legs = await self.legs_of(case_id, position)
        await asyncio.gather(*(self.work_on(case_id, leg) for leg in legs if leg["role"] == "support"))
        await self.work_on(case_id, next(leg for leg in legs if leg["role"] == "lead"))
        await self.check_and_close(case_id)
        self.closed.append(case_id)
        return case_id

    async def check_and_close(self, case_id: UUID, time: str = "") -> None:
        """Let the unit that was chosen find the problem gone, and close the case; `time` names a later time."""
        path = f"/v1/cases/{case_id}"
        case = (await self.doors["duty_leader"].get("dispatch", path)).document["case"]
        checker = f"{case['check_unit']}.collector"
        await self.write(checker, "dispatch", f"{path}/checks", {"passed": True}, f"{case_id}:check{time}")
        await self.write("duty_leader", "dispatch", f"{path}/close", {}, f"{case_id}:close{time}")

    async def report(self, number: int, source: str) -> tuple[UUID, str]:
        """Report a problem, over a topic or HTTP; return its id and where its filing stands."""
        body = report_body(description=f"垃圾裸露 {number}")
        if source == ON_HTTP:
            document = (await self.write(ON_HTTP, "intake", "/v1/reports", body, str(new_id()))).document
            return await self.file(UUID(document["subject"]))
        receipt = await self._sent(source, ReportSubmission.type, body, "structured" if number % 4 else "binary")
        subject = UUID(receipt["subject"])
        return await self.file(subject) if source == UNTRUSTED else (subject, str(position_of(receipt)))

    async def waiting(self, number: int) -> UUID:
        """Report a problem that waits for an acceptor; return its id."""
        body = report_body(description=f"垃圾裸露 {number}")
        return UUID((await self._sent(UNTRUSTED, ReportSubmission.type, body))["subject"])

    async def file(self, report_id: UUID) -> tuple[UUID, str]:
        """Accept a report that waits and file it; return its id and where its filing stands."""
        path = f"/v1/reports/{report_id}"
        await self.write("acceptor", "intake", f"{path}/accept", {}, f"{report_id}:accept")
        reply = await self.write("duty_leader", "intake", f"{path}/file", {}, f"{report_id}:file")
        return report_id, str(position_of(reply.document))

    async def legs_of(self, case_id: UUID, position: str) -> Sequence[Leg]:
        """Return the legs of a case when its service has reached the position."""
        reply = await self.doors["duty_leader"].get("dispatch", f"/v1/cases/{case_id}", after=position)
        assert reply.accepted, f"the case {case_id} after {position}: {reply}"
        legs: Sequence[Leg] = reply.document["case"]["legs"]
        return legs

    async def work_on(self, case_id: UUID, leg: Leg) -> None:
        """Let the leg's unit sign and feed back."""
        await self.sign(case_id, leg)
        await self.feed_back(case_id, leg)

    async def sign(self, case_id: UUID, leg: Leg) -> None:
        """Let the leg's unit sign."""
        if leg["unit"] == COUNTER:
            await self._at_the_counter(case_id, leg, "sign", {})
        else:
            await self._sent(leg["unit"], SignLeg.type, SignLeg(case_id=case_id, leg=leg["leg"]))

    async def feed_back(self, case_id: UUID, leg: Leg, time: str = "") -> None:
        """Let the leg's unit feed back; `time` names a later time."""
        if leg["unit"] == COUNTER:
            await self._at_the_counter(case_id, leg, "feedback", {"closing_condition": "cleared"}, time)
        else:
            act = FeedBackLeg(case_id=case_id, leg=leg["leg"], closing_condition="cleared")
            await self._sent(leg["unit"], FeedBackLeg.type, act)

    async def _at_the_counter(self, case_id: UUID, leg: Leg, act: str, body: object, time: str = "") -> None:
        path = f"/v1/cases/{case_id}/legs/{leg['leg']}/{act}"
        await self.write(COUNTER, "dispatch", path, body, f"{case_id}:{leg['leg']}:{act}{time}")

    async def _sent(self, name: str, type_: str, data: object, mode: Mode = "binary") -> Mapping[str, Any]:
        """Send over the party's topic and return the answer, which accepts it."""
        party = self.parties[name]
        id_ = await party.send(data, type_=type_, mode=mode)
        await eventually(lambda: bool(party.answers(id_)), f"a receipt for {name} {id_}", seconds=_ANSWER_SECONDS)
        answers = party.answers(id_)
        assert answers[0].outcome == "accepted", f"{name} {type_} {id_}: {answers[0]}"
        answer: Mapping[str, Any] = msgspec.to_builtins(answers[0])
        return answer

    async def write(self, who: str, service: str, path: str, body: object, key: str) -> Reply:
        """Send over HTTP and return the answer, which accepts it."""
        reply = await self.doors[who].post(service, path, body, key=key)
        assert reply.accepted, f"{who} {path} {key}: {reply}"
        return reply


@asynccontextmanager
async def a_load(stage: Stage, history: History, api: Mapping[str, str] | None = None) -> AsyncIterator[Load]:
    """Connect everybody; receipts are heard from now on.

    `api` names other addresses of services than the first processes'.
    """
    async with AsyncExitStack() as stack:
        doors = {
            post: await stack.enter_async_context(a_door(stage, history, f"{CENTRE}.{post}", CENTRE, post, api))
            for post in ("acceptor", "duty_leader")
        }
        collectors = [unit.code for unit in units().units if "collector" in unit.posts]
        for client, unit, post in (
            *((f"{unit}.collector", unit, "collector") for unit in collectors),
            (ON_HTTP, ON_HTTP, "source"),
            (COUNTER, COUNTER, "department"),
            ("dispatcher", "command-centre", "dispatcher"),
            ("leader", "city-leadership", "leader"),
            ("administrator", "joint-administration", "administrator"),
        ):
            doors[client] = await stack.enter_async_context(a_door(stage, history, client, unit, post, api))
        found = await asyncio.gather(
            *(stack.enter_async_context(a_source(stage, history, name)) for name in SOURCES),
            *(stack.enter_async_context(a_department(stage, history, name)) for name in DEPARTMENTS),
        )
        yield Load(parties=dict(zip((*SOURCES, *DEPARTMENTS), found, strict=True)), doors=doors, closed=[])
