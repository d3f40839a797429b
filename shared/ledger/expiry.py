"""What may have to be forgotten is not held for ever: after 90 days it is given up (I-14)."""

from contextlib import suppress
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.registry import ACTIONS_PREFIX, INTAKE_CONTENTS, SUBMISSIONS_PREFIX
from shared.ledger.forgetting import give_up_forgotten
from shared.ledger.held import HeldMessageError, skip_held
from shared.ledger.patience import repeat
from shared.ledger.vault import Vault

KEPT: Final = timedelta(days=90)
_EVERY_SECONDS: Final = 3600.0
# Events of ours hold nothing that may have to be forgotten, and their streams wait behind them: they stay.
_EXPIRED: Final = """
    SELECT id FROM held WHERE reason IS NOT NULL AND held_at < clock_timestamp() - $1::interval
      AND (starts_with(topic, $2) OR starts_with(topic, $3) OR topic = $4) ORDER BY id LIMIT 1000
"""


async def expire_held(engine: AsyncEngine, vault: Vault, *, service: str, kept: timedelta = KEPT) -> int:
    """Give up the dead letters of outside parties and of contents that are older than `kept`; return how many.

    Each is answered and recorded as if an operator had given it up.
    """
    async with engine.connect() as connection:
        rows = await connection.exec_driver_sql(_EXPIRED, (kept, SUBMISSIONS_PREFIX, ACTIONS_PREFIX, INTAKE_CONTENTS))
        expired = [row.id for row in rows]
    for number in expired:
        reason = f"It was held for {kept.days} days."
        # An operator may have dealt with it since.
        with suppress(HeldMessageError):
            await skip_held(engine, vault, number, service=service, operator="retention", reason=reason)
    return len(expired)


async def keep_expiring(engine: AsyncEngine, vault: Vault, service: str) -> None:
    """Give up what is too old and what was forgotten, every hour for ever; a worker's task."""

    async def expire() -> None:
        await expire_held(engine, vault, service=service)
        await give_up_forgotten(engine, vault, service=service)

    await repeat(f"{service}.expire", expire, _EVERY_SECONDS)
