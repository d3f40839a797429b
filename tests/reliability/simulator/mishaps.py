"""What goes wrong, and when: a plan allows so many mishaps, the seed chooses them."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.contracts.records import Record
from tests.reliability.simulator import domain
from tests.reliability.simulator.connection import Session

if TYPE_CHECKING:
    from tests.reliability.simulator.world import World

_OFTEN: Final = 0.06
_SMALL: Final = 0.1
_REPAIR: Final = 0.08


class Mishaps:
    """The disorder of a run."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._left = world.plan.faults
        self._dead: list[str] = []
        self.late: list[Callable[[], None]] = []
        self._kinds: tuple[Callable[[], str | None], ...] = (
            self._kill,
            self._kill,
            self._evict,
            self._evict,
            self._evict,
            self._rebalance,
            self._break_connection,
            self._stop_database,
            self._stop_broker,
            self._take_topic_away,
            self._repeat_record,
        )

    def small(self, name: str) -> bool:
        """Say whether this goes wrong now."""
        world = self._world
        if world.quiet or self._left == 0 or world.chance.random() > _SMALL:
            return False
        self._left -= 1
        world.note("mishap", name)
        return True

    def strike(self) -> bool:
        """Perhaps let something go wrong, come right again, or time go by; say whether anything did."""
        world, chance = self._world, self._world.chance
        dice = chance.random()
        if dice < _OFTEN:
            if self._left == 0:
                return False
            what = chance.choice(self._kinds)()
            if what is None:
                return False
            self._left -= 1
            world.note("mishap", what)
            return True
        if dice > 1 - _REPAIR:
            return self._come_right()
        if dice > 1 - 1.5 * _REPAIR:
            world.clock.broker += timedelta(minutes=chance.choice((1, 10, 40)))
            return True
        return False

    def repair(self) -> None:
        """End all disorder."""
        while self._come_right():
            pass

    def _come_right(self) -> bool:
        world = self._world
        if self._dead:
            world.start(self._dead.pop())
        elif world.broker.away:
            world.broker.away = False
            world.note("broker", "is back")
        elif any(database.away for database in world.databases.values()):
            for database in world.databases.values():
                database.away = False
            world.note("database", "is back")
        elif world.topics_away:
            world.note(world.topics_away.pop(), "is back")
        elif self.late:
            world.note("broker", "takes a late batch")
            self.late.pop(0)()
        else:
            return False
        return True

    def _kill(self) -> str:
        process = self._world.chance.choice(self._world.processes) if self._world.processes else None
        if process is None:
            return "nobody is left to kill"
        self._world.kill(process)
        self._dead.append(process.name)
        return f"SIGKILL of {process.name}"

    def _evict(self) -> str | None:
        world = self._world
        busy = [
            member
            for task in world.tasks
            if task.process is not None and task.act is not None and task.act.label not in ("records", "ack")
            for name, member in task.process.members.items()
            if task.name == f"{task.process.name} {name}" and not member.evicted
        ]
        if not busy:
            return None
        member = world.chance.choice(busy)
        member.group.leave(member)
        return "a group throws out a member that works"

    def _rebalance(self) -> str:
        world = self._world
        world.chance.choice(list(world.broker.groups.values())).rebalance()
        return "a group rebalances"

    def _break_connection(self) -> str | None:
        sessions = self._sessions()
        if not sessions:
            return None
        self._world.chance.choice(sessions).end()
        return "a connection breaks"

    def _stop_database(self) -> str:
        world = self._world
        service = world.chance.choice(sorted(world.databases))
        database = world.databases[service]
        finishing = [
            session
            for task in world.tasks
            if task.act is not None and task.act.label == "COMMIT"
            if isinstance(session := getattr(task.act.run, "__self__", None), Session) and session.database is database
        ]
        committing = finishing[0] if finishing and not finishing[0].broken and world.coin() else None
        database.stop(finishing=committing)
        return f"the database of {service} goes away" + (" with a commit done" if committing else "")

    def _stop_broker(self) -> str:
        self._world.broker.away = True
        return "the broker goes away"

    def _take_topic_away(self) -> str:
        topic = self._world.chance.choice((domain.ASKS, domain.TASKS, domain.HUBS, *domain.RECEIPTS.values()))
        self._world.topics_away.append(topic)
        return f"{topic} is gone"

    def _repeat_record(self) -> str | None:
        world = self._world
        records: list[Record] = [record for log in world.broker.logs.values() for record in log]
        if not records or world.broker.away:
            return None
        record = world.chance.choice(records)
        world.broker.append(record.topic, [(record.key, record.headers, record.value)])
        return f"{record.place} comes again"

    def _sessions(self) -> list[Session]:
        return [session for database in self._world.databases.values() for session in database.sessions]
