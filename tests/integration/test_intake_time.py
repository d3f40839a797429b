"""What time does to reports that wait, on real PostgreSQL: limits pass, are told once, and are read with the reason."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from shared.contracts.reference import ReferencePublished, reference_stream
from shared.contracts.registry import DISPATCH_REFERENCE, party_uri
from tests.support.intake_client import IntakeClient, serving
from tests.support.intaking import answers, intake_on, received, submitted_at
from tests.support.ledgers import rows
from tests.support.reports import CITY, NOW, UNTRUSTED
from tests.support.servers import Postgres
from tests.support.stories import SYSTEM, event_record
from tests.support.turning import now, turning
from tests.support.working_hours import hours, limit

MINUTE = timedelta(minutes=1)
TWO_HOURS_DAY_AND_NIGHT = hours(stage=limit(2, "urgent_hour"))


@pytest.fixture
async def http(postgres: Postgres, tmp_path: Path) -> AsyncIterator[IntakeClient]:
    """Serve intake in a city that accepts and files within two hours, day and night."""
    policy = ReferencePublished(
        at=NOW,
        by=SYSTEM,
        kind="limit_policy",
        name=CITY,
        version=2,
        document=msgspec.Raw(msgspec.json.encode(TWO_HOURS_DAY_AND_NIGHT)),
    )
    stream = reference_stream("limit_policy", CITY)
    record = event_record(DISPATCH_REFERENCE, stream, 2, policy, party_uri("services", "dispatch"))
    async with intake_on(postgres) as intake, serving(intake, tmp_path) as running:
        await intake.ledger.reference_copy("intake.reference").consume([record])
        yield running


async def reported(http: IntakeClient, at: datetime) -> UUID:
    """Let a citizen's report come in that reached our topic at this instant."""
    [answer] = answers(await received(http.intake, submitted_at(at, source=UNTRUSTED)))
    assert answer.subject is not None, answer
    return answer.subject


async def happened(http: IntakeClient, report: UUID) -> list[str]:
    """Return what happened to the report, in order; of warnings with the percent."""
    found = await rows(http.intake.engine, f"SELECT type, data FROM events WHERE stream = '{report}' ORDER BY sequence")
    names = []
    for row in found:
        percent = msgspec.json.decode(row.data).get("percent")
        name = row.type.removeprefix("jointenforcement.report.").removesuffix(".v1")
        names.append(f"{name} {percent}" if percent else name)
    return names


async def fire(http: IntakeClient) -> None:
    async with turning(http.intake.ledger) as leased:
        for _ in range(5):
            await leased.turn()
        assert leased.set_aside == 0


async def read(http: IntakeClient, report: UUID) -> list[dict[str, Any]]:
    clocks: list[dict[str, Any]] = (await http.get(f"/v1/reports/{report}")).json()["clocks"]
    return clocks


async def test_a_report_that_nobody_accepts_in_time_is_warned_and_breached_once_and_can_still_be_accepted(
    http: IntakeClient,
) -> None:
    at = await now(http.intake.engine)
    late, soon = await reported(http, at - 121 * MINUTE), await reported(http, at - 100 * MINUTE)

    await fire(http)
    assert await happened(http, late) == ["reported", "clock_warned 50", "clock_warned 80", "clock_breached"]
    assert await happened(http, soon) == ["reported", "clock_warned 50", "clock_warned 80"]
    [wake] = await rows(http.intake.engine, "SELECT stream, due_at FROM wakes")
    assert (wake.stream, wake.due_at - at) == (soon, 20 * MINUTE)

    accepted = await http.act(str(late), "accept", "acceptor", {"expected_revision": 1})
    assert (accepted.status_code, accepted.json()["position"]["sequence"]) == (200, 5)
    assert (await happened(http, late))[-2:] == ["clock_breached", "accepted"]
    assert (await http.act(str(soon), "reject", "acceptor", {"reason_code": "not_found", "reason": "gone"})).is_success
    assert [row.stream for row in await rows(http.intake.engine, "SELECT stream FROM wakes")] == [late]


async def test_who_accepts_late_before_the_wake_fires_is_told_so_once(http: IntakeClient) -> None:
    report = await reported(http, await now(http.intake.engine) - 180 * MINUTE)
    assert (await http.act(str(report), "accept", "acceptor")).is_success
    await fire(http)
    assert await happened(http, report) == ["reported", "clock_breached", "accepted"]


async def test_a_report_is_read_with_its_clocks_and_why_they_are_due(http: IntakeClient) -> None:
    at = await now(http.intake.engine)
    report = await reported(http, at - 100 * MINUTE)
    [acceptance] = await read(http, report)
    assert (acceptance["stage"], acceptance["standing"], acceptance["colour"]) == ("accept", "running", "yellow")
    assert datetime.fromisoformat(acceptance["due_at"]) == at + 20 * MINUTE
    assert (acceptance["breached"], acceptance["policy_version"]) == (False, 2)
    assert 19 * 60 <= acceptance["remaining_seconds"] <= 20 * 60
    assert acceptance["why"]["zh"][0].startswith("时限 2 紧急工作时")
    assert acceptance["why"]["en"][0].startswith("The limit is 2 urgent hours")

    assert (await http.act(str(report), "accept", "acceptor")).is_success
    acceptance, filing = await read(http, report)
    assert (acceptance["standing"], acceptance["colour"], acceptance["breached"]) == ("stopped", None, False)
    assert (filing["stage"], filing["standing"], filing["colour"]) == ("file", "running", "green")
    assert filing["started_at"] == acceptance["stopped_at"]
