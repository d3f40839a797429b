"""Project events of ours into read models: the same first half as a policy's, the second half is set-based."""

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ledger.commands import Delivery, WaitForReference

Project = Callable[[AsyncConnection, list[Delivery]], Awaitable[None]]
"""Write the effects of these events, in order, once each."""


class ProjectionHandler:
    """The `Handler` of a projection (see `shared.ledger.consumption`).

    Args:
        project: writes; when it raises, the batch is halved until the event at fault stands alone.
        wait: says which reference version an event must wait for (I-19), if any.
    """

    def __init__(
        self, project: Project, wait: Callable[[Delivery], WaitForReference | None] = lambda _delivery: None
    ) -> None:
        self._project = project
        self._wait = wait
        self._taken: list[Delivery] = []

    async def prepare(self, connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
        """Need nothing beforehand."""

    def handle(self, delivery: Delivery) -> WaitForReference | None:
        """Collect the event."""
        waiting = self._wait(delivery)
        if waiting is None:
            self._taken.append(delivery)
        return waiting

    async def write(self, connection: AsyncConnection) -> None:
        """Project what was collected."""
        if self._taken:
            await self._project(connection, self._taken)
