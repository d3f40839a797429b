"""The campaign's load without end: new cases at a steady rate, through two pairs of API processes, until it is told."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final

from deploy.campaign.door import Unreachable
from shared.kernel.identifiers import new_id
from tests.reliability.city import City
from tests.reliability.load import ON_HTTP, TRUSTED, UNTRUSTED, Load, a_load
from tests.reliability.soak_chaos import SECOND_APIS
from tests.support.parties import report_body

_SOURCES: Final = (TRUSTED, UNTRUSTED, TRUSTED, ON_HTTP)
_ROUND_SECONDS: Final = 240.0
"""Clients leave and new ones come this often: they keep every receipt that they hear."""
_AT_MOST: Final = 60
"""So many cases are on their way at once; more would only wait."""
_OFTEN: Final = 10
"""Every tenth submission is sent three times and left open."""


class SteadyLoad:
    """Plays cases. `troubles` says what went otherwise than it should; `given_up` counts what got no answer in time."""

    def __init__(self, city: City, chance: random.Random, *, rate: float) -> None:
        self._city = city
        self._chance = chance
        self._rate = rate
        self.started = 0
        self.closed = 0
        self.given_up = 0
        self.troubles: list[str] = []

    async def go_on(self, seconds: float) -> None:
        """Start cases for so long, then wait until all have ended."""
        end = asyncio.get_running_loop().time() + seconds
        while (left := end - asyncio.get_running_loop().time()) > 0:
            await self._round(min(left, _ROUND_SECONDS))

    async def _round(self, seconds: float) -> None:
        try:
            async with AsyncExitStack() as stack:
                apis = (None, self._second_addresses())
                loads = [
                    await stack.enter_async_context(a_load(self._city.stage, self._city.history, api=api))
                    for api in apis
                ]
                await self._play(loads, seconds)
        except Exception as error:  # noqa: BLE001 - the broker is away just now: clients come back later
            self.troubles += [] if _is_outage(error) else [f"clients cannot come or go: {error!r}"]
            await asyncio.sleep(1)

    async def _play(self, loads: Sequence[Load], seconds: float) -> None:
        end = asyncio.get_running_loop().time() + seconds
        running: set[asyncio.Task[None]] = set()
        while asyncio.get_running_loop().time() < end:
            if len(running) < _AT_MOST:
                running.add(asyncio.create_task(self._one(self._chance.choice(loads))))
            await asyncio.sleep(self._chance.expovariate(self._rate))
            running = {task for task in running if not task.done()}
        if running:
            await asyncio.wait(running)

    def _second_addresses(self) -> Mapping[str, str]:
        return {name.partition("-")[0]: self._city.address(name) for name in SECOND_APIS}

    async def _one(self, load: Load) -> None:
        self.started += 1
        source = _SOURCES[self.started % len(_SOURCES)]
        try:
            if self.started % _OFTEN:
                await load._case(self.started, source)
                self.closed += 1
            else:
                await self._thrice(load)
        except (TimeoutError, Unreachable):
            self.given_up += 1
        except Exception as error:  # noqa: BLE001 - the load goes on; whatever went wrong is told at the end
            self.troubles.append(f"{type(error).__name__}: {error}")

    async def _thrice(self, load: Load) -> None:
        party, body, id_ = load.parties[TRUSTED], report_body(description="三次"), str(new_id())
        await asyncio.gather(*(party.send(body, id_=id_) for _ in range(3)))
        async with asyncio.timeout(90):
            while not party.answers(id_):
                await asyncio.sleep(1 / 10)


def _is_outage(error: Exception) -> bool:
    return type(error).__module__.startswith("aiokafka") or isinstance(error, OSError | TimeoutError)
