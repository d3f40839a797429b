"""What an operator does: compare, fill again, forget. Runs after the others: what they did is compared too."""

import re
from uuid import UUID

import pytest

from deploy.campaign.door import Door
from deploy.campaign.stage import Stage
from deploy.cli.inside import Inside
from shared.contracts.registry import SERVICES, topics
from shared.kernel.identifiers import new_id
from tests.support.command import joint_aside
from tests.support.parties import a_source, reaches, report_body

pytestmark = pytest.mark.timeout(180)

SOURCE = "grid-platform"


async def reported(stage: Stage) -> UUID:
    async with a_source(stage, SOURCE) as source:
        answer = await source.answer(await source.send(report_body()))
        assert answer.subject is not None
        return answer.subject


async def seen_by_dispatch(stage: Stage, case_id: UUID) -> None:
    async with stage.reader() as door:

        async def status() -> int:
            return (await door.get("dispatch", f"/v1/cases/{case_id}")).status

        await reaches(status, 200)


async def places_of(stage: Stage, text: str) -> list[str]:
    """Return every table and topic in which the text can be read, or that it is newest on a compacted key."""
    return [place for service in SERVICES for place in await _in_service(Inside(stage=stage, service=service), text)]


async def _in_service(inside: Inside, text: str) -> list[str]:
    found = []
    async with inside.engine() as engine, engine.connect() as connection:
        tables = await connection.exec_driver_sql(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        )
        for table in tables.scalars().all():
            rows = await connection.exec_driver_sql(
                f"SELECT 1 FROM {table} AS t WHERE position($1 in t::text) > 0 OR position($2 in t::text) > 0 LIMIT 1",
                (text, text.encode().hex()),
            )
            found += [f"{inside.service} {table}"] if rows.first() else []
    for topic in (topic for topic in topics((), ()) if topic.writer == inside.service):
        values: dict[object, bytes] = {}
        async for records in inside.read_topic(topic.name):
            for record in records:
                values[record.key if topic.compacted else record.place] = record.value or b""
        found += [topic.name] if any(text.encode() in value for value in values.values()) else []
    return found


async def test_every_ledger_equals_its_topics_and_states(stage: Stage) -> None:
    await seen_by_dispatch(stage, await reported(stage))
    done = await joint_aside("verify")
    assert done.code == 0, done.out + done.err
    assert "Everything is equal" in done.out
    for service in ("intake", "dispatch"):
        match = re.search(rf"{service}: (\d+) streams, (\d+) events", done.out)
        assert match is not None
        assert int(match.group(2)) >= int(match.group(1)) > 0


async def test_the_read_model_equals_one_made_again_from_the_topics(stage: Stage) -> None:
    await seen_by_dispatch(stage, await reported(stage))
    done = await joint_aside("rebuild")
    assert done.code == 0, done.out + done.err
    assert "Everything is equal" in done.out
    match = re.search(r"(\d+) records read; compared (\d+) streams", done.out)
    assert match is not None
    assert int(match.group(1)) >= int(match.group(2)) > 0


async def test_a_topic_can_be_filled_again_and_nothing_is_counted_twice(stage: Stage) -> None:
    async with stage.reader() as door:

        async def total() -> int:
            reply = await door.get("analytics", "/v1/indicators/closure")
            return int(reply.document["total"]["denominator"])

        before = await total()
        done = await joint_aside("republish", "--service", "dispatch", "--aggregate", "case")
        assert done.code == 0, done.err
        assert re.search(r"\d+ events are queued for dispatch\.cases", done.out)
        await seen_by_dispatch(stage, await reported(stage))
        await reaches(total, before + 1)


async def test_what_is_forgotten_is_found_nowhere_and_the_rest_stays_equal(stage: Stage) -> None:
    secret = f"secret-{new_id()}"
    body = report_body(description=secret, place=report_body()["place"] | {"address": f"{secret} 3号楼"})
    async with Door(stage.api, stage.token(SOURCE, SOURCE, "source")) as door:
        # Over HTTP: a submission over a topic stays there as it was sent, until its seven days are over.
        report = (await door.post("intake", "/v1/reports", body, key=str(new_id()))).document["subject"]
    async with Door(stage.api, stage.token("test", "supervision-centre", "duty_leader")) as door:

        async def description() -> str | None:
            content = (await door.get("dispatch", f"/v1/cases/{report}")).document.get("content")
            return content["description"] if content else None

        await reaches(description, secret)
        assert await places_of(stage, secret)
        done = await joint_aside("forget", report, "--reason", "The reporter asked for it.")
        assert done.code == 0, done.out + done.err
        await reaches(description, None)
    assert await places_of(stage, secret) == []
    for command in ("verify", "rebuild"):
        compared = await joint_aside(command)
        assert compared.code == 0, compared.out + compared.err


async def test_forgetting_what_does_not_exist_says_so(stage: Stage) -> None:
    done = await joint_aside("forget", str(new_id()), "--reason", "A mistake.")
    assert done.code == 1
    assert "unknown_report" in done.out
