"""One running city for all tests of faults; whatever a test breaks it puts together again.

The history of everything that the clients of all tests did and heard is one file.
"""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.reliability.city import City, running_city
from tests.support.servers import temporary_home


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
