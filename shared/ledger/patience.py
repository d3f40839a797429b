"""A worker's repeated work: when the database is away it waits and goes on, it never ends the worker (I-8)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from shared.kernel.errors import Unavailable
from shared.ledger.failures import verdict_of
from shared.ledger.transaction import BatchFailedError

_LONGEST_PAUSE_SECONDS: Final = 10.0

log = structlog.get_logger()


async def repeat(name: str, work: Callable[[], Awaitable[object]], every_seconds: float) -> None:
    """Do `work` every so often, for ever.

    Raises:
        Exception: whatever `work` raises that is not the database's absence: a bug, which must be seen.
    """
    pause = every_seconds
    while True:
        try:
            await work()
        except (Unavailable, SQLAlchemyError, OSError, TimeoutError) as error:
            if not isinstance(error, Unavailable) and verdict_of(error) == "bisect":
                raise
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            log.warning("ledger.unavailable", task=name, error=str(error), next_try_seconds=pause)
        except BatchFailedError:
            # What failed is held or was left as it was; the next round must not be lost with it.
            log.exception("ledger.round_failed", task=name)
        else:
            pause = every_seconds
        await asyncio.sleep(pause)
