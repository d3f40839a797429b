"""A home and stand-ins for tests of the supervisor, and what such tests wait for."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from deploy.embedded.home import Home
from deploy.embedded.ports import is_free, remembered_ports
from deploy.embedded.services import PROCESSES
from deploy.embedded.settings import PROJECT_ROOT
from tests.support.servers import temporary_home
from tests.support.standins import write_standins

SECONDS: Final = 60.0


@pytest.fixture(scope="module")
def standins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Put the stand-ins on the path of every child process and return the folder where they look for orders."""
    folder = tmp_path_factory.mktemp("standins")
    write_standins(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{PROJECT_ROOT}")
        patch.setenv("JOINT_SERVICES_PACKAGE", "standins")
        yield folder


@pytest.fixture(scope="module")
def home(standins: Path) -> Iterator[Home]:
    """Return a home that the tests of this module use one after the other, so that only the first start is a first."""
    with temporary_home() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOINT_HOME", str(home.root))
        yield home


def assert_nothing_runs(home: Home) -> None:
    """Fail if a process of the home is remembered or one of its ports is taken."""
    assert not list(home.run.glob("*.pid"))
    assert all(is_free(port) for port in remembered_ports(home, [*PROCESSES, "kafka", "postgres"]).values())


def wait_for(condition: Callable[[], object]) -> None:
    """Return when the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)
