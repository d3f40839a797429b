"""The systems of the units that handle: a department on its own topics, and a counter that works over HTTP alone.

A department hears of its tasks on its receipts topic and acts on its actions topic. As lead it looks over HTTP whether
its supports are done, because it may only feed back after them. Units that send little share a counter.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from deploy.campaign.assignment import Assignment, Positions, Voice
from deploy.campaign.behaviour import LegAct, LegState, act_on_leg
from deploy.campaign.door import Door, Reply
from deploy.campaign.problems import Problem
from deploy.campaign.watching import SeenCase, SeenLeg, Watch, pause, side_by_side
from shared.contracts.common import Receipt
from shared.contracts.dispatch import FeedBackLeg, LegAction, RequestLegReturn, SignLeg
from shared.contracts.envelope import CloudEvent, read_event
from shared.contracts.records import Record
from shared.contracts.registry import ACTIONS_PREFIX, ANSWERED, DISPATCH_RECEIPTS_PREFIX, party_uri, type_name
from shared.contracts.tasks import TaskChanged
from shared.messaging.client import PartyClient

_STATES: Final[Mapping[str, LegState]] = {
    "assigned": "assigned",
    "signed": "handling",
    "return_requested": "return_pending",
    "return_refused": "handling",
    "fed_back": "fed_back",
    "rework": "handling",
    "waived": "waived",
    "closed": "fed_back",
}
"""The state of a leg after a change that its unit hears of; of other changes it takes no notice."""
_GONE: Final = frozenset({"return_upheld", "withdrawn", "voided", "merged"})
"""Changes after which nothing is expected of the unit any more."""
_SUPPORT_OPEN: Final = "wrong_state_support_open"
_PATHS: Final[Mapping[LegAct, str]] = {"sign": "sign", "feed_back": "feedback", "request_return": "return-requests"}

Task = tuple[UUID, int]
"""A case and the number of the unit's leg in it."""


@dataclass(slots=True, kw_only=True)
class Work:
    """What a department knows of one of its tasks."""

    problem: Problem
    lead: bool
    closing_condition: str
    state: LegState
    failures: int = 0
    attempts: int = 0


def action(case_id: UUID, leg: int, act: LegAct, closing_condition: str) -> LegAction:
    """Return the message of the act."""
    match act:
        case "sign":
            return SignLeg(case_id=case_id, leg=leg)
        case "feed_back":
            return FeedBackLeg(case_id=case_id, leg=leg, closing_condition=closing_condition[:200])
        case "request_return":
            return RequestLegReturn(
                case_id=case_id, leg=leg, reason="not_our_duty", ground="The power list names another unit for this."
            )


class Department:
    """One department on its own topics."""

    def __init__(self, unit: str, client: PartyClient, watch: Watch, problems: tuple[Problem, ...]) -> None:
        self._unit = unit
        self._client = client
        self._watch = watch
        self._positions = Positions(problems)
        self._voice = Voice(f"department {unit}")
        self._tasks: dict[Task, Work] = {}
        self._waiting: set[Task] = set()

    async def listen(self) -> None:
        """Hear of tasks and receipts, for ever."""
        async for record in self._client.receive():
            await self._hear(record)

    async def feed_back_as_lead(self) -> None:
        """Look for cases whose supports are done, for ever."""
        while True:
            await pause()
            if not self._waiting:
                continue
            for case in await self._watch.cases("handling", unit=self._unit):
                task = UUID(case.case_id), case.lead.leg
                if case.waits_for_the_lead and task in self._waiting:
                    self._waiting.discard(task)
                    await self._send(task, "feed_back")

    async def _hear(self, record: Record) -> None:
        event = read_event(record.headers, record.value)
        if event.type == TaskChanged.type:
            await self._task_changed(msgspec.json.decode(event.data or b"", type=TaskChanged))
        elif event.type == ANSWERED:
            self._answered(msgspec.json.decode(event.data or b"", type=Receipt))

    async def _task_changed(self, change: TaskChanged) -> None:
        problem = self._positions.find(change.place.longitude, change.place.latitude)
        task = change.case_id, change.leg
        if problem is None:
            return
        if change.change in _GONE:
            self._tasks.pop(task, None)
        if change.change not in _STATES:
            return
        work = self._tasks.setdefault(
            task,
            Work(
                problem=problem,
                lead=change.role == "lead",
                closing_condition=change.closing_condition_en,
                state="assigned",
            ),
        )
        work.state = _STATES[change.change]
        work.failures += change.change == "rework"
        if change.change in {"signed", "fed_back", "return_requested", "rework"}:
            self._voice.did(change.change)
        await self._work_on(task, work)

    async def _work_on(self, task: Task, work: Work) -> None:
        act = act_on_leg(work.problem, unit=self._unit, state=work.state, failures=work.failures)
        if act == "feed_back" and work.lead:
            self._waiting.add(task)
        elif act is not None:
            await self._send(task, act)

    def _answered(self, receipt: Receipt) -> None:
        if receipt.answer.outcome == "accepted" or receipt.request is None:
            return
        case_id, leg, *_ = receipt.request.split(":")
        task = UUID(case_id), int(leg)
        if receipt.answer.code == _SUPPORT_OPEN and task in self._tasks:
            self._waiting.add(task)
            return
        self._voice.trouble(f"{receipt.request}: {receipt.answer.code} {receipt.answer.detail}")

    async def _send(self, task: Task, act: LegAct) -> None:
        work = self._tasks[task]
        message = action(*task, act, work.closing_condition)
        turn = f"{work.failures}.{work.attempts}" if act == "feed_back" else "0"
        work.attempts += act == "feed_back"
        await self._client.send(
            CloudEvent(
                id=f"{task[0]}:{task[1]}:{act}:{turn}",
                source=party_uri("departments", self._unit),
                type=type_name(type(message)),
                data=msgspec.json.encode(message),
            ),
            mode=work.problem.mode,
        )


