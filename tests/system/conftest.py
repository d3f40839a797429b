"""One running system for all tests here: the real servers and the six service processes, in a temporary home.

Everything goes through the topics and the HTTP API, as outside parties do it. A service process that ends by itself is
started again by the supervisor. What leaves traces that comparing must see as differences (a poisoned topic) runs last.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.campaign.stage import Stage
from deploy.cli.running import know_the_city, this_stage
from deploy.embedded import supervisor
from tests.support.servers import temporary_home

LAST = "test_operator"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the operator's tests last."""
    items.sort(key=lambda item: Path(item.path).stem == LAST)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """Return the running system."""
    with temporary_home() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOINT_HOME", str(home.root))
        stage = this_stage()
        know_the_city(stage)
        supervisor.run_detached(stage.settings, restarts=True)
        try:
            yield stage
        finally:
            supervisor.stop_detached(stage.settings)
