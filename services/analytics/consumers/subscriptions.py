"""What analytics reads: the events that it counts, and the reference documents that give them names."""

from sqlalchemy.ext.asyncio import AsyncEngine

from services.analytics import tables
from services.analytics.consumers.projection import project
from shared.ledger.consumption import Consumption
from shared.ledger.ledger import projection
from shared.ledger.references import store_references
from shared.ledger.vault import Vault

SERVICE = "analytics"


def counting(engine: AsyncEngine, vault: Vault) -> Consumption:
    """Return the consumer that counts the events of `projection.TOPICS` into the read model."""
    return projection(engine, service=SERVICE, consumer=tables.EVENTS, vault=vault, project=project)


def copying(engine: AsyncEngine, vault: Vault) -> Consumption:
    """Return the consumer that copies the reference documents."""
    return projection(engine, service=SERVICE, consumer=tables.REFERENCE, vault=vault, project=store_references)
