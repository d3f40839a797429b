"""What time does to cases, on real PostgreSQL: limits pass, and clocks follow the documents in force."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from services.dispatch.app import Dispatch, compose_on, migrate_and_seed, recomputing
from services.dispatch.consumers import reaction
from services.dispatch.domain.reference import PublishReference
from services.dispatch.seed import documents
from services.dispatch.tables import REFERENCE
from shared.contracts.common import Actor, Answer
from shared.contracts.reference import Calendar, Document, Kind, Limit, LimitPolicy, reference_stream
from shared.contracts.registry import DISPATCH_REFERENCE
from shared.kernel.identifiers import new_id
from shared.ledger.commands import Cause, Command
from shared.ledger.engine import create_ledger_engine
from shared.ledger.timers import NothingInbound, Timers
from shared.ledger.vault import Vault
from tests.support.dispatching import FIRE_LANE_UNITS, filed_report, relayed
from tests.support.ledgers import rows
from tests.support.servers import Postgres
from tests.support.working_hours import day_off

CITY = "jiaohe"


class Service:
    """Dispatch, fed by hand instead of by Kafka, and its loops, which turn when a test says so."""

    def __init__(self, dispatch: Dispatch) -> None:
        self.dispatch = dispatch
        self.engine = dispatch.engine
        self.events = dispatch.ledger.policy("dispatch.events", reaction(CITY))
        self.references = dispatch.ledger.reference_copy("dispatch.reference")
        self.recomputing = recomputing(dispatch)

    async def relay(self) -> None:
        """Send what is in the outbox; the service's own reference topic comes back to it."""
        sent = await relayed(self.engine)
        await self.references.consume([one for one in sent if one.topic == DISPATCH_REFERENCE])

    async def publish(self, kind: Kind, document: Document) -> None:
        """Put version 2 of a document in force."""
        body = PublishReference(kind=kind, name=CITY, document=msgspec.json.encode(document), expected_version=1)
        actor = Actor(client="test", unit="joint-administration", post="administrator")
        stream = reference_stream(kind, CITY)
        command = Command(aggregate=REFERENCE, stream=stream, body=body, actor=actor, cause=Cause(correlation="test"))
        [answer] = await self.dispatch.ledger.execute([command])
        assert isinstance(answer, Answer)
        assert answer.outcome == "accepted", answer
        await self.relay()

    async def file(self, count: int) -> list[UUID]:
        """Let reports become cases, which the rules dispatch at once."""
        cases = [new_id() for _ in range(count)]
        await self.events.consume([record for case in cases for record in filed_report(case)])
        return cases

    async def told(self, case: UUID) -> Counter[str]:
        """Return how often which event of time happened to the case."""
        found = await rows(self.engine, f"SELECT type FROM events WHERE stream = '{case}'")
        names = [row.type.removeprefix("jointenforcement.case.").removesuffix(".v1") for row in found]
        return Counter(name for name in names if name.startswith(("clock", "leg_counted")))

    async def versions(self) -> list[tuple[int, int]]:
        found = await rows(self.engine, "SELECT calendar_version, policy_version FROM cases ORDER BY stream")
        return [tuple(row) for row in found]


@pytest.fixture
async def service(postgres: Postgres) -> AsyncIterator[Service]:
    engine = create_ledger_engine(postgres.fresh_database("dispatch"), application="test")
    dispatch = compose_on(engine, Vault(bytes(32)), CITY)
    await migrate_and_seed(dispatch)
    service = Service(dispatch)
    await service.relay()
    yield service
    await engine.dispose()


def seeded_calendar() -> Calendar:
    found = documents()["calendar", CITY]
    assert isinstance(found, Calendar)
    return found


def seeded_policy() -> LimitPolicy:
    found = documents()["limit_policy", CITY]
    assert isinstance(found, LimitPolicy)
    return found


def with_a_day_off() -> Calendar:
    """Return the seeded calendar with a local day off that it did not know."""
    known = seeded_calendar()
    return msgspec.structs.replace(known, days=(*known.days, day_off("2026-12-10")))


def unsigned_at_once() -> LimitPolicy:
    return msgspec.structs.replace(seeded_policy(), sign=Limit(amount=0, unit="at_once"))


async def test_legs_that_nobody_signs_in_time_count_as_signed_once(service: Service) -> None:
    await service.publish("limit_policy", unsigned_at_once())
    cases = await service.file(3)

    async with Timers(service.dispatch.ledger, NothingInbound(), clock_difference=timedelta()).lease() as leased:
        assert leased is not None
        for _ in range(3):
            await leased.turn()
        assert leased.set_aside == 0

    legs = len(FIRE_LANE_UNITS)
    for case in cases:
        assert await service.told(case) == {"clock_breached": legs, "leg_counted_as_signed": legs}
    overdue = await rows(service.engine, "SELECT 1 FROM wakes WHERE due_at <= clock_timestamp()")
    assert overdue == []
    assert len(await rows(service.engine, "SELECT 1 FROM wakes")) == 3


async def test_the_clocks_of_open_cases_follow_a_newer_calendar_once(service: Service) -> None:
    open_, ended = (await service.file(3), await service.file(1))
    async with service.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE cases SET open = false, status = 'voided' WHERE stream = $1", (ended[0],)
        )
    assert await service.recomputing.look() == 0

    await service.publish("calendar", with_a_day_off())
    assert await service.recomputing.look() == 3
    assert await service.recomputing.look() == 0

    assert [await service.told(case) for case in open_] == [{"clocks_recomputed": 1}] * 3
    assert await service.told(ended[0]) == {}
    assert await service.versions() == [(2, 1), (2, 1), (2, 1), (1, 1)]


async def test_the_clocks_of_open_cases_follow_a_newer_limit_policy(service: Service) -> None:
    [case] = await service.file(1)
    await service.publish("limit_policy", unsigned_at_once())
    assert await service.recomputing.look() == 1
    assert await service.versions() == [(1, 2)]
    assert await service.told(case) == {"clocks_recomputed": 1}


async def test_another_process_recomputes_nothing_twice(service: Service) -> None:
    await service.file(4)
    other = recomputing(service.dispatch)
    await service.publish("calendar", with_a_day_off())
    assert [await service.recomputing.look(), await other.look()] == [4, 0]


async def test_a_case_that_cannot_be_recomputed_stops_no_other(service: Service) -> None:
    broken, *others = await service.file(3)
    async with service.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE cases SET state = '{}' WHERE stream = $1", (broken,))
    await service.publish("calendar", with_a_day_off())
    assert await service.recomputing.look() == 2
    assert await service.recomputing.look() == 0
    assert [await service.told(case) for case in others] == [{"clocks_recomputed": 1}] * 2
    assert sorted(await service.versions()) == [(1, 1), (2, 1), (2, 1)]
