"""What the three services' workers say of themselves on /metrics: how far behind, how fast."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import httpx
from prometheus_client.parser import text_string_to_metric_families

_LAG: Final = "joint_consumer_lag_records"
_TAKEN: Final = "joint_consumer_records_total"
_OUTBOX: Final = "joint_outbox_age_seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """One service: records not taken yet, records taken a second, age of the oldest unpublished message in seconds."""

    lag: float
    rate: float
    outbox_age: float

    @property
    def still(self) -> bool:
        """Whether it has nothing to do."""
        return self.lag == 0 and self.outbox_age == 0


class Gauges:
    """Reads the workers again and again. `addresses` are by process. Use as `async with`."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = {name.removesuffix("-worker"): url for name, url in addresses.items() if "-worker" in name}
        self._client = httpx.AsyncClient(timeout=5.0, trust_env=False)
        self._before: dict[str, tuple[float, float]] = {}

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.aclose()

    async def read(self) -> dict[str, Gauge | None]:
        """Return the gauge of each service; None for one that does not answer."""
        found = await asyncio.gather(*(self._one(name, url) for name, url in self._addresses.items()))
        return dict(zip(self._addresses, found, strict=True))

    async def _one(self, name: str, url: str) -> Gauge | None:
        try:
            answer = (await self._client.get(f"{url}/metrics")).raise_for_status()
        except httpx.HTTPError:
            self._before.pop(name, None)
            return None
        sums = dict.fromkeys((_LAG, _TAKEN, _OUTBOX), 0.0)
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                if sample.name in sums:
                    sums[sample.name] += sample.value
        now = time.monotonic()
        then, taken = self._before.get(name, (now, sums[_TAKEN]))
        self._before[name] = now, sums[_TAKEN]
        rate = (sums[_TAKEN] - taken) / (now - then) if now > then else 0.0
        return Gauge(lag=sums[_LAG], rate=rate, outbox_age=sums[_OUTBOX])
