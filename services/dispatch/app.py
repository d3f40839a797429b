"""The composition root of dispatch: from settings to the parts that the roles run. Tests replace parts by arguments."""

import base64
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from services.dispatch.seed import seed_commands
from services.dispatch.settings import Settings
from services.dispatch.tables import case_aggregate, migrate, reference_aggregate
from shared.contracts.common import Answer
from shared.ledger.engine import create_ledger_engine
from shared.ledger.ledger import Ledger
from shared.ledger.references import References
from shared.ledger.vault import Vault

SERVICE = "dispatch"


class SeedError(Exception):
    """A document of the seed was refused; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """What every role needs: the database, the write path and the reference documents that it decides by."""

    engine: AsyncEngine
    ledger: Ledger
    references: References
    city: str


def compose(settings: Settings, *, role: str) -> Dispatch:
    """Return the parts; nothing is connected yet."""
    engine = create_ledger_engine(settings.database_url.get_secret_value(), application=f"{SERVICE}-{role}")
    return compose_on(engine, Vault(base64.b64decode(settings.content_key.get_secret_value())), settings.city)


def compose_on(engine: AsyncEngine, vault: Vault, city: str) -> Dispatch:
    """Return the parts on this database."""
    references = References(engine)
    ledger = Ledger(
        engine=engine,
        service=SERVICE,
        aggregates=(case_aggregate(city), reference_aggregate(city)),
        vault=vault,
        references=references,
    )
    return Dispatch(engine=engine, ledger=ledger, references=references, city=city)


async def migrate_and_seed(dispatch: Dispatch) -> None:
    """Bring the schema up to date and publish version 1 of every reference document that is not in force yet.

    Raises:
        SeedError: if a document is refused.
    """
    async with dispatch.engine.begin() as connection:
        await connection.run_sync(migrate)
    commands = seed_commands()
    for command, outcome in zip(commands, await dispatch.ledger.execute(commands), strict=True):
        if not isinstance(outcome, Answer) or outcome.outcome == "refused":
            raise SeedError(f"{command.cause.correlation}: {outcome}")
