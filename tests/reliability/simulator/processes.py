"""The processes: what waits for what, and in which order, as API, worker, relay and timers do it.

Everything that decides or writes is the ledger's own code; what stands here is the messaging half and the loops.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy.exc import DBAPIError

from shared.contracts.records import Record
from shared.kernel.errors import Unavailable
from shared.ledger.commands import Command, Outcome
from shared.ledger.draft import OutboxRow
from shared.ledger.ledger import Ledger
from shared.ledger.references import References
from shared.ledger.relaying import LeasedOutbox, Outbox
from shared.ledger.timers import Timers
from shared.ledger.vault import Vault
from tests.reliability.simulator import domain
from tests.reliability.simulator.acts import Act, until
from tests.reliability.simulator.broker import Broker, BrokerAway, Group, Member, Place
from tests.reliability.simulator.connection import Database, Engine
from tests.reliability.simulator.guarantees import Guarantee

if TYPE_CHECKING:
    from tests.reliability.simulator.world import World

VAULT: Final = Vault(bytes(32))
_OURS_IS_AWAY: Final = (Unavailable, DBAPIError, OSError, BrokerAway)
READS: Final[dict[str, tuple[str, ...]]] = {
    "intake.events": (domain.ASKS, domain.TASKS),
    "intake.outside": (domain.SUBMISSIONS,),
    "dispatch.events": (domain.ASKS,),
    "dispatch.outside": (domain.ACTIONS,),
    "dispatch.documents": (domain.DOCUMENTS,),
}

Handle = Callable[[Sequence[Record]], Awaitable[None]]


class Call:
    """A caller of an API process: what it asks for, and what it heard."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.outcome: Outcome | None = None
        self.lost = False

    def done(self) -> bool:
        return self.lost or self.outcome is not None


class Process:
    """A process of a service: its tasks die together, with all of its connections."""

    def __init__(self, world: "World", name: str, service: str, database: Database) -> None:
        self.world = world
        self.name = name
        self.service = service
        self.database = database
        self.engine = Engine(database)
        self.queue: list[Call] = []
        self.members: dict[str, Member] = {}
        self.tasks: list[tuple[str, Coroutine[Act, Any, None]]] = []

    def ledger(self) -> Ledger:
        engine = cast("Any", self.engine)
        return Ledger(
            engine=engine,
            service=self.service,
            aggregates=domain.aggregates(self.service, self.world.faults),
            vault=VAULT,
            references=References(engine),
        )

    def die(self) -> None:
        """Let go of everything outside, as the machine does it for a killed process; the group notices later."""
        for session in list(self.engine.sessions):
            session.dead = True
            session.end()
        for call in self.queue:
            call.lost = True
        for member in self.members.values():
            member.group.leave(member)


def api(process: Process) -> None:
    """Make the process an API: group commit."""
    process.tasks = [("commit", _group_commit(process, process.ledger()))]


def worker(process: Process) -> None:
    """Make the process a worker: its consumers with what resumes them, relay and timers."""
    ledger, faults = process.ledger(), process.world.faults
    react = domain.react_in_intake if process.service == "intake" else domain.react_in_dispatch
    events = ledger.policy(f"{process.service}.events", partial(react, faults))
    outside = ledger.reception(f"{process.service}.outside", domain.translate)
    consumers: list[tuple[str, Any]] = [(f"{process.service}.events", events), (f"{process.service}.outside", outside)]
    if process.service == "dispatch":
        consumers.append(("dispatch.documents", ledger.reference_copy("dispatch.documents")))
    process.tasks = [("relay", _relay(process)), ("timer", _timer(process, ledger))]
    process.tasks += [(name, _consume(process, name, consumer.consume)) for name, consumer in consumers]
    process.tasks += [(f"resume {name}", _resume(process, name, consumer.resume)) for name, consumer in consumers[:2]]


async def _group_commit(process: Process, ledger: Ledger) -> None:
    queue = process.queue
    while True:
        await until("requests", lambda: bool(queue))
        batch = queue[:]
        try:
            outcomes = await ledger.execute([call.command for call in batch])
        except _OURS_IS_AWAY:
            for call in batch:
                call.lost = True
            await _until_back(process)
        else:
            for call, outcome in zip(batch, outcomes, strict=True):
                call.outcome = outcome
        del queue[: len(batch)]


async def _consume(process: Process, group: str, handle: Handle) -> None:
    world, broker = process.world, process.world.broker
    member = broker.group(group, READS[group]).join()
    process.members[group] = member
    while True:
        await until("records", lambda: broker.waiting(member), lambda: broker.version)
        records = broker.poll(member, world.chance.randint(1, 5), backwards=world.coin())
        if not records:
            continue
        if Guarantee.ACKNOWLEDGE_AFTER_COMMIT in world.removed:
            await _acknowledge(process, member)
        await until(f"handle {len(records)}", lambda: True)
        try:
            await handle(records)
        except _OURS_IS_AWAY:
            if Guarantee.PUT_BACK not in world.removed:
                broker.put_back(member, records)
            await _until_back(process)
            continue
        await _acknowledge(process, member)


async def _acknowledge(process: Process, member: Member) -> None:
    world = process.world

    def run() -> None:
        if not world.mishap("an acknowledgement is lost"):
            world.broker.acknowledge(member)

    try:
        await Act("ack", run)
    except BrokerAway:
        return


