"""What analytics reads: the events that it counts, and the reference documents that give them names."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.analytics import tables
from services.analytics.consumers.projection import project
from shared.contracts.decisions import Delivery
from shared.ledger.consumption import Consumption
from shared.ledger.ledger import projection
from shared.ledger.references import store_references
from shared.ledger.vault import Vault

SERVICE = "analytics"


def counting(engine: AsyncEngine, vault: Vault, *, leave_out: Callable[[Delivery], bool] | None = None) -> Consumption:
    """Return the consumer that counts the events of `projection.TOPICS` into the read model.

    An event that `leave_out` names is taken and changes nothing.
    """

    async def project_the_others(connection: AsyncConnection, deliveries: list[Delivery]) -> None:
        await project(connection, [one for one in deliveries if leave_out is None or not leave_out(one)])

    return projection(
        engine,
        service=SERVICE,
        consumer=tables.EVENTS,
        vault=vault,
        project=project if leave_out is None else project_the_others,
    )


def copying(engine: AsyncEngine, vault: Vault) -> Consumption:
    """Return the consumer that copies the reference documents."""
    return projection(engine, service=SERVICE, consumer=tables.REFERENCE, vault=vault, project=store_references)
