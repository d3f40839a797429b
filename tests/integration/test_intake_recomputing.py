"""The clocks of reports that wait follow a newer calendar or limit policy, on real PostgreSQL."""

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest

from services.intake.app import Intake, recomputing
from services.intake.domain.commands import Accept
from services.intake.domain.report import AGGREGATE
from shared.contracts.reference import Calendar, Document, Kind, ReferencePublished, reference_stream
from shared.contracts.registry import DISPATCH_REFERENCE, party_uri
from shared.ledger.commands import Cause, Command
from tests.support.intaking import answers, intake_on, received, submitted
from tests.support.ledgers import rows
from tests.support.reports import CITY, LIBRARY, NOW, UNTRUSTED, person
from tests.support.servers import Postgres
from tests.support.stories import SYSTEM, event_record
from tests.support.working_hours import day_off, hours, limit, local

CALENDAR = LIBRARY.documents["calendar", CITY][1]


@pytest.fixture
async def intake(postgres: Postgres) -> AsyncIterator[Intake]:
    async with intake_on(postgres) as running:
        yield running


async def publish(intake: Intake, kind: Kind, document: Document) -> None:
    """Let version 2 of a document arrive."""
    raw = msgspec.Raw(msgspec.json.encode(document))
    event = ReferencePublished(at=NOW, by=SYSTEM, kind=kind, name=CITY, version=2, document=raw)
    stream = reference_stream(kind, CITY)
    record = event_record(DISPATCH_REFERENCE, stream, 2, event, party_uri("services", "dispatch"))
    await intake.ledger.reference_copy("intake.reference").consume([record])


async def publish_a_day_off(intake: Intake) -> None:
    assert isinstance(CALENDAR, Calendar)
    await publish(intake, "calendar", msgspec.structs.replace(CALENDAR, days=(*CALENDAR.days, day_off("2026-11-23"))))


async def report(intake: Intake, count: int) -> list[UUID]:
    """Let reports of the public come in, which wait."""
    told = answers(await received(intake, *(submitted(source=UNTRUSTED) for _ in range(count))))
    return [answer.subject for answer in told if answer.subject is not None]


async def happened(intake: Intake, stream: UUID) -> list[str]:
    found = await rows(intake.engine, f"SELECT type FROM events WHERE stream = '{stream}' ORDER BY sequence")
    return [row.type.removeprefix("jointenforcement.report.").removesuffix(".v1") for row in found]


async def versions(intake: Intake) -> list[tuple[int | None, int | None]]:
    found = await rows(intake.engine, "SELECT calendar_version, policy_version FROM reports ORDER BY stream")
    return [tuple(row) for row in found]


async def test_the_clocks_of_waiting_reports_follow_a_newer_calendar_once(intake: Intake) -> None:
    first, accepted, last = await report(intake, 3)
    await received(intake, submitted())  # of a trusted source: filed as it came in
    cause = Cause(correlation="test")
    act = Command(aggregate=AGGREGATE, stream=accepted, body=Accept(), actor=person("acceptor"), cause=cause)
    await intake.ledger.execute([act])
    follows = recomputing(intake)
    assert await follows.look() == 0

    await publish_a_day_off(intake)
    assert await follows.look() == 3
    assert await follows.look() == 0

    assert await happened(intake, first) == ["reported", "clock_recomputed"]
    assert (await happened(intake, accepted))[-2:] == ["accepted", "clock_recomputed"]
    assert await happened(intake, last) == ["reported", "clock_recomputed"]
    assert await versions(intake) == [(2, 1), (2, 1), (2, 1), (None, None)]


async def test_the_wake_of_a_report_moves_with_its_clock(intake: Intake) -> None:
    await report(intake, 1)
    [before] = await rows(intake.engine, "SELECT due_at FROM wakes")
    await publish_a_day_off(intake)
    assert await recomputing(intake).look() == 1
    [after] = await rows(intake.engine, "SELECT due_at FROM wakes")
    # Reported on Monday at ten, with an hour; what would have warned lies behind when the calendar comes.
    assert before.due_at == local("2026-11-23 10:30")
    assert after.due_at == local("2026-11-24 09:00")


async def test_the_clocks_of_waiting_reports_follow_a_newer_limit_policy(intake: Intake) -> None:
    [waiting] = await report(intake, 1)
    await publish(intake, "limit_policy", hours(stage=limit(3, "working_hour")))
    assert await recomputing(intake).look() == 1
    assert await happened(intake, waiting) == ["reported", "clock_recomputed"]
    assert await versions(intake) == [(1, 2)]


async def test_another_process_recomputes_nothing_twice(intake: Intake) -> None:
    await report(intake, 4)
    await publish_a_day_off(intake)
    assert [await recomputing(intake).look(), await recomputing(intake).look()] == [4, 0]


async def test_a_report_that_cannot_be_recomputed_stops_no_other(intake: Intake) -> None:
    broken, *others = await report(intake, 3)
    async with intake.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE reports SET state = '{}' WHERE stream = $1", (broken,))
    await publish_a_day_off(intake)
    follows = recomputing(intake)
    assert [await follows.look(), await follows.look()] == [2, 0]
    assert [await happened(intake, one) for one in others] == [["reported", "clock_recomputed"]] * 2
    assert sorted(await versions(intake)) == [(1, 1), (2, 1), (2, 1)]
