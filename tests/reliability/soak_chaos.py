"""Chaos for a running city: at random times one of its parts is killed, frozen, doubled, or taken away for a while.

Every draw comes from one seed; what was done is in the history.
"""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from deploy.embedded.services import PROCESSES
from shared.observability.crash import CRASH_POINTS
from tests.reliability.city import City

SECOND_APIS: Final = ("intake-api-2", "dispatch-api-2")
"""They run from the beginning to the end beside the first ones, with clients of their own."""
TARGETS: Final = (*PROCESSES, *SECOND_APIS)
_DIES: Final[Mapping[str, tuple[str, ...]]] = {
    "consumer": ("intake-worker", "dispatch-worker", "analytics-worker"),
    "consume": ("intake-worker", "dispatch-worker", "analytics-worker"),
    "receive": ("intake-worker", "dispatch-worker"),
    "relay": ("intake-worker", "dispatch-worker"),
    "execute": ("intake-api", "dispatch-api", *SECOND_APIS),
}
"""The processes that come by the crash points of each family."""
_WORKERS: Final = _DIES["consume"]
_DEADLY_SECONDS: Final = 45.0
"""How long to wait for a process to come by its crash point."""
_STEP_SECONDS: Final = 0.1


class Chaos:
    """Does one harm after the other. `unexpected` names what ended though nobody had killed it."""

    def __init__(self, city: City, chance: random.Random) -> None:
        self._city = city
        self._chance = chance
        self.unexpected: list[str] = []
        self._harms: Sequence[tuple[int, Callable[[], Awaitable[None]]]] = (
            (6, self.kill),
            (8, self.kill_at_a_point),
            (3, self.freeze),
            (3, self.double_a_worker),
            (2, self.take_the_broker_away),
            (2, self.take_the_database_away),
        )

    async def reign(self, seconds: float, pause: tuple[float, float]) -> None:
        """Do harm for so long, with random pauses of these lengths in between."""
        end = asyncio.get_running_loop().time() + seconds
        weights, harms = [weight for weight, _ in self._harms], [harm for _, harm in self._harms]
        while (left := end - asyncio.get_running_loop().time()) > 0:
            (harm,) = self._chance.choices(harms, weights)
            await asyncio.sleep(min(left, self._chance.uniform(*pause)))
            self.look_for_the_dead()
            try:
                await harm()
            except Exception as error:  # noqa: BLE001 - the soak goes on, and tells at its end what would not end or start
                self.unexpected.append(f"{harm.__name__}: {str(error).partition(chr(10))[0]}")

    def look_for_the_dead(self) -> None:
        """Note and start again what has ended by itself."""
        for name in TARGETS:
            code = self._city.children[name].exit_code
            if code is not None:
                self.unexpected.append(f"{name} ended by itself (exit code {code})")
                self.start(name)

    def start(self, name: str, *, crash_at: str | None = None) -> None:
        """Start a process, the first of its kind or a copy."""
        process, _, copy = name.rpartition("-")
        if copy.isdigit():
            self._city.start(process, crash_at=crash_at, copy=int(copy))
        else:
            self._city.start(name, crash_at=crash_at)

    async def kill(self) -> None:
        """SIGKILL a process at once."""
        name = self._chance.choice(TARGETS)
        await self._city.kill(name)
        await self._absence()
        self.start(name)

    async def kill_at_a_point(self) -> None:
        """Let a process die at a named point, at its first, second … passing."""
        point = self._chance.choice(CRASH_POINTS)
        name = self._chance.choice(_DIES[point.partition("_")[0]])
        await self._city.ready(name)  # a process that is still starting cannot end in order
        await self._city.stop(name)
        self.start(name, crash_at=f"{point}:{self._chance.randint(1, 5)}")
        child = self._city.children[name]
        with suppress(TimeoutError):
            async with asyncio.timeout(_DEADLY_SECONDS):
                while child.exit_code is None:
                    await asyncio.sleep(_STEP_SECONDS)
        if child.exit_code is None:
            await self._city.kill(name)
        else:
            await self._city.died(name, point)
        self.start(name)

    async def freeze(self) -> None:
        """Let a process stand still and go on when others may have taken its place."""
        name = self._chance.choice(TARGETS)
        pid = self._city.children[name].pid
        self._city.history.fault("freeze", process=name)
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(self._chance.uniform(1, 15))
        os.kill(pid, signal.SIGCONT)

    async def double_a_worker(self) -> None:
        """Run a second worker of a service for a while: its groups rebalance when it comes and when it goes."""
        process = self._chance.choice(_WORKERS)
        self._city.history.fault("rebalance", process=process)
        name = self._city.start(process, copy=2)
        try:
            await self._city.ready(name)
            await asyncio.sleep(self._chance.uniform(5, 20))
            if self._chance.random() < 1 / 2:
                await self._city.kill(name)
            else:
                await self._city.stop(name)
        finally:
            self._city.children.pop(name).kill()

    async def take_the_broker_away(self) -> None:
        """Stop or kill Kafka, and start it again."""
        async with self._city.without_broker(kill=self._chance.random() < 1 / 2):
            await self._absence()

    async def take_the_database_away(self) -> None:
        """Stop PostgreSQL in one of its ways, and start it again."""
        async with self._city.without_database(immediate=self._chance.random() < 1 / 2):
            await self._absence()

    async def _absence(self) -> None:
        await asyncio.sleep(self._chance.expovariate(1 / 2))