async def run_department(assignment: Assignment) -> None:
    """Work as one department until told to end."""
    unit = assignment.party
    if assignment.broker is None:
        raise ValueError(f"The department {unit} works over its topics and needs a broker.")
    problems = assignment.problems()
    client = PartyClient(
        assignment.broker.connection(f"department.{unit}"),
        outgoing=ACTIONS_PREFIX + unit,
        incoming=DISPATCH_RECEIPTS_PREFIX + unit,
        since=assignment.since,
    )
    async with client, Door(assignment.api, assignment.tokens[unit]) as door:
        department = Department(unit, client, Watch(door, problems), problems)
        await asyncio.gather(department.listen(), department.feed_back_as_lead())


async def run_counter(assignment: Assignment) -> None:
    """Work for several units over HTTP until told to end."""
    voice = Voice("counter")
    async with AsyncExitStack() as open_doors:
        doors = {
            unit: await open_doors.enter_async_context(Door(assignment.api, token))
            for unit, token in assignment.tokens.items()
        }
        watch = Watch(next(iter(doors.values())), assignment.problems())
        while True:
            cases = await watch.cases("dispatched", "handling")
            legs = [(case, leg) for case in cases for leg in case.legs if leg.unit in doors]
            await side_by_side(_serve(doors[leg.unit], watch, case, leg, voice) for case, leg in legs)
            await pause()


async def _serve(door: Door, watch: Watch, case: SeenCase, leg: SeenLeg, voice: Voice) -> None:
    """Do what the unit does about its leg, as far as that is possible now."""
    state: LegState = leg.state
    failures = 0 if leg.done else await watch.failures(case)
    while True:
        act = act_on_leg(case.problem, unit=leg.unit, state=state, failures=failures)
        if act is None or (act == "feed_back" and leg.role == "lead" and not case.waits_for_the_lead):
            return
        reply = await _act(door, case, leg, act)
        if not reply.accepted:
            if reply.code != _SUPPORT_OPEN:
                voice.trouble(f"{case.case_id} leg {leg.leg} {act}: {reply}")
            return
        voice.did(act)
        if act != "sign":
            return
        state = "handling"


async def _act(door: Door, case: SeenCase, leg: SeenLeg, act: LegAct) -> Reply:
    message = action(UUID(case.case_id), leg.leg, act, "Done.")
    body = {name: value for name, value in msgspec.to_builtins(message).items() if name not in {"case_id", "leg"}}
    path = f"/v1/cases/{case.case_id}/legs/{leg.leg}/{_PATHS[act]}"
    # The revision makes the key that of this very turn: after a failed check the same act is another one.
    return await door.post("dispatch", path, body, key=f"{case.case_id}:{leg.leg}:{act}:{leg.revision}")
