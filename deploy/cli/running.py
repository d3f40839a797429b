"""The system that a command works with: the running one, or one that the command starts and ends."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.campaign.stage import Stage
from deploy.embedded import supervisor
from deploy.embedded.errors import SystemFailure
from deploy.embedded.home import Home
from deploy.embedded.parties import load_parties, save_parties
from deploy.embedded.processes import remembered_process
from deploy.embedded.settings import SystemSettings
from deploy.embedded.system import SUPERVISOR, AlreadyRunning
from services.dispatch import seed


def this_stage() -> Stage:
    """Return the system of this folder (or of JOINT_HOME), running or not."""
    settings = SystemSettings()
    return Stage(home=Home(root=settings.home.absolute()), settings=settings)


def is_running(stage: Stage) -> bool:
    """Tell whether the system is up and ready."""
    return stage.home.state.exists() and remembered_process(stage.home.pid_file(SUPERVISOR)) is not None


def require_running(stage: Stage) -> None:
    """Raise SystemFailure if the system is not up."""
    if not is_running(stage):
        raise SystemFailure(
            f"The system of {stage.home.root} is not running.", remedy="Start it with `joint up` or `joint demo`."
        )


def know_the_city(stage: Stage) -> None:
    """Remember every source and handling unit of the first reference documents, so that a start makes their topics."""
    stage.home.prepare()
    parties = load_parties(stage.home).with_more(seed.source_codes(), seed.department_codes())
    save_parties(stage.home, parties)


@contextmanager
def brought_up(stage: Stage) -> Iterator[None]:
    """Start the system in the background if it is not up, and end it again if this started it."""
    if is_running(stage):
        yield
        return
    know_the_city(stage)
    # What asks us to end must not leave the system behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print("Starting the system.")
    _start(stage)
    try:
        print(f"It is ready after {json.loads(stage.home.state.read_text())['start_seconds']} s.")
        yield
    finally:
        print("Ending the system.")
        supervisor.stop_detached(stage.settings)


def _start(stage: Stage) -> None:
    try:
        supervisor.run_detached(stage.settings)
    except AlreadyRunning as error:
        raise SystemFailure(
            f"The system of {stage.home.root} is just starting or ending.", remedy="Try again when it has."
        ) from error
    except KeyboardInterrupt:
        supervisor.stop_detached(stage.settings)
        raise
