"""Run work in one transaction, and tell apart what to do when it fails (I-5, I-8)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.kernel.errors import Unavailable
from shared.ledger.failures import sqlstate_of, verdict_of
from shared.observability import metrics

T = TypeVar("T")
R = TypeVar("R")

RUNS: Final = 4
"""How often a batch is run at most: once, and three times again (design section 1, step 5)."""
_LOCK_NOT_AVAILABLE: Final = "55P03"
_ACTS: Final = "joint.once_committed"

log = structlog.get_logger()


class BatchFailedError(Exception):
    """Something in the batch makes it fail whoever else is about: halve it. `reason` is for the held message."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def once_committed(connection: AsyncConnection, act: Callable[[], None]) -> None:
    """Do this when the transaction of `in_transaction` is committed: a run that is rolled back counts nothing."""
    connection.info[_ACTS].append(act)


async def in_transaction(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[R]]) -> R:
    """Run `work` in one transaction and commit; again when another transaction was in the way.

    Raises:
        Unavailable: when it is our fault; nothing was changed, or nobody can know: then the requests tell.
        BatchFailedError: when it is the batch's.
    """
    for run in range(RUNS):
        try:
            async with engine.begin() as connection:
                acts: list[Callable[[], None]] = []
                connection.info[_ACTS] = acts
                found = await work(connection)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            verdict = verdict_of(error)
            if verdict == "rerun" and run + 1 < RUNS:
                metrics.BATCH_RERUNS.inc()
                continue
            if verdict == "halt" or sqlstate_of(error) == _LOCK_NOT_AVAILABLE:
                raise Unavailable(f"The database does not answer: {error}") from error
            raise BatchFailedError(_reason(error), str(getattr(error, "orig", error))[:1000]) from error
        for act in acts:
            act()
        return found
    raise AssertionError("a batch ends in its last run")


async def in_halves(
    engine: AsyncEngine,
    items: Sequence[T],
    work: Callable[[AsyncConnection, Sequence[T], BatchFailedError | None], Awaitable[list[R]]],
) -> list[R]:
    """Run `work` over the items in one transaction; where the batch fails, in two halves, down to one item.

    An item that fails alone is run once more with the failure, so that it can be held or answered.

    Raises:
        Unavailable: as `in_transaction`; the halves before are committed, and a repeat of the call sees that.
    """
    try:
        return await in_transaction(engine, lambda connection: work(connection, items, None))
    except BatchFailedError as failure:
        if len(items) <= 1:
            log.exception("ledger.item_failed", reason=failure.reason, detail=failure.detail)
            alone = failure
            return await in_transaction(engine, lambda connection: work(connection, items, alone))
    metrics.BATCH_HALVINGS.inc()
    middle = len(items) // 2
    first = await in_halves(engine, items[:middle], work)
    return first + await in_halves(engine, items[middle:], work)


def _reason(error: BaseException) -> str:
    code = sqlstate_of(error)
    if code is not None:
        return f"database_refused_{code}"
    return "database_refused" if isinstance(error, SQLAlchemyError | asyncpg.InterfaceError) else "crashed"
