"""`joint` as a test calls it: in this process, with what it prints and its exit code."""

import asyncio
import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from deploy.cli import main


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


def joint(*arguments: str) -> Done:
    """Run a command to its end."""
    out, err = io.StringIO(), io.StringIO()
    code: object = None
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int), f"joint {' '.join(arguments)} ended without an exit code: {code}"
    return Done(code=code, out=out.getvalue(), err=err.getvalue())


async def joint_aside(*arguments: str) -> Done:
    """Run a command while the test's own connections stay open."""
    return await asyncio.to_thread(joint, *arguments)
