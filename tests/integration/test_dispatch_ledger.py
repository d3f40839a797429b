"""Dispatch on real PostgreSQL: reports become cases, acts change them, lists and dossiers follow at once."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.dispatch.app import Dispatch, compose_on, migrate_and_seed
from services.dispatch.consumers import reaction, translate
from services.dispatch.domain.reference import PublishReference
from services.dispatch.queries import CaseFilter, find_case, find_cases, find_legs, history
from services.dispatch.seed import catalogue, documents
from services.dispatch.tables import REFERENCE, metadata
from shared.contracts.common import Actor, Answer, Receipt
from shared.contracts.dispatch import FeedBackLeg, SignLeg
from shared.contracts.envelope import read_event
from shared.contracts.records import Record
from shared.contracts.reference import reference_stream
from shared.contracts.registry import ANSWERED, DISPATCH_CASES, DISPATCH_REFERENCE
from shared.contracts.tasks import TaskChanged
from shared.kernel.identifiers import new_id
from shared.ledger.commands import Cause, Command
from shared.ledger.consumption import Consumption
from shared.ledger.engine import create_ledger_engine
from shared.ledger.reception import Reception
from shared.ledger.vault import Vault
from tests.support.dispatching import FIRE_LANE_UNITS, MORNING, act_record, filed_report, record, relayed
from tests.support.dispatching import act_event as signed_by
from tests.support.servers import Postgres

CITY = "jiaohe"


class Service:
    """Dispatch with its consumers, fed by hand instead of by Kafka."""

    def __init__(self, dispatch: Dispatch) -> None:
        self.dispatch = dispatch
        self.engine = dispatch.engine
        self.events: Consumption = dispatch.ledger.policy("dispatch.events", reaction(CITY))
        self.actions: Reception = dispatch.ledger.reception("dispatch.actions", translate)
        self.references: Consumption = dispatch.ledger.reference_copy("dispatch.reference")

    async def relay(self) -> list[Record]:
        """Send what is in the outbox; the service's own reference topic comes back to it."""
        sent = await relayed(self.engine)
        await self.references.consume([one for one in sent if one.topic == DISPATCH_REFERENCE])
        return sent

    async def file(self, case_id: UUID, version: int = 1, first: int = 1) -> None:
        await self.events.consume(filed_report(case_id, version, first))

    async def act(self, *acts: Record) -> list[Answer]:
        await self.relay()
        await self.actions.consume(acts)
        return [receipt.answer for _topic, receipt in receipts(await self.relay())]

    async def state(self, case_id: UUID) -> str | None:
        async with self.engine.connect() as connection:
            known = await find_case(connection, case_id)
        return None if known is None else known.case.state


def receipts(records: Sequence[Record]) -> list[tuple[str, Receipt]]:
    events = [(one, read_event(one.headers, one.value)) for one in records]
    return [
        (one.topic, msgspec.json.decode(event.data or b"", type=Receipt))
        for one, event in events
        if event.type == ANSWERED
    ]


def tasks(records: Sequence[Record]) -> list[tuple[str, TaskChanged]]:
    events = [(one, read_event(one.headers, one.value)) for one in records]
    return [
        (one.topic, msgspec.json.decode(event.data or b"", type=TaskChanged))
        for one, event in events
        if event.type == TaskChanged.type
    ]


@pytest.fixture
async def service(postgres: Postgres) -> AsyncIterator[Service]:
    engine = create_ledger_engine(postgres.fresh_database("dispatch"), application="test")
    dispatch = compose_on(engine, Vault(bytes(32)), CITY)
    await migrate_and_seed(dispatch)
    service = Service(dispatch)
    await service.relay()
    yield service
    await engine.dispose()


async def test_the_migration_makes_the_tables_that_the_queries_know(service: Service) -> None:
    def differences(connection: sa.Connection) -> list[Any]:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
        # What a comment says is for readers of the code; the database need not know it.
        return [one for one in found if not (isinstance(one, list) and one[0][0] == "modify_comment")]

    async with service.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_seed_is_published_once_however_often_it_runs(service: Service) -> None:
    await migrate_and_seed(service.dispatch)
    assert await service.relay() == []
    library = await service.dispatch.references.refresh()
    for (kind, name), document in documents().items():
        assert library.get(kind, name, 1) == document


async def test_a_filed_report_becomes_a_case_and_tasks_of_five_units(service: Service) -> None:
    case_id = new_id()
    await service.file(case_id)
    sent = await service.relay()
    assert [one.key for one in sent if one.topic == DISPATCH_CASES] == [str(case_id).encode()] * 2
    assert [(topic, task.unit, task.role) for topic, task in tasks(sent)] == [
        (f"dispatch.receipts.{unit}", unit, "lead" if unit == "fire-rescue" else "support") for unit in FIRE_LANE_UNITS
    ]
    async with service.engine.connect() as connection:
        known = await find_case(connection, case_id)
        (event, *_rest) = await history(connection, case_id)
        found, more = await find_cases(connection, CaseFilter(states=("dispatched",), unit="public-security"), limit=5)
    assert event.type == "jointenforcement.case.opened.v1"
    assert known is not None
    assert known.case.opened.number is not None
    assert {task.case_number for _topic, task in tasks(sent)} == {known.case.opened.number}
    assert ([known.id for known in found], more) == ([case_id], None)