async def _resume(process: Process, consumer: str, resume: Callable[[], Awaitable[int]]) -> None:
    store, seen = process.database.store, -1
    while True:
        await until("held", partial(_waits, process, consumer, seen), lambda: store.version)
        seen = store.version
        try:
            await resume()
        except _OURS_IS_AWAY:
            await _until_back(process)


def _waits(process: Process, consumer: str, seen: int) -> bool:
    store = process.database.store
    if store.version == seen or not store.sizes["held"]:
        return False
    return any(row["consumer"] == consumer and row["reason"] is None for row in store.rows("held"))


async def _relay(process: Process) -> None:
    store, name = process.database.store, process.service
    outbox = Outbox(cast("Any", process.engine), service=name)
    while True:
        await until("outbox", lambda: store.sizes["outbox"] > 0, lambda: store.version)
        try:
            async with outbox.lease() as leased:
                if leased is not None:
                    await _hold(process, leased)
                    continue
        except _OURS_IS_AWAY:
            await _until_back(process)
            continue
        await until("lease", lambda: not store.leases)


async def _hold(process: Process, leased: LeasedOutbox) -> None:
    world, store = process.world, process.database.store
    while True:
        await until("rows", lambda: store.sizes["outbox"] > 0, lambda: store.version)
        await leased.age_seconds()
        aside = [topic for topic in world.topics_away if world.coin()]
        async with leased.round(world.chance.randint(1, 6), aside) as round_:
            sent = await _send(process, round_.rows)
            if Guarantee.DELETE_WHAT_WAS_ACKNOWLEDGED in world.removed:
                sent = [row.id for row in round_.rows]
            await round_.sent(set(sent))


async def _send(process: Process, rows: Sequence[OutboxRow]) -> list[int]:
    """Send each partition's rows in order, in small batches; stop a partition at the first that is not acknowledged."""
    world = process.world
    by_partition: dict[tuple[str, int], list[OutboxRow]] = {}
    for row in rows:
        by_partition.setdefault((row.topic, world.broker.partition(row.topic, row.key)), []).append(row)
    sent: list[int] = []
    for (topic, _), queue in by_partition.items():
        while queue:
            size = world.chance.randint(1, 3)
            batch = queue[:size]
            del queue[:size]
            messages = [(row.key, row.headers, row.value) for row in batch]
            try:
                await Act(f"send {topic} {[row.id for row in batch]}", partial(world.send, topic, messages))
            except BrokerAway:
                if Guarantee.STOP_AT_FAILED_BATCH not in world.removed:
                    break
            else:
                sent += [row.id for row in batch]
    return sent


class Inbound:
    """How far a service's groups have consumed, asked as `shared.messaging.inbound` asks the broker."""

    def __init__(self, process: Process) -> None:
        self._world = process.world
        self._groups = [name for name in READS if name.startswith(process.service)]
        self._mark: tuple[datetime, list[tuple[Group, Place, int]]] | None = None
        self._reached: datetime | None = None
        self.answers = 0

    async def consumed_until(self, now: datetime) -> datetime | None:
        if Guarantee.CONSUMED_PAST_DUE in self._world.removed:
            return now
        try:
            await Act("ends", partial(self._note, now))
            await Act("consumed", self._compare)
        except BrokerAway as error:
            self._mark = None
            raise Unavailable("the broker is away") from error
        return self._reached

    async def close(self) -> None:
        self._mark = None

    def _note(self, now: datetime) -> None:
        broker = self._broker()
        if self._mark is None:
            groups = [broker.group(name, READS[name]) for name in self._groups]
            ends = [
                (group, place, len(broker.logs[place])) for group in groups for place in broker.places(group.topics)
            ]
            self._mark = now, ends

    def _compare(self) -> None:
        self._broker()
        if self._mark is None:
            raise AssertionError("the ends were noted before")
        at, ends = self._mark
        if all(group.committed.get(place, 0) >= end for group, place, end in ends):
            self._reached, self._mark = at, None
            self.answers += 1

    def _broker(self) -> Broker:
        if self._world.broker.away:
            raise BrokerAway("consumed")
        return self._world.broker


async def _timer(process: Process, ledger: Ledger) -> None:
    store, world = process.database.store, process.world
    inbound = Inbound(process)
    timers = Timers(ledger, inbound, clock_difference=world.clock_difference())
    while True:
        await until("due", lambda: store.sizes["wakes"] > 0)
        try:
            async with timers.lease() as leased:
                while leased is not None:
                    seen = _progress(process, inbound)
                    await leased.turn()
                    await until("time", partial(_has_gone_on, process, inbound, seen))
        except _OURS_IS_AWAY:
            await _until_back(process)
            continue
        await until("timers' lease", lambda: not store.leases)


def _progress(process: Process, inbound: Inbound) -> tuple[object, ...]:
    """Return what must change before another look at what is due may find more."""
    wakes = [(row["stream"], row["due_at"]) for row in process.database.store.rows("wakes")]
    broker = process.world.broker
    return broker.version, broker.clock.broker, inbound.answers, wakes


def _has_gone_on(process: Process, inbound: Inbound, seen: tuple[object, ...]) -> bool:
    return process.database.store.sizes["wakes"] > 0 and _progress(process, inbound) != seen


async def _until_back(process: Process) -> None:
    world = process.world
    await until("back", lambda: not (process.database.away or world.broker.away))
