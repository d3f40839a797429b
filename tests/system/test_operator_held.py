"""Held messages by hand (I-7): the alarm, what is shown, a release that handles it, giving up; and who waits meanwhile.

Runs last: it poisons a topic. docs/held-messages.md says the same to operators.
"""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.campaign.door import Door
from deploy.campaign.stage import Stage
from deploy.cli.inside import Inside
from deploy.embedded.processes import remembered_process
from shared.contracts.common import Message
from shared.contracts.envelope import read_event
from shared.contracts.registry import INTAKE_REPORTS, MESSAGES, MessageDealtWith, MessageHeld, Service
from shared.kernel.identifiers import new_id
from shared.messaging.connection import KafkaConnection
from tests.support.command import joint_aside
from tests.support.dispatching import FIRE_LANE, envelopes, filed_events
from tests.support.dispatching import record as as_record
from tests.support.parties import eventually, reaches, report_body
from tests.support.planted import CAMPAIGN, bug_of
from tests.support.stories import offset_all

pytestmark = pytest.mark.timeout(240)

SOURCE = "grid-platform"
WORKER = "dispatch-worker"

M = TypeVar("M", bound=Message)


class Operator:
    """Somebody at the terminal of the running system."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def joint(self, *arguments: str, code: int = 0) -> str:
        """Run a command, which must end with this code; return what it printed."""
        done = await joint_aside(*arguments)
        assert done.code == code, done.out + done.err
        return done.out + done.err

    async def held(self, service: str, stream: UUID) -> list[str]:
        """Return the lines that `joint held list` prints about a stream."""
        listed = await self.joint("held", "list", "--service", service)
        return [line for line in listed.splitlines() if str(stream) in line]

    async def dead(self, service: str, stream: UUID, event: int) -> str:
        """Return the number of a stream's dead letter, once there is one."""
        pattern = re.compile(rf"{service} (\d+)  dead .* event {event}  ")

        async def found() -> bool:
            return any(pattern.match(line) for line in await self.held(service, stream))

        await reaches(found, True)
        return next(match.group(1) for line in await self.held(service, stream) if (match := pattern.match(line)))

    async def announced(self, service: Service, kind: type[M], stream: UUID) -> list[M]:
        """Return what the service's topic of dead letters says of a stream in messages of this kind."""
        found: list[M] = []
        async for records in Inside(stage=self.stage, service=service).read_topic(f"{service}.dead-letters"):
            for record in records:
                event = read_event(record.headers, record.value)
                if MESSAGES[event.type] is kind and event.subject == str(stream):
                    found.append(msgspec.json.decode(event.data or b"", type=kind))
        return found

    def asks(self, process: str, path: str) -> httpx.Response:
        """Return what a process answers to whoever watches it."""
        return httpx.get(f"{self.stage.processes[process]}{path}", trust_env=False)

    def gauge(self, name: str, **labels: str) -> float | None:
        for family in text_string_to_metric_families(self.asks(WORKER, "/metrics").text):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return float(sample.value)
        return None

    async def roll_out(self) -> None:
        """Start the worker of dispatch as the release is now; the supervisor does it when the old one ends."""
        file = self.stage.home.pid_file(WORKER)
        old = remembered_process(file)
        assert old is not None
        old.terminate()

        async def ready() -> bool:
            new = remembered_process(file)
            try:
                return new is not None and new.pid != old.pid and self.asks(WORKER, "/readyz").status_code == 200
            except httpx.TransportError:
                return False

        await reaches(ready, True, seconds=60)

    async def report(self, **changes: object) -> UUID:
        async with Door(self.stage.api, self.stage.token(SOURCE, SOURCE, "source")) as door:
            reply = await door.post("intake", "/v1/reports", report_body(**changes), key=str(new_id()))
        return UUID(reply.document["subject"])

    async def reaches_dispatch(self, case_id: UUID) -> None:
        async with self.stage.reader() as door:

            async def status() -> int:
                return (await door.get("dispatch", f"/v1/cases/{case_id}")).status

            await reaches(status, 200)

    async def read_after(self, case_id: UUID, sequence: int) -> tuple[int, str | None]:
        """Return how dispatch answers a read of the case after that event of its report."""
        token = self.stage.token("test", "supervision-centre", "evaluator")
        async with httpx.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {token}"}) as client:
            after = {"after": f"{INTAKE_REPORTS}:{case_id}:{sequence}"}
            answer = await client.get(f"{self.stage.api['dispatch']}/v1/cases/{case_id}", params=after)
        return answer.status_code, answer.json().get("state")


@pytest.fixture
async def operator(stage: Stage, release: Path) -> AsyncIterator[Operator]:
    yield Operator(stage)
    bug_of(release).unlink(missing_ok=True)


