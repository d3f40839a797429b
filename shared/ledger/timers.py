"""Timers: wakes that are due become commands, in the order of due time, and nothing happens twice.

The loop only reads: a wake's row goes as a difference of the transaction in which its command was decided (I-5). One
loop a service is active, by lease; where one lost it with a batch in flight, decide sees that it was answered already.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Final, Protocol
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.common import Actor, Answer
from shared.kernel.decider import Wake
from shared.ledger.aside import SetAside
from shared.ledger.commands import Cause, Command, Failed, Outcome
from shared.ledger.isolation import Crashed, isolated
from shared.ledger.ledger import Ledger
from shared.ledger.load import database_now
from shared.ledger.outbox import lease
from shared.ledger.portions import MAXIMUM_ITEMS
from shared.observability import metrics
from shared.observability.crash import reach

CLOCK_DIFFERENCE: Final = timedelta(seconds=2)
"""How far the broker's clock may be behind the database's: a wake waits so long for acts that count as of before it."""

_LEASE: Final = "timers"
_EVERY_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 10.0
_STALE_SECONDS: Final = 60.0
_ASIDE_FIRST_SECONDS: Final = 1.0
_ASIDE_LONGEST_SECONDS: Final = 300.0
_DUE: Final = (
    "SELECT stream, kind, aggregate, due_at FROM wakes WHERE due_at < $1 AND stream <> ALL($2::uuid[]) "
    "ORDER BY due_at LIMIT $3"
)

log = structlog.get_logger()


class Inbound(Protocol):
    """What a service reads before it may say that somebody was late."""

    async def consumed_until(self, now: datetime) -> datetime | None:
        """Return an instant before which everything that had come in by then has been handled; None: not known yet.

        Args:
            now: the database's clock, read before the call; the answer is an instant given to this or an earlier call.

        Raises:
            Unavailable: when it cannot be found out.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; the next question opens them anew."""
        ...


class NothingInbound:
    """The inbound side of a service that reads no topic."""

    async def consumed_until(self, now: datetime) -> datetime | None:
        """Return `now`."""
        return now

    async def close(self) -> None:
        """Nothing is open."""


class DueWake(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `wakes` whose time has come."""

    stream: UUID
    kind: str
    aggregate: str
    due_at: datetime


class LeasedTimers:
    """The wakes in the hands of the active loop. What `turn` raises ends the lease: another process may do better."""

    def __init__(
        self, ledger: Ledger, inbound: Inbound, holder: AsyncConnection, *, clock_difference: timedelta
    ) -> None:
        self._ledger = ledger
        self._aggregates = {aggregate.name: aggregate for aggregate in ledger.aggregates}
        self._actor = Actor(client=ledger.service, unit=ledger.service, post="system")
        self._inbound = inbound
        self._holder = holder
        self._clock_difference = clock_difference
        self._aside = SetAside[UUID](first=_ASIDE_FIRST_SECONDS, most=_ASIDE_LONGEST_SECONDS)
        self._fired: Mapping[DueWake, Outcome | Crashed] = {}
        self._consumed_until: datetime | None = None
        self.waiting_for: datetime | None = None
        """The first wake that is due and waits until what came in before it has been consumed."""
        self.set_aside = 0
        """How many streams have a wake that stays though it fired."""
        self.stays_because: str | None = None
        """What the command of the first of them came to."""

    async def turn(self) -> bool:
        """Fire once what is due; say whether more waits."""
        now = await database_now(self._holder)
        aside = self._aside.waiting(now.timestamp())
        due = await self._read(now - self._clock_difference, aside)
        stubborn = self._set_aside(due, aside, now)
        may_fire = await self._until(due, now)
        firing = [wake for wake in due if may_fire is not None and wake.due_at < may_fire and wake not in stubborn]
        self.waiting_for = next((wake.due_at for wake in due if may_fire is None or wake.due_at >= may_fire), None)
        self._fired = await self._fire(firing, now)
        return len(firing) == MAXIMUM_ITEMS

    async def _read(self, until: datetime, aside: Sequence[UUID]) -> list[DueWake]:
        rows = await self._holder.exec_driver_sql(_DUE, (until, list(aside), MAXIMUM_ITEMS))
        return [DueWake(stream=row.stream, kind=row.kind, aggregate=row.aggregate, due_at=row.due_at) for row in rows]

    async def _until(self, due: Sequence[DueWake], now: datetime) -> datetime | None:
        """Return the instant before which wakes may fire; asks no more often than it must."""
        known = self._consumed_until
        if due and (known is None or due[-1].due_at >= known - self._clock_difference):
            known = self._consumed_until = await self._inbound.consumed_until(now)
        return None if known is None else known - self._clock_difference

    def _set_aside(self, due: Sequence[DueWake], aside: Sequence[UUID], now: datetime) -> set[DueWake]:
        """Set aside what was fired in the last turn and is there unchanged: it would be fired for ever."""
        there = set(due)
        stubborn = {wake for wake in self._fired if wake in there}
        for wake in stubborn:
            self._aside.failed(wake.stream, now.timestamp())
        if stubborn:
            first = min(stubborn, key=lambda wake: (wake.due_at, wake.stream))
            self.stays_because = _said_of(self._fired[first])
            what = msgspec.structs.asdict(first)
            log.error("timers.wakes_set_aside", wakes=len(stubborn), first=what, reason=self.stays_because)
        if len(due) < MAXIMUM_ITEMS:
            self._aside.keep([*aside, *(wake.stream for wake in due)])
        self.set_aside = len(aside) + len({wake.stream for wake in stubborn})
        metrics.WAKES_SET_ASIDE.set(self.set_aside)
        return stubborn

    async def _fire(self, wakes: Sequence[DueWake], now: datetime) -> Mapping[DueWake, Outcome | Crashed]:
        """Have the commands of these wakes decided; return what each came to."""
        made = {wake: isolated(partial(self._command, wake), stream=str(wake.stream)) for wake in wakes}
        commands = {wake: command for wake, command in made.items() if not isinstance(command, Crashed)}
        crashed = {wake: command for wake, command in made.items() if isinstance(command, Crashed)}
        if not commands:
            return crashed
        reach("timers_before_fire")
        outcomes = await self._ledger.execute(list(commands.values()))
        reach("timers_after_fire")
        for wake in commands:
            metrics.WAKES_FIRED.labels(wake.aggregate, wake.kind).inc()
            metrics.WAKES_LATE.observe((now - wake.due_at).total_seconds())
        return {**crashed, **dict(zip(commands, outcomes, strict=True))}

    def _command(self, wake: DueWake) -> Command:
        woken = self._aggregates[wake.aggregate].woken
        return Command(
            aggregate=wake.aggregate,
            stream=wake.stream,
            body=woken(wake.stream, Wake(kind=wake.kind, due_at=wake.due_at)),
            actor=self._actor,
            cause=Cause(correlation=str(wake.stream)),
        )


