"""Child processes that never outlive their parent, each with a log file and a pid file.

A pid file names the start time too, so that a number reused by a stranger is never taken for ours.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import psutil

from deploy.embedded.errors import SystemFailure
from deploy.embedded.home import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from deploy.embedded.home import Home

_SET_PARENT_DEATH_SIGNAL: Final = 1
_TAIL_LINES: Final = 25
_START_TIME_TOLERANCE: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run. `environment` is added to the parent's; `stop_seconds` is the patience of `stop`.

    `user` is an account to run as (None: the parent's own).
    """

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 30.0


class Child:
    """A running `Program` that this process started."""

    def __init__(self, home: Home, program: Program) -> None:
        """Start the program; its output is appended to its log."""
        self._home = home
        self.program = program
        self._pid_file = home.pid_file(program.name)
        with home.log(program.name).open("ab") as log:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=program.folder,
                env={**os.environ, **program.environment},
                # A group of its own: Ctrl-C reaches the parent alone, which stops all in order.
                process_group=0,
                preexec_fn=_dies_with_parent(program.stop_signal),  # noqa: PLW1509 - no threads
                user=program.user,
                group=account_group(program.user) if program.user else None,
                extra_groups=[] if program.user else None,
            )
        remember_process(self._pid_file, self.pid)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: ended by that signal."""
        return self._process.poll()

    def require_running(self) -> None:
        """Raise SystemFailure, with the end of the log, if the program has ended."""
        code = self.exit_code
        if code is not None:
            raise SystemFailure(
                f"{self.program.name} ended by itself ({describe_exit(code)}). Its last lines:\n"
                f"{log_tail(self._home.log(self.program.name))}",
                remedy=f"The whole log: {self._home.log(self.program.name)}",
            )

    def ask_to_stop(self) -> None:
        """Send the stop signal and return at once."""
        if self.exit_code is None:
            self._process.send_signal(self.program.stop_signal)

    def stop(self) -> bool:
        """End the program; kill it when it is not gone in time. Tell whether it went by itself."""
        self.ask_to_stop()
        try:
            self._process.wait(self.program.stop_seconds)
            graceful = True
        except subprocess.TimeoutExpired:
            self.kill()
            graceful = False
        self._pid_file.unlink(missing_ok=True)
        return graceful

    def kill(self) -> None:
        """End the program without warning, as a power cut would."""
        self._process.kill()
        self._process.wait()
        self._pid_file.unlink(missing_ok=True)


def remember_process(pid_file: Path, pid: int) -> None:
    """Write a pid file for a running process."""
    with contextlib.suppress(psutil.NoSuchProcess):
        started = psutil.Process(pid).create_time()
        write_private(pid_file, json.dumps({"pid": pid, "started": started}))


def remembered_process(pid_file: Path) -> psutil.Process | None:
    """Return the process that the file names, if it still runs."""
    try:
        entry = json.loads(pid_file.read_text())
        process = psutil.Process(entry["pid"])
        same = abs(process.create_time() - entry["started"]) < _START_TIME_TOLERANCE
        alive = process.status() != psutil.STATUS_ZOMBIE
    except (FileNotFoundError, psutil.NoSuchProcess):
        return None
    return process if same and alive else None


def log_tail(path: Path, lines: int = _TAIL_LINES) -> str:
    """Return the last lines of a log, or a note that it is empty."""
    if not path.exists():
        return "(no log)"
    with path.open(encoding="utf-8", errors="replace") as log:
        return "".join(deque(log, lines)).rstrip() or "(the log is empty)"


def describe_exit(code: int) -> str:
    """Say in words how a process ended."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def account_group(user: str) -> int:
    """Return the number of the account's primary group."""
    import pwd

    return pwd.getpwnam(user).pw_gid


def _dies_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """Make the kernel stop the child when the parent dies, even by SIGKILL (Linux only)."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)

    def ask_kernel() -> None:
        library.prctl(_SET_PARENT_DEATH_SIGNAL, int(stop_signal))

    return ask_kernel
