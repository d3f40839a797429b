"""What an operator does: compare, release and give up held messages, forget. Runs last: it poisons a topic.

Everything that the other tests here have done is part of what is compared.
"""

import re
import subprocess
import sys
from datetime import UTC, datetime
from uuid import UUID

import pytest

from deploy.campaign.stage import Stage
from deploy.embedded.settings import PROJECT_ROOT
from shared.contracts.envelope import CloudEvent, binary_headers
from shared.contracts.intake import Filed
from shared.contracts.registry import INTAKE_REPORTS, PARTITIONS, partition_for, party_uri
from shared.kernel.identifiers import new_id
from shared.messaging.connection import KafkaConnection
from tests.support.parties import a_source, reaches, report_body

pytestmark = pytest.mark.timeout(180)

SOURCE = "grid-platform"


def joint(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from deploy.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=150, check=False)


async def poison(stage: Stage) -> UUID:
    """Put an event that cannot be read on `intake.reports`, as intake, and return its stream."""
    stream = new_id()
    event = CloudEvent(
        id=str(new_id()),
        source=party_uri("services", "intake"),
        type=Filed.type,
        subject=str(stream),
        time=datetime.now(UTC),
        sequence=1,
        partitionkey=str(stream),
        data=b'{"poison": true}',
    )
    key = str(stream).encode()
    connection: KafkaConnection = stage.broker("intake").connection("test.intake")
    producer = connection.producer()
    await producer.start()
    try:
        partition = partition_for(key, PARTITIONS)
        await producer.send_and_wait(
            INTAKE_REPORTS, value=event.data, key=key, headers=binary_headers(event), partition=partition
        )
    finally:
        await producer.stop()
    return stream


async def listed(stage: Stage, service: str, stream: UUID) -> list[str]:
    """Return the lines that `joint held list` prints about a stream."""
    done = joint("held", "list", "--service", service, "--dead")
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if str(stream) in line]


async def number_of(stage: Stage, service: str, stream: UUID) -> str:
    async def count() -> int:
        return len(await listed(stage, service, stream))

    await reaches(count, 1)
    match = re.match(rf"{service} (\d+) ", (await listed(stage, service, stream))[0])
    assert match is not None
    return match.group(1)


async def reported(stage: Stage, description: str = "垃圾裸露") -> UUID:
    async with a_source(stage, SOURCE) as source:
        answer = await source.answer(await source.send(report_body(description=description)))
        assert answer.subject is not None
        return answer.subject


async def seen_by_dispatch(stage: Stage, case_id: UUID) -> None:
    async with stage.reader() as door:

        async def status() -> int:
            return (await door.get("dispatch", f"/v1/cases/{case_id}")).status

        await reaches(status, 200)


async def test_every_ledger_equals_its_topics_and_states(stage: Stage) -> None:
    await seen_by_dispatch(stage, await reported(stage))
    done = joint("verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything is equal" in done.stdout
    for service in ("intake", "dispatch"):
        match = re.search(rf"{service}: (\d+) streams, (\d+) events", done.stdout)
        assert match is not None
        assert int(match.group(2)) >= int(match.group(1)) > 0


async def test_the_read_model_equals_one_made_again_from_the_topics(stage: Stage) -> None:
    await seen_by_dispatch(stage, await reported(stage))
    done = joint("rebuild")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything is equal" in done.stdout
    match = re.search(r"(\d+) records read; compared (\d+) streams", done.stdout)
    assert match is not None
    assert int(match.group(1)) >= int(match.group(2)) > 0


async def test_a_topic_can_be_filled_again_and_nothing_is_counted_twice(stage: Stage) -> None:
    async with stage.reader() as door:

        async def total() -> int:
            reply = await door.get("analytics", "/v1/indicators/closure")
            return int(reply.document["total"]["denominator"])

        before = await total()
        done = joint("republish", "--service", "dispatch", "--aggregate", "case")
        assert done.returncode == 0, done.stderr
        assert re.search(r"\d+ events are queued for dispatch\.cases", done.stdout)
        await seen_by_dispatch(stage, await reported(stage))
        await reaches(total, before + 1)


async def test_what_is_forgotten_is_gone_and_the_rest_stays_equal(stage: Stage) -> None:
    report = await reported(stage, "a text that somebody wants forgotten")
    await seen_by_dispatch(stage, report)
    done = joint("forget", str(report), "--reason", "The reporter asked for it.")
    assert done.returncode == 0, done.stdout + done.stderr
    async with stage.reader() as door:

        async def content() -> object:
            return (await door.get("dispatch", f"/v1/cases/{report}")).document["content"]

        await reaches(content, None)
    assert joint("verify").returncode == 0


async def test_forgetting_what_does_not_exist_says_so(stage: Stage) -> None:
    done = joint("forget", str(new_id()), "--reason", "A mistake.")
    assert done.returncode == 1
    assert "unknown_report" in done.stdout


async def test_a_dead_letter_is_listed_tried_again_and_given_up(stage: Stage) -> None:
    stream = await poison(stage)
    first = await number_of(stage, "dispatch", stream)
    await seen_by_dispatch(stage, await reported(stage))
    assert joint("held", "retry", first, "--service", "dispatch", "--reason", "Try it.").returncode == 0
    again = await number_of(stage, "dispatch", stream)
    assert joint("held", "skip", again, "--service", "dispatch", "--reason", "It is nonsense.").returncode == 0
    assert await listed(stage, "dispatch", stream) == []
    await seen_by_dispatch(stage, await reported(stage))


async def test_a_message_that_is_not_held_cannot_be_given_up(stage: Stage) -> None:
    done = joint("held", "skip", "999999", "--service", "dispatch", "--reason", "A mistake.")
    assert done.returncode == 2
    assert "No held message has the number 999999" in done.stderr
