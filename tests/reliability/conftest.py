"""One running city for all tests of faults; whatever a test breaks it puts together again.

The history of everything that the clients of all tests did and heard is one file.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.reliability.city import City, running_city
from tests.support.servers import temporary_home

FIRST = "test_history"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the checker's own tests first of those here: they read everything, and it is still little."""
    ours = [number for number, item in enumerate(items) if Path(__file__).parent in Path(item.path).parents]
    ordered = sorted((items[number] for number in ours), key=lambda item: Path(item.path).stem != FIRST)
    for number, item in zip(ours, ordered, strict=True):
        items[number] = item


@pytest.fixture(scope="session")
def one_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Return the city that all tests share."""
    with temporary_home() as home, running_city(home, tmp_path_factory.mktemp("faults") / "history.jsonl") as city:
        yield city


@pytest.fixture
async def city(one_city: City) -> AsyncIterator[City]:
    """Return the running city; what a failed test has broken does not make the next one fail too."""
    yield one_city
    await one_city.heal()