async def test_a_message_that_a_release_cannot_handle_waits_for_one_that_can(operator: Operator, release: Path) -> None:
    bug_of(release).touch()
    await operator.roll_out()
    held = await operator.report(campaign=CAMPAIGN)
    await operator.reaches_dispatch(await operator.report())
    number = await operator.dead("dispatch", held, 3)
    await operator.joint("forget", str(held), "--reason", "The reporter asked for it.")

    async def waiting() -> int:
        return len(await operator.held("dispatch", held))

    await reaches(waiting, 2)
    await the_alarm_is_raised(operator, held)
    shown = await operator.joint("held", "show", number, "--service", "dispatch")
    assert re.search(r"^why +crashed: .*ZeroDivisionError: division by zero$", shown, re.MULTILINE)
    assert re.search(r"^behind it +1$", shown, re.MULTILINE)
    assert CAMPAIGN not in shown
    assert CAMPAIGN in await operator.joint("held", "show", number, "--service", "dispatch", "--content")
    assert "streams held: 1." in await operator.joint("verify")
    await operator.joint("rebuild")

    retry = ("held", "retry", number, "--service", "dispatch", "--reason")
    assert "failed again" in await operator.joint(*retry, "Try it.", code=1)
    bug_of(release).unlink()
    await operator.roll_out()
    assert "was handled" in await operator.joint(*retry, "Release 2 handles it.")

    await operator.reaches_dispatch(held)
    assert await operator.read_after(held, 4) == (200, None)
    assert await operator.held("dispatch", held) == []
    await eventually(
        lambda: operator.gauge("joint_ledger_held_now", consumer="dispatch.events", state="dead") == 0, "no alarm"
    )
    assert "dispatch" in await operator.joint("verify")
    assert "Everything is equal" in await operator.joint("rebuild")


async def the_alarm_is_raised(operator: Operator, stream: UUID) -> None:
    """Metric, log, announcement, readiness and status tell of one dead letter; the worker goes on."""
    for state in ("dead", "waiting"):
        labels = {"consumer": "dispatch.events", "state": state}
        await eventually(
            lambda labels=labels: operator.gauge("joint_ledger_held_now", **labels) == 1,  # type: ignore[misc]
            f"the gauge of {state} messages",
        )
    assert operator.gauge("joint_ledger_messages_held_total", consumer="dispatch.events", reason="crashed") == 1
    log = operator.stage.home.log(WORKER).read_text().splitlines()
    lines = [json.loads(line) for line in log if "ledger.held" in line]
    assert (lines[-1]["stream"], lines[-1]["sequence"], lines[-1]["reason"]) == (str(stream), 3, "crashed")

    async def announced() -> list[tuple[int, str]]:
        return [(one.sequence, one.reason) for one in await operator.announced("dispatch", MessageHeld, stream)]

    await reaches(announced, [(3, "crashed")])
    ready = operator.asks(WORKER, "/readyz")
    assert (ready.status_code, "1 of dispatch.events" in ready.json()["notices"]["held"]) == (200, True)
    status = await operator.joint("status")
    assert re.search(rf"^{WORKER} .* 1 +1$", status, re.MULTILINE)
    assert "`joint held list` shows them" in status
    assert await operator.read_after(stream, 3) == (202, "held")


async def test_a_message_that_cannot_be_read_is_given_up_with_a_reason_and_its_stream_goes_on(
    operator: Operator,
) -> None:
    stream = await poison(operator.stage)
    await operator.reaches_dispatch(await operator.report())
    services: tuple[Service, ...] = ("dispatch", "analytics")
    numbers = {service: await operator.dead(service, stream, 2) for service in services}
    assert await held_streams(operator) == 1
    assert "not an event of ours" in await operator.joint("verify", code=1)
    rebuilt = await operator.joint("rebuild")
    assert "streams held: 1 live, 1 rebuilt." in rebuilt
    assert "Everything is equal" in rebuilt

    for service, number in numbers.items():
        skip = ("held", "skip", number, "--service", service, "--reason")
        assert "Say why" in await operator.joint(*skip, " ", code=2)
        assert "went on after event 2" in await operator.joint(*skip, "Not an event of intake.")

    await operator.reaches_dispatch(stream)
    assert await operator.read_after(stream, 3) == (200, None)
    await reaches(lambda: held_streams(operator), 0)
    rebuilt = await operator.joint("rebuild")
    assert "left out on both sides: 1." in rebuilt
    assert "Everything is equal" in rebuilt
    history = [line for line in (await operator.joint("held", "history")).splitlines() if str(stream) in line]
    assert len(history) == 2
    assert all(re.search(r"  skip  .* event 2  Not an event of intake\.$", line) for line in history)
    for service in services:

        async def audited(service: Service = service) -> list[tuple[str, str]]:
            return [(one.act, one.reason) for one in await operator.announced(service, MessageDealtWith, stream)]

        await reaches(audited, [("skip", "Not an event of intake.")])


async def held_streams(operator: Operator) -> int:
    async with operator.stage.reader() as door:
        reply = await door.get("analytics", "/v1/indicators/closure")
    return int(reply.document["counted"]["held_streams"])


async def poison(stage: Stage) -> UUID:
    """Publish a filed report whose second event cannot be read, as intake; return its stream."""
    stream = new_id()
    records = [as_record(INTAKE_REPORTS, event) for event in envelopes(stream, filed_events(code=FIRE_LANE))]
    records[1] = msgspec.structs.replace(records[1], headers=(), value=b"\x00\xff no event")
    connection: KafkaConnection = stage.broker("intake").connection("test.intake")
    producer = connection.producer()
    await producer.start()
    try:
        for record in offset_all(records):
            await producer.send_and_wait(
                record.topic, value=record.value, key=record.key, headers=list(record.headers), partition=0
            )
    finally:
        await producer.stop()
    return stream


async def test_a_message_that_is_not_held_cannot_be_given_up(operator: Operator) -> None:
    said = await operator.joint("held", "skip", "999999", "--service", "dispatch", "--reason", "A mistake.", code=2)
    assert "No held message has the number 999999" in said
