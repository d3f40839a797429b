"""Handle events of ours by a pure policy: each event becomes commands, decided in the same transaction."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.library import ReferenceLibrary
from shared.ledger.aggregate import Aggregate
from shared.ledger.commands import Command, Delivery, WaitForReference
from shared.ledger.decide import Decider
from shared.ledger.draft import StreamState
from shared.ledger.isolation import Crashed, isolated
from shared.ledger.load import database_now, lock_states
from shared.ledger.references import References
from shared.ledger.serials import serials_for
from shared.ledger.transaction import once_committed
from shared.ledger.vault import Vault
from shared.ledger.write import write_draft

React = Callable[[Delivery, ReferenceLibrary], Sequence[Command] | WaitForReference]
"""A policy: another stream's event -> our commands; pure, and never refused."""

_Reaction = Sequence[Command] | WaitForReference | Crashed


class PolicyCrashedError(Exception):
    """A policy crashed on an event; the text says how."""


class PolicyHandler:
    """The `Handler` of a policy (see `shared.ledger.consumption`)."""

    def __init__(
        self,
        *,
        service: str,
        aggregates: Mapping[str, Aggregate],
        references: References,
        vault: Vault,
        react: React,
    ) -> None:
        self._service = service
        self._aggregates = aggregates
        self._references = references
        self._vault = vault
        self._react = react
        self._reactions: dict[tuple[str, UUID, int], _Reaction] = {}
        self._states: Mapping[UUID, StreamState] = {}
        self._decider: Decider | None = None

    async def prepare(self, connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
        """Ask the policy about every event, and lock the streams that its commands are about."""
        library = await self._references.refresh(connection)
        for delivery in deliveries:
            self._reactions[_key(delivery)] = self._ask(delivery, library)
        commands = [
            command
            for reaction in self._reactions.values()
            if not isinstance(reaction, WaitForReference | Crashed)
            for command in reaction
        ]
        self._states = await lock_states(
            connection, [(self._aggregates[command.aggregate], command.stream) for command in commands]
        )
        now = await database_now(connection)
        self._decider = Decider(
            service=self._service,
            vault=self._vault,
            library=library,
            now=now,
            states=self._states,
            requests={},
            serials=await serials_for(connection, commands, self._states, now),
        )

    def handle(self, delivery: Delivery) -> WaitForReference | None:
        """Decide the commands that the policy gave for this event.

        Raises:
            PolicyCrashedError: when the policy crashed on it.
            Exception: what a decider raised, or that a command was refused.
        """
        reaction = self._reactions[_key(delivery)]
        if isinstance(reaction, WaitForReference):
            return reaction
        if isinstance(reaction, Crashed):
            raise PolicyCrashedError(reaction.detail)
        if self._decider is not None:
            self._decider.decide_unit(reaction, refusable=False)
        return None

    async def write(self, connection: AsyncConnection) -> None:
        """Write what was decided."""
        if self._decider is not None:
            await write_draft(connection, self._decider.draft, self._states, self._decider.now, self._vault)
            once_committed(connection, self._decider.count)

    def _ask(self, delivery: Delivery, library: ReferenceLibrary) -> _Reaction:
        return isolated(lambda: self._react(delivery, library), topic=delivery.topic, stream=str(delivery.stream))


def _key(delivery: Delivery) -> tuple[str, UUID, int]:
    return delivery.topic, delivery.stream, delivery.sequence
