"""After all faults the history checker reads everything back and finds nothing: the last test of the running city."""

import pytest

from tests.reliability.city import City
from tests.reliability.essentials import assert_essentials
from tests.reliability.history.check import check
from tests.reliability.history.city import CheckedCity
from tests.reliability.load import a_load

pytestmark = pytest.mark.timeout(240)


async def test_after_all_faults_the_history_checker_finds_nothing(city: City) -> None:
    async with a_load(city.stage, city.history) as load:
        cases = await load.play(4)
    await city.wait_until_quiet()
    await assert_essentials(city, cases)
    found = await check(city.history.path, CheckedCity(stage=city.stage))
    assert not found, "\n".join(map(str, found))
