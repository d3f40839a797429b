"""One case through everything: extended, suspended and resumed early, reworked, closed, reopened and closed again.

The lead acts over its topic and hears every change there; the centres and the supporting units act over HTTP.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from deploy.campaign.door import Door
from deploy.campaign.stage import Stage
from shared.contracts.adjustments import RequestLegExtension, RequestLegSuspension, ResumeLeg
from shared.contracts.dispatch import FeedBackLeg, SignLeg
from shared.contracts.tasks import TaskChange, TaskChanged
from shared.kernel.identifiers import new_id
from tests.support.parties import Party, a_department, a_source, eventually, reaches, reported

pytestmark = pytest.mark.timeout(240)

SOURCE = "grid-platform"
LEAD = "sanitation"
SUPPORTS = ("street-220281001", "property-service")
SUPERVISION, COMMAND, LEADERSHIP = "supervision-centre", "command-centre", "city-leadership"


async def test_a_case_lives_through_everything_and_is_closed_twice(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as source, a_department(stage, LEAD) as lead:
        life = Life(stage, lead, await reported(source))
        assigned = await life.hears("assigned")
        assert assigned.sign_by is not None
        assert assigned.sign_by <= due(assigned)
        await life.acts(SignLeg.type)
        later = await life.is_extended(due(await life.hears("signed")))
        await life.rests_and_goes_on(later)
        await life.supports_finish()
        await life.feeds_back()
        await life.is_checked(passed=False, rework=[1], reason="仍有垃圾")
        assert (await life.hears("rework")).reason == "仍有垃圾"
        await life.closes()
        await life.is_reopened()
        await life.closes()
        assert await life.history_of("closed", "reopened") == ["closed", "reopened", "closed"]
        await reaches(life.told_to_the_reporter, {"case_id": str(life.case_id), "state": "closed", "follows": None})
        assert [task.change for task in lead.tasks if task.case_id == life.case_id] == [
            *("assigned", "signed", "extension_requested", "extended"),
            *("suspension_requested", "suspension_endorsed", "suspended", "resumed"),
            *("fed_back", "rework", "fed_back", "closed", "reopened", "fed_back", "closed"),
        ]


def due(task: TaskChanged) -> datetime:
    """Until when the leg has to be handled, which a running one is told."""
    assert task.due_at is not None
    return task.due_at


class Life:
    """A case, and everybody who does something about it."""

    def __init__(self, stage: Stage, lead: Party, case_id: UUID) -> None:
        self._stage = stage
        self._lead = lead
        self._heard = 0
        self.case_id = case_id

    async def hears(self, change: TaskChange) -> TaskChanged:
        """Return the next message to the lead that tells of this change."""

        def news() -> list[TaskChanged]:
            return [task for task in self._lead.tasks if task.case_id == self.case_id][self._heard :]

        await eventually(lambda: change in {task.change for task in news()}, f"the lead hears {change}")
        told = [task.change for task in news()].index(change)
        task = news()[told]
        self._heard += told + 1
        return task

    async def acts(self, type_: str, **more: object) -> None:
        """Let the lead act on its leg over its topic."""
        act = {"case_id": str(self.case_id), "leg": 1, **more}
        answer = await self._lead.answer(await self._lead.send(act, type_=type_))
        assert answer.outcome == "accepted", answer

    async def is_extended(self, due_at: datetime) -> datetime:
        """Let the lead ask for more time and get it; return when the leg is due then."""
        await self.acts(RequestLegExtension.type, reason="垃圾量大")
        await self.does("legs/1/extension-decision", SUPERVISION, "duty_leader", approved=True, reason="属实")
        extended = await self.hears("extended")
        assert due(extended) > due_at
        return due(extended)

    async def rests_and_goes_on(self, due_at: datetime) -> None:
        """Let the leg be suspended, and resumed long before its end date."""
        until = datetime.now(UTC) + timedelta(days=60)
        await self.acts(
            RequestLegSuspension.type, reason="conditions_missing", plan="等待清运车", until=until.isoformat()
        )
        await self.does("legs/1/suspension-endorsement", COMMAND, "dispatcher", endorsed=True, reason="属实")
        await self.does("legs/1/suspension-decision", LEADERSHIP, "leader", approved=True, reason="同意")
        resting = await self.hears("suspended")
        assert (resting.due_at, resting.until) == (None, until)
        await self.acts(ResumeLeg.type, reason="清运车已到")
        assert due_at <= due(await self.hears("resumed")) < until

    async def supports_finish(self) -> None:
        """Let the supporting units sign and feed back."""
        for leg, unit in enumerate(SUPPORTS, start=2):
            await self.does(f"legs/{leg}/sign", unit, "department")
            await self.does(f"legs/{leg}/feedback", unit, "department", closing_condition="清理干净")

    async def feeds_back(self) -> None:
        """Let the lead feed back."""
        await self.acts(FeedBackLeg.type, closing_condition="清理干净")
        await self.hears("fed_back")

    async def is_checked(self, **result: object) -> None:
        """Let a collector of the unit that the rule chose check."""
        unit = (await self.dossier())["case"]["check_unit"]
        assert unit not in {LEAD, *SUPPORTS}
        await self.does("checks", unit, "collector", **result)

    async def closes(self) -> None:
        """Feed back, check and close."""
        await self.feeds_back()
        await self.is_checked(passed=True)
        await self.does("close", SUPERVISION, "duty_leader")
        await self.hears("closed")

    async def is_reopened(self) -> None:
        """Let the lead's leg be reopened: the same unit hears it, with a new deadline."""
        body = {"ground": "recurrence", "reason": "垃圾再次堆积", "legs": [1]}
        await self.does("reopen", SUPERVISION, "duty_leader", **body)
        reopened = await self.hears("reopened")
        assert (reopened.unit, reopened.reason) == (LEAD, "垃圾再次堆积")
        assert due(reopened) > reopened.at

    async def does(self, act: str, unit: str, post: str, /, **body: object) -> None:
        """Act over HTTP, at a post of a unit."""
        async with Door(self._stage.api, self._stage.token(f"test.{unit}", unit, post)) as door:
            reply = await door.post("dispatch", f"/v1/cases/{self.case_id}/{act}", body, key=str(new_id()))
        assert reply.status == 200, (act, str(reply))

    async def dossier(self) -> dict[str, Any]:
        """Read everything about the case."""
        async with self._stage.reader() as reader:
            return dict((await reader.get("dispatch", f"/v1/cases/{self.case_id}")).document)

    async def told_to_the_reporter(self) -> Any:  # noqa: ANN401 - a part of a document
        """Return what the source that reported it reads of the case."""
        async with Door(self._stage.api, self._stage.token(SOURCE, SOURCE, "source")) as door:
            return (await door.get("intake", f"/v1/reports/{self.case_id}")).document["report"]["case"]

    async def history_of(self, *kinds: str) -> list[str]:
        """Return what of these kinds happened, in order."""
        names = [entry["type"].split(".")[2] for entry in (await self.dossier())["history"]]
        return [name for name in names if name in kinds]
