"""What an operator gave up (`joint held skip`) is not counted, by the live read model nor by one made again (I-9)."""

from contextlib import suppress
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from services.analytics import tables
from shared.contracts.decisions import Delivery
from shared.ledger.consumption import Consumption
from shared.ledger.held import HeldMessageError, list_held, skip_held
from shared.ledger.vault import Vault

_MOST: Final = 100_000
_REASON: Final = "It was given up in the live read model."


class GivenUp:
    """The events that operators gave up in the live read model, for one that is made again on `engine`.

    `live` is the schema of the live one.
    """

    def __init__(self, engine: AsyncEngine, live: str, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault
        self._live = live
        self._places: frozenset[tuple[str, UUID, int]] = frozenset()

    def __len__(self) -> int:
        """Return how many events were given up."""
        return len(self._places)

    def holds(self, delivery: Delivery) -> bool:
        """Tell whether this event was given up: then it changes nothing, though it could be counted today."""
        return (delivery.topic, delivery.stream, delivery.sequence) in self._places

    async def look(self) -> None:
        """Read what was given up so far."""
        given_up = tables.ledger.interventions.to_metadata(sa.MetaData(), schema=self._live)
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                given_up.select().where(given_up.c.act == "skip", given_up.c.consumer == tables.EVENTS)
            )
            self._places = frozenset((row.topic, row.stream, row.sequence) for row in rows)

    async def give_up(self, consumption: Consumption) -> None:
        """Give up here too what is dead here; what waited behind it goes on, and may show the next one."""
        while await self._once():
            await consumption.resume()

    async def _once(self) -> int:
        given_up = 0
        for message in await list_held(self._engine, dead_only=True, limit=_MOST):
            if (message.topic, message.stream, message.sequence) in self._places:
                # Its stream may not have got there: an event before it is held too, and was not given up.
                with suppress(HeldMessageError):
                    await skip_held(
                        self._engine, self._vault, message.id, service="analytics", operator="rebuild", reason=_REASON
                    )
                    given_up += 1
        return given_up
