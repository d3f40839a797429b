"""One running system for all tests here: the real servers and the six service processes, in a temporary home.

Everything goes through the topics and the HTTP API, as outside parties do it. A service process that ends by itself is
started again by the supervisor. What leaves traces that comparing must see as differences (a poisoned topic) runs last.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.campaign.stage import Stage
from deploy.cli.running import know_the_city, this_stage
from deploy.embedded import supervisor
from deploy.embedded.settings import PROJECT_ROOT
from tests.support.planted import PACKAGE, write_release
from tests.support.servers import temporary_home

LAST = ("test_operator", "test_operator_held")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the operator's tests last, and of these the ones that poison topics."""
    items.sort(key=lambda item: LAST.index(stem) + 1 if (stem := Path(item.path).stem) in LAST else 0)


@pytest.fixture(scope="package")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the release that runs: the shipped one, while nobody plants a bug there."""
    folder = tmp_path_factory.mktemp("release")
    write_release(folder)
    return folder


@pytest.fixture(scope="package")
def stage(release: Path) -> Iterator[Stage]:
    """Return the running system."""
    with temporary_home() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOINT_HOME", str(home.root))
        patch.setenv("JOINT_SERVICES_PACKAGE", PACKAGE)
        patch.setenv("PYTHONPATH", f"{release}{os.pathsep}{PROJECT_ROOT}")
        stage = this_stage()
        know_the_city(stage)
        supervisor.run_detached(stage.settings, restarts=True)
        try:
            yield stage
        finally:
            supervisor.stop_detached(stage.settings)
