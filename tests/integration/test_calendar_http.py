"""The calendar and the limit policy over HTTP on real PostgreSQL: an administrator publishes what everybody reads."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.dispatch.app import Dispatch, compose_on, migrate_and_seed
from services.dispatch.seed import CITY, calendar, limit_policy
from shared.contracts.reference import Calendar
from shared.contracts.registry import DISPATCH_REFERENCE
from shared.deadlines.deadline import deadline
from shared.deadlines.working_time import WorkingTime
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault
from tests.support.dispatch_client import DispatchClient, dispatch_client, problem
from tests.support.dispatching import relayed
from tests.support.servers import Postgres
from tests.support.web import Keys
from tests.support.working_hours import limit, local

CALENDAR, POLICY = "/v1/reference/calendar/jiaohe", "/v1/reference/limit_policy/jiaohe"
ADMINISTRATION = ("joint-administration", "administrator")
FLOOD = {
    "day": "2026-08-06",
    "workday": False,
    "name_zh": "防汛停工",
    "name_en": "work stopped for the flood",
    "source": "the city's notice",
}
COUNTY_DAY = {**FLOOD, "day": "2026-08-07", "name_zh": "县庆", "name_en": "county day"}


class City(DispatchClient):
    """Dispatch over HTTP; what it publishes comes back to it when a test says so."""

    dispatch: Dispatch

    async def relay(self) -> None:
        sent = await relayed(self.dispatch.engine)
        references = self.dispatch.ledger.reference_copy("dispatch.reference")
        await references.consume([one for one in sent if one.topic == DISPATCH_REFERENCE])

    async def document(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.get(path)).json()
        return found


@pytest.fixture
async def city(postgres: Postgres, tmp_path: Path) -> AsyncIterator[City]:
    engine = create_ledger_engine(postgres.fresh_database("dispatch"), application="test")
    dispatch = compose_on(engine, Vault(bytes(32)), CITY)
    await migrate_and_seed(dispatch)
    keys = Keys(tmp_path)
    async with dispatch_client(dispatch, keys) as client:
        found = City(client.plain, keys)
        found.dispatch = dispatch
        await found.relay()
        yield found
    await engine.dispose()


async def test_everybody_reads_the_seeded_calendar_and_working_hours(city: City) -> None:
    found = await city.document(CALENDAR)
    assert (found["version"], found["document"]["first_year"], found["document"]["last_year"]) == (1, 2004, 2026)
    assert len(found["document"]["days"]) == 771
    assert (await city.document(POLICY))["document"]["sign"] == {"amount": 1, "unit": "working_hour"}


async def test_a_local_day_off_and_a_disaster_day_become_the_next_version_and_the_first_stays_readable(
    city: City,
) -> None:
    document = (await city.document(CALENDAR))["document"]
    days = sorted([*document["days"], FLOOD, COUNTY_DAY], key=lambda entry: entry["day"])
    extended = {**document, "days": days}
    problem(await city.post(CALENDAR, extended, "fire-rescue", "department"), 403, "not_entitled")
    published = await city.post(f"{CALENDAR}?expected_version=1", extended, *ADMINISTRATION)
    assert published.status_code == 201, published.text
    await city.relay()
    assert (await city.document(CALENDAR))["version"] == 2
    assert FLOOD not in (await city.document(f"{CALENDAR}?version=1"))["document"]["days"]

    read = msgspec.convert((await city.document(CALENDAR))["document"], Calendar)
    before, after = (WorkingTime.of(known, limit_policy()) for known in (calendar(), read))
    start, two_hours = local("2026-08-05 17:00"), limit(2, "working_hour")
    assert deadline(start, two_hours, before).due_at == local("2026-08-06 09:00")
    assert deadline(start, two_hours, after).due_at == local("2026-08-10 09:00")


async def test_every_error_of_a_calendar_is_answered_with_its_path_and_nothing_is_published(city: City) -> None:
    document = (await city.document(CALENDAR))["document"]
    wrong = {**document, "days": [*document["days"], {**FLOOD, "day": "2027-01-04"}, FLOOD]}
    refused = problem(await city.post(CALENDAR, wrong, *ADMINISTRATION), 422, "invalid")
    assert [(error["field"], error["code"]) for error in refused["errors"]] == [
        ("days.771.day", "outside_years"),
        ("days.772.day", "unsorted"),
    ]
    await city.relay()
    assert (await city.document(CALENDAR))["version"] == 1


async def test_working_hours_are_published_and_checked_in_the_same_way(city: City) -> None:
    document = (await city.document(POLICY))["document"]
    backwards = [{**season, "slots": [{"start": "18:00", "end": "08:00"}]} for season in document["seasons"]]
    refused = problem(await city.post(POLICY, {**document, "seasons": backwards}, *ADMINISTRATION), 422, "invalid")
    assert [error["field"] for error in refused["errors"]] == ["seasons.0.slots.0", "seasons.1.slots.0"]
    longer = {**document, "sign": {"amount": 2, "unit": "working_hour"}}
    published = await city.post(f"{POLICY}?expected_version=1", longer, *ADMINISTRATION)
    assert published.status_code == 201, published.text
    await city.relay()
    assert (await city.document(POLICY))["document"]["sign"]["amount"] == 2
