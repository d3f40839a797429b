"""One run: the world of a plan, and the scheduler that lets one act happen at a time, chosen by the seed alone."""

from collections.abc import Collection, Coroutine, Sequence
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any, Final
from uuid import UUID

from shared.contracts.common import Answer
from shared.contracts.records import Record
from tests.reliability.simulator import domain, outsiders, processes
from tests.reliability.simulator.acts import BLOCKED, Act
from tests.reliability.simulator.broker import Broker, BrokerAway, Message
from tests.reliability.simulator.connection import Database, Session
from tests.reliability.simulator.guarantees import Guarantee
from tests.reliability.simulator.mishaps import Mishaps
from tests.reliability.simulator.plan import Plan
from tests.reliability.simulator.processes import Process
from tests.reliability.simulator.store import Clock, Store, Version
from tests.reliability.simulator.watch import Broken, Watch
from tests.support.tally import NOON

SERVICES: Final = ("intake", "dispatch")
_MOST_STEPS: Final = 6000
_MOST_REBALANCES: Final = 5


class Task:
    """One loop of a process, and the act that it waits for."""

    __slots__ = ("act", "coroutine", "label", "name", "priority", "process")

    def __init__(self, name: str, coroutine: Coroutine[Act, Any, None], process: Process | None) -> None:
        self.name = name
        self.coroutine = coroutine
        self.process = process
        self.act: Act | None = None
        self.priority = 0.0

    def runnable(self) -> bool:
        return self.act is None or self.act.runnable()