class Timers:
    """Fires a service's wakes. `inbound` says how far a wake has to wait for what came in before it."""

    def __init__(
        self,
        ledger: Ledger,
        inbound: Inbound,
        *,
        clock_difference: timedelta = CLOCK_DIFFERENCE,
        every_seconds: float = _EVERY_SECONDS,
    ) -> None:
        self._ledger = ledger
        self._inbound = inbound
        self._clock_difference = clock_difference
        self._every_seconds = every_seconds
        self._active: LeasedTimers | None = None
        self._failures = 0
        self._last_turn: float | None = None
        self._reason = "not started"

    def problem(self) -> str | None:
        """Say what keeps wakes from firing, for the health of the process; standing by is no problem."""
        if self._last_turn is None or self._failures:
            return self._reason
        age = monotonic() - self._last_turn
        return f"last turn {age:.0f} s ago" if age > _STALE_SECONDS else None

    def notice(self) -> str | None:
        """Say what somebody should look at though wakes fire."""
        active = self._active
        if active is None or not (active.set_aside or active.waiting_for):
            return None
        if active.set_aside:
            return f"{active.set_aside} streams have a wake that stays though it fired: {active.stays_because}"
        return f"wakes since {active.waiting_for} wait until what came in before them has been consumed"

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[LeasedTimers | None]:
        """Hold the lease of the timers while the block runs; None when another process has it."""
        async with lease(self._ledger.engine, f"{self._ledger.service}.{_LEASE}") as holder:
            if holder is None:
                yield None
            else:
                yield LeasedTimers(self._ledger, self._inbound, holder, clock_difference=self._clock_difference)

    async def run(self) -> None:
        """Fire while the lease is ours, stand by while it is not, for ever; a worker's task."""
        while True:
            try:
                async with self.lease() as leased:
                    if leased is not None:
                        await self._hold(leased)
            except Exception as error:  # noqa: BLE001 - database or broker away: wait, never skip (I-8)
                self._failures += 1
                self._reason = str(error).partition("\n")[0] or type(error).__name__
                wait = min(_LONGEST_PAUSE_SECONDS, self._every_seconds * 2.0 ** min(self._failures - 1, 60))
                log.warning("timers.lost", reason=self._reason, seconds=wait)
            else:
                self._turned()
                wait = self._every_seconds
            await asyncio.sleep(wait)

    async def _hold(self, leased: LeasedTimers) -> None:
        self._active = leased
        metrics.TIMERS_LEASE_HELD.set(1)
        log.info("timers.lease_taken")
        try:
            while True:
                more = await leased.turn()
                self._turned()
                if not more:
                    await asyncio.sleep(self._every_seconds)
        finally:
            # Whoever fires now knows better.
            self._active = None
            metrics.TIMERS_LEASE_HELD.set(0)
            metrics.WAKES_SET_ASIDE.set(0)
            await self._inbound.close()

    def _turned(self) -> None:
        self._failures = 0
        self._last_turn = monotonic()


def _said_of(outcome: Outcome | Crashed) -> str:
    """Say what the command of a wake came to, which should have taken the wake away."""
    match outcome:
        case Answer(outcome="refused"):
            return f"its command was refused: {outcome.code}"
        case Answer():
            return "its command changed nothing"
        case Failed():
            return f"its command failed: {outcome.reason}"
        case Crashed():
            return f"it has no command: {outcome.detail}"