async def test_a_report_delivered_again_changes_nothing(service: Service) -> None:
    case_id = new_id()
    records = filed_report(case_id)
    await service.events.consume(records)
    await service.relay()
    await service.events.consume(records)
    assert await service.relay() == []


async def test_a_case_waits_for_the_catalogue_version_that_its_report_names(service: Service) -> None:
    waiting, other = new_id(), new_id()
    await service.file(waiting, version=2)
    await service.file(other)
    assert await service.state(waiting) is None
    assert await service.state(other) == "dispatched"
    assert await service.events.resume() == 0
    second = msgspec.json.encode(catalogue(CITY))
    [answer] = await service.dispatch.ledger.execute(
        [
            Command(
                aggregate=REFERENCE,
                stream=reference_stream("catalogue", CITY),
                body=PublishReference(kind="catalogue", name=CITY, document=second),
                actor=Actor(client="test", unit="joint-administration", post="administrator"),
                cause=Cause(correlation="test"),
            )
        ]
    )
    assert isinstance(answer, Answer)
    assert answer.outcome == "accepted"
    await service.relay()
    assert await service.events.resume() == 1
    assert await service.state(waiting) == "dispatched"


async def test_an_act_of_a_department_is_answered_and_counts_as_of_its_broker_time(service: Service) -> None:
    case_id = new_id()
    await service.file(case_id)
    [answer] = await service.act(act_record("fire-rescue", SignLeg(case_id=case_id, leg=1)))
    assert (answer.outcome, answer.subject) == ("accepted", case_id)
    async with service.engine.connect() as connection:
        known = await find_case(connection, case_id)
    assert known is not None
    assert known.case.legs[0].signed_at == MORNING


async def test_refused_acts_are_answered_by_name_and_change_nothing(service: Service) -> None:
    case_id = new_id()
    await service.file(case_id)
    foreign = act_record("health", SignLeg(case_id=case_id, leg=1))
    unknown_case = act_record("fire-rescue", SignLeg(case_id=new_id(), leg=1))
    stale = act_record("fire-rescue", SignLeg(case_id=case_id, leg=1, expected_revision=7))
    early = act_record("fire-rescue", FeedBackLeg(case_id=case_id, leg=1, closing_condition="clear"))
    ghost = act_record("ghost-office", SignLeg(case_id=case_id, leg=1))
    answers = await service.act(foreign, unknown_case, stale, early, ghost)
    assert [(answer.code, answer.revision) for answer in answers] == [
        ("not_entitled_other_leg", None),
        ("unknown_case", None),
        ("stale_revision", 1),
        ("wrong_state_leg_assigned", None),
        ("not_entitled_unknown_unit", None),
    ]
    assert await service.state(case_id) == "dispatched"


async def test_the_same_act_has_one_effect_and_another_body_under_its_id_is_refused(service: Service) -> None:
    case_id = new_id()
    await service.file(case_id)
    once = SignLeg(case_id=case_id, leg=1)
    first, again, reused = await service.act(
        act_record("fire-rescue", once, "a-1"),
        act_record("fire-rescue", once, "a-1"),
        act_record("fire-rescue", SignLeg(case_id=case_id, leg=2), "a-1"),
    )
    assert first == again
    assert (reused.outcome, reused.code) == ("refused", "key_reused")
    async with service.engine.connect() as connection:
        events = await history(connection, case_id)
    assert [event.type.split(".")[2] for event in events] == ["opened", "dispatched", "leg_signed"]


async def test_whoever_speaks_for_another_department_is_answered_on_their_own_receipts(service: Service) -> None:
    case_id = new_id()
    await service.file(case_id)
    await service.relay()
    forged = record("dispatch.actions.health", signed_by("fire-rescue", SignLeg(case_id=case_id, leg=1)))
    await service.actions.consume([forged])
    [(topic, receipt)] = receipts(await service.relay())
    assert (topic, receipt.answer.code) == ("dispatch.receipts.health", "wrong_source")


async def test_lists_are_paged_newest_first_without_gap_or_repeat(service: Service) -> None:
    ids = [new_id() for _ in range(7)]
    for case_id in ids:
        await service.file(case_id)
    seen: list[UUID] = []
    place = None
    async with service.engine.connect() as connection:
        while True:
            page, place = await find_cases(connection, CaseFilter(campaign="winter"), limit=3, after=place)
            seen += [known.id for known in page]
            if place is None:
                break
    assert seen == sorted(ids, reverse=True)


async def test_a_department_finds_its_open_tasks_and_no_others(service: Service) -> None:
    case_id = new_id()
    await service.file(case_id)
    police = "public-security"
    await service.act(
        act_record(police, SignLeg(case_id=case_id, leg=2)),
        act_record(police, FeedBackLeg(case_id=case_id, leg=2, closing_condition="clear")),
    )
    async with service.engine.connect() as connection:
        open_tasks, _ = await find_legs(connection, unit=police, limit=5)
        done, _ = await find_legs(connection, unit=police, state="fed_back", limit=5)
        fire, _ = await find_legs(connection, unit="fire-rescue", limit=5)
        assigned, _ = await find_legs(connection, state="assigned", limit=5)
    assert open_tasks == []
    assert [(found.case.id, found.leg.leg) for found in done] == [(case_id, 2)]
    assert [found.leg.state for found in fire] == ["assigned"]
    assert [found.leg.leg for found in assigned] == [1, 3, 4, 5]