class World:
    """Everything of one run."""

    def __init__(self, plan: Plan, removed: Collection[Guarantee] = (), trace: list[str] | None = None) -> None:
        self.plan = plan
        self.removed = removed
        self.trace = trace
        self.chance = Random(plan.seed)
        self.clock = Clock(NOON)
        self.clock.ahead = timedelta(minutes=plan.skew_minutes)
        self.watch = Watch()
        self.broker = Broker(self.clock, self._appended, {domain.ASKS: 2, domain.TASKS: 2})
        self.faults = domain.Faults(blind_wakes=Guarantee.DUE_LOOKED_AT_AGAIN in removed)
        self.databases = {name: Database(Store(removed, self.clock), self._committed) for name in SERVICES}
        self.quiet = False
        self.steps = 0
        self.tasks: list[Task] = []
        self.processes: list[Process] = []
        self.topics_away: list[str] = []
        self.letters: list[tuple[str, domain.Letter]] = []
        self.answers: dict[tuple[str, str, str], list[Answer]] = {}
        self.failed: set[str] = set()
        self.skipped: list[dict[str, Any]] = []
        self.mishaps = Mishaps(self)
        for name, topics in processes.READS.items():
            self.broker.group(name, topics)
        self._people()

    def run(self) -> None:
        """Run to the end: some disorder, then quiet until nobody has anything to do.

        Raises:
            Broken: when an invariant does not hold, or when no rest is found.
        """
        while self.steps < self.plan.chaos and self._step():
            pass
        self.quiet = True
        self.mishaps.repair()
        rebalances = 0
        while True:
            while self._step():
                if self.steps > _MOST_STEPS:
                    raise Broken("rest", "the world does not come to rest: " + self._stuck())
            if self.broker.lag() and rebalances < _MOST_REBALANCES:
                # The last acknowledgement was lost: what it was for comes again to whoever joins next.
                rebalances += 1
                for group in self.broker.groups.values():
                    group.rebalance()
                continue
            due = [row["due_at"] for each in self.databases.values() for row in each.store.rows("wakes")]
            if not due or max(due) < self.clock.broker - timedelta(hours=4):
                break
            self.clock.broker = max(*due, self.clock.broker) + timedelta(hours=5)
            self.note("clock", "past every deadline")

    def close(self) -> None:
        """Let go of everybody who still waits."""
        for database in self.databases.values():
            for session in database.sessions:
                session.dead = session.broken = True
        for task in self.tasks:
            task.coroutine.close()

    def coin(self) -> bool:
        return self.chance.random() < 0.5

    def mishap(self, name: str) -> bool:
        """Say whether something goes wrong here that the far side may do at any time."""
        return self.mishaps.small(name)

    def note(self, who: str, what: str) -> None:
        if self.trace is not None:
            self.trace.append(f"{self.steps:4} {who:28} {what}")

    def send(self, topic: str, messages: Sequence[Message]) -> None:
        """Append, or fail as a broker may: not at all, with nobody knowing, or long after the sender gave up."""
        if topic in self.topics_away:
            raise BrokerAway(topic)
        if self.mishap(f"{topic} refuses a batch"):
            raise BrokerAway(topic)
        if self.mishap(f"{topic} takes a batch late"):
            self.mishaps.late.append(partial(self.broker.append, topic, messages))
            raise BrokerAway(topic)
        self.broker.append(topic, messages)
        if self.mishap(f"{topic} takes a batch and nobody hears of it"):
            raise BrokerAway(topic)

    def heard(self, door: str, letter: domain.Letter, answer: Answer) -> None:
        self.answers.setdefault((door, letter.key, letter.mark), []).append(answer)
        self.watch.answered(self.databases, answer)

    def clock_difference(self) -> timedelta:
        """Return how far the services believe that the broker's clock may be behind the databases'."""
        return timedelta() if Guarantee.CLOCK_DIFFERENCE in self.removed else max(self.clock.ahead, timedelta())

    def exists(self, stream: UUID) -> bool:
        return any(row["stream"] == stream for row in self.databases["dispatch"].store.rows("tasks"))

    def apis(self, service: str) -> list[Process]:
        return [p for p in self.processes if p.service == service and ".api" in p.name]

    def start(self, name: str) -> None:
        """Start a process anew."""
        service = name.split(".", maxsplit=1)[0]
        process = Process(self, name, service, self.databases[service])
        make = processes.api if ".api" in name else processes.worker
        make(process)
        self.processes.append(process)
        for task, coroutine in process.tasks:
            self._add(f"{name} {task}", coroutine, process)
        self.note(name, "starts")

    def kill(self, process: Process) -> None:
        """Kill a process; what it had just asked a server for may still be done."""
        mine = [task for task in self.tasks if task.process is process]
        for task in mine:
            act = task.act
            if act is not None and act.label == "COMMIT" and Guarantee.ATOMIC_COMMIT in self.removed:
                session = getattr(act.run, "__self__", None)
                if isinstance(session, Session) and not session.broken:
                    session.database.commit(session, half=True)
            elif act is not None and task.runnable() and self.coin():
                self._last_wish(task, act)
        process.die()
        for task in mine:
            self.tasks.remove(task)
            task.coroutine.close()
        self.processes.remove(process)
        self.note(process.name, "is killed")

    def _last_wish(self, task: Task, act: Act) -> None:
        try:
            act.run()
        except Exception:  # noqa: BLE001 - nobody is left to hear of it
            return
        self.note(task.name, f"{act.label}, and does not hear of it")

    def _people(self) -> None:
        plan = self.plan
        for service in SERVICES:
            for number in range(plan.apis):
                self.start(f"{service}.api{number}")
            for number in range(plan.workers):
                self.start(f"{service}.worker{number}")
            desk = Process(self, f"{service}.operator", service, self.databases[service])
            self._add(desk.name, outsiders.operator(desk), None)
        self._add("publisher", outsiders.publisher(self), None)
        for number, kind in enumerate(plan.kinds):
            self._letters(f"ask{number}", UUID(int=number + 1), kind, ("intake", domain.SUBMISSIONS))
        for number in range(plan.acts):
            self._letters(f"act{number}", UUID(int=number % len(plan.kinds) + 1), "plain", ("dispatch", domain.ACTIONS))

    def _letters(self, key: str, stream: UUID, kind: str, doors: tuple[str, str]) -> None:
        service, topic = doors
        by_http = self.coin()
        for variant in ("a", "b") if self.plan.reused else ("a",):
            letter = domain.Letter(key=key, stream=stream, mark=domain.mark(key, variant, kind))
            who = f"client {key}{variant}"
            if by_http:
                self._add(who, outsiders.caller(self, service, letter, self.plan.times), None)
                if self.plan.times > 1:
                    self._add(f"{who}'", outsiders.caller(self, service, letter, 1), None)
            else:
                self._add(who, outsiders.sender(self, topic, letter, self.plan.times), None)

    def _add(self, name: str, coroutine: Coroutine[Act, Any, None], process: Process | None) -> None:
        task = Task(name, coroutine, process)
        task.priority = self.chance.random()
        self.tasks.append(task)
        task.act = coroutine.send(None)

    def _step(self) -> bool:
        """Let one act happen; say whether there was any."""
        self.steps += 1
        if not self.quiet and self.mishaps.strike():
            return True
        runnable = [task for task in self.tasks if task.runnable()]
        if not runnable:
            return False
        if self.plan.uniform or self.quiet:
            task = self.chance.choice(runnable)
        else:
            task = max(runnable, key=lambda each: each.priority)
            if self.chance.random() < 0.15:
                task.priority = self.chance.random() - 0.5
        self._advance(task)
        return True

    def _advance(self, task: Task) -> None:
        act = task.act
        if act is None:
            raise AssertionError("a task waits for something, or it is gone")
        try:
            result = act.run()
        except Exception as error:
            if isinstance(error, Broken):
                raise
            self.note(task.name, f"{act.label}: {type(error).__name__} {getattr(error, 'orig', error)}")
            self._resume(task, error=error)
            return
        if result is BLOCKED:
            self.note(task.name, f"{act.label} waits")
            return
        self.note(task.name, act.label)
        self._resume(task, result)

    def _resume(self, task: Task, result: object = None, error: Exception | None = None) -> None:
        try:
            task.act = task.coroutine.send(result) if error is None else task.coroutine.throw(error)
        except StopIteration:
            self.tasks.remove(task)

    def _stuck(self) -> str:
        return ", ".join(
            f"{task.name} ({task.act.label if task.act else ''})" for task in self.tasks if task.runnable()
        )

    def _appended(self, record: Record) -> None:
        self.watch.appended(self.databases, record)

    def _committed(self, store: Store, changed: Sequence[Version]) -> None:
        self.watch.committed(store, changed)
