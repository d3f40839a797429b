"""Group commit for callers who wait for an answer: whatever queued while the last commit ran is the next batch."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from shared.contracts.common import Answer
from shared.kernel.errors import Unavailable
from shared.ledger.commands import Command, Failed
from shared.ledger.ledger import Ledger
from shared.ledger.portions import command_size, portions

_MAXIMUM_QUEUED: Final = 20_000
_MAXIMUM_QUEUED_BYTES: Final = 64 * 1024 * 1024


class CommandFailedError(Exception):
    """The command crashed its handler: our bug; nothing was changed."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    command: Command
    size: int
    answer: asyncio.Future[Answer]


def _size(waiting: _Waiting) -> int:
    return waiting.size


class GroupCommit:
    """Shares commits among concurrent callers. Nobody waits on purpose; a caller that goes away cancels no batch."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._queue: list[_Waiting] = []
        self._bytes = 0
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    async def __aenter__(self) -> Self:
        """Start committing."""
        self._task = asyncio.create_task(self._commit_until_closed(), name="group-commit")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Commit what is queued, then stop."""
        self._closing = True
        self._wanted.set()
        if self._task is not None:
            await self._task

    async def submit(self, command: Command) -> Answer:
        """Return the command's answer after it was committed.

        Raises:
            CommandFailedError: when the command crashed its handler.
            Unavailable: when the database is away or too many callers wait already; give it again with the same key.
        """
        if self._closing or len(self._queue) >= _MAXIMUM_QUEUED or self._bytes >= _MAXIMUM_QUEUED_BYTES:
            raise Unavailable("This process is stopping, or too many requests wait already.")
        waiting = _Waiting(command, command_size(command), asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._bytes += waiting.size
        self._wanted.set()
        return await asyncio.shield(waiting.answer)

    async def _commit_until_closed(self) -> None:
        while self._queue or not self._closing:
            await self._wanted.wait()
            batch = next(portions(self._queue, _size), ())
            if batch:
                await self._commit(batch)
            del self._queue[: len(batch)]
            self._bytes -= sum(waiting.size for waiting in batch)
            if not self._queue and not self._closing:
                self._wanted.clear()

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        try:
            outcomes = await self._ledger.execute([waiting.command for waiting in batch])
        except Exception as error:  # noqa: BLE001 - every caller must hear of it, whatever it is
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
                    waiting.answer.exception()
            return
        for waiting, outcome in zip(batch, outcomes, strict=True):
            future = waiting.answer
            if future.done():
                continue
            if isinstance(outcome, Failed):
                future.set_exception(CommandFailedError(outcome.reason))
                future.exception()
            else:
                future.set_result(outcome)
