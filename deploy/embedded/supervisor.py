"""Runs a system in this process until it is asked to end, or starts such a process in the background."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from deploy.embedded.errors import SystemFailure
from deploy.embedded.home import Home
from deploy.embedded.processes import log_tail, remembered_process
from deploy.embedded.settings import PROJECT_ROOT, SystemSettings
from deploy.embedded.system import SUPERVISOR, AlreadyRunning, StopRequested, System
from shared.kernel.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL_SECONDS: Final = 0.1
_STOP_SECONDS: Final = 90.0


def run(settings: SystemSettings, *, restarts: bool = False, when_ready: Callable[[], None] = lambda: None) -> None:
    """Bring the system up and stay until Ctrl-C or SIGTERM; then end it in order.

    `when_ready` is called once, after everything answers. Must run in the main thread.

    Raises:
        AlreadyRunning: if this home's system is up.
        SystemFailure: if a part failed; everything else was ended.
    """
    system = System(settings, report=_say, restarts=restarts)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: system.request_stop())
    try:
        with system:
            when_ready()
            system.watch()
            _say("Ending the services, then the servers.")
    except StopRequested:
        _say("Ended during the start.")
    except Unavailable as error:
        raise SystemFailure(str(error), remedy=f"Look at the logs in {system.home.logs}.") from error


def run_detached(settings: SystemSettings, *, restarts: bool = False) -> None:
    """Start a supervisor in the background and return when its system is ready.

    Raises:
        AlreadyRunning: if this home's system is up.
        SystemFailure: if it ended instead; the reason it gave is in the message.
    """
    home = Home(root=settings.home.absolute())
    home.prepare()
    if remembered_process(home.pid_file(SUPERVISOR)) is not None:
        raise AlreadyRunning(str(home.root))
    home.state.unlink(missing_ok=True)
    log = home.run / "supervisor.out"  # not among the logs, which the start begins anew
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.embedded.supervisor", *(["--restart"] if restarts else [])],
            cwd=PROJECT_ROOT,
            env={**os.environ, "JOINT_HOME": str(home.root)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    while not home.state.exists():
        if process.poll() is not None:
            raise SystemFailure(f"The system did not start:\n{log_tail(log, 60)}", remedy=f"Logs: {home.logs}")
        time.sleep(_POLL_SECONDS)


def stop_detached(settings: SystemSettings) -> bool:
    """End the system of this home and wait until it is gone; tell whether there was one.

    Raises:
        SystemFailure: if it does not end in time.
    """
    home = Home(root=settings.home.absolute())
    supervisor = remembered_process(home.pid_file(SUPERVISOR))
    if supervisor is None:
        return False
    supervisor.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    while remembered_process(home.pid_file(SUPERVISOR)) is not None:
        if time.monotonic() > deadline:
            raise SystemFailure(
                f"The supervisor (pid {supervisor.pid}) did not end within {_STOP_SECONDS:.0f} s.",
                remedy=f"Look at {home.logs}; `kill -9 {supervisor.pid}` ends it and everything it started.",
            )
        time.sleep(_POLL_SECONDS)
    return True


def main() -> int:
    """Run a system in the background's process; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--restart", action="store_true")
    try:
        run(SystemSettings(), restarts=parser.parse_args().restart)
    except (AlreadyRunning, SystemFailure) as failure:
        _say(str(failure))
        return 1
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
