"""Worker processes of tests: forked from a server that has imported what they need, for most of a start is imports."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from multiprocessing.process import BaseProcess
from typing import Any, Final, TypeVar

from shared.observability import crash
from shared.observability.logging import configure_logging

_STOP_SECONDS: Final = 40.0

_forks: Final = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["__main__", "tests.support.worker_process", "tests.support.timers_process"])

P = TypeVar("P")


@asynccontextmanager
async def a_process(
    work: Callable[[P], Coroutine[Any, Any, None]], plan: P, crash_at: str = ""
) -> AsyncIterator[BaseProcess]:
    """Run `work(plan)` in a process that dies at a crash point, where one is given.

    At the end it is told to stop, if it still runs, and must then end without failure.
    """
    process = _forks.Process(target=_be, args=(work, plan, crash_at), daemon=True)
    await asyncio.to_thread(process.start)
    try:
        yield process
        if process.exitcode is None:
            process.terminate()
            assert await ended(process, _STOP_SECONDS) == 0
    finally:
        if process.exitcode is None:
            process.kill()
            await ended(process, _STOP_SECONDS)


async def ended(process: BaseProcess, seconds: float) -> int:
    """Return the exit code when the process has ended; negative: by that signal."""
    await asyncio.to_thread(process.join, seconds)
    assert process.exitcode is not None, f"the process still runs after {seconds:.0f} s"
    return process.exitcode


def _be(work: Callable[[P], Coroutine[Any, Any, None]], plan: P, crash_at: str) -> None:
    configure_logging("json", service=work.__module__)
    crash.configure(crash_at)
    asyncio.run(work(plan))
