"""Outside parties in tests: a source or a department on its own topics, that keeps every receipt and task."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from deploy.campaign.stage import Stage
from shared.contracts.common import Answer, Receipt
from shared.contracts.envelope import CloudEvent, Header, read_event
from shared.contracts.intake import ReportSubmission
from shared.contracts.registry import (
    ACTIONS_PREFIX,
    ANSWERED,
    DISPATCH_RECEIPTS_PREFIX,
    INTAKE_RECEIPTS_PREFIX,
    SUBMISSIONS_PREFIX,
    department_principal,
    party_uri,
    source_principal,
)
from shared.contracts.tasks import TaskChanged
from shared.kernel.identifiers import new_id
from shared.messaging.client import Mode, PartyClient
from tests.support.patience import pauses

SECONDS: Final = 30.0


def report_body(**changes: object) -> dict[str, Any]:
    """Return a complete report of exposed rubbish, which sanitation leads; None leaves a field out."""
    body: dict[str, Any] = {
        "category": {"system": "jiaohe", "code": "E0110"},
        "place": {"longitude": 127.344, "latitude": 43.724, "street": "220281001", "community": "220281001001"},
        "observed_at": (datetime.now(UTC) - timedelta(minutes=5)).isoformat(),
        "description": "垃圾裸露",
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


async def eventually(condition: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Return when the condition holds; fail when it does not in time."""
    try:
        async with asyncio.timeout(seconds):
            for pause in pauses():
                if condition():
                    return
                await asyncio.sleep(pause)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:.0f} s: {what}") from None


async def reaches(read: Callable[[], Awaitable[object]], wanted: object, seconds: float = SECONDS) -> None:
    """Return when what is read again and again is what is wanted; fail with what it is when it is not in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    for pause in pauses():
        if (found := await read()) == wanted:
            return
        assert asyncio.get_running_loop().time() < deadline, f"wanted {wanted}, found {found} after {seconds:.0f} s"
        await asyncio.sleep(pause)


class Party:
    """A party on its own topics. `uri` is how it signs its events."""

    def __init__(self, client: PartyClient, uri: str) -> None:
        self._client = client
        self.uri = uri
        self.receipts: list[Receipt] = []
        self.tasks: list[TaskChanged] = []

    async def listen(self) -> None:
        """Keep what arrives, for ever."""
        async for record in self._client.receive():
            event = read_event(record.headers, record.value)
            if event.type == ANSWERED:
                self.receipts.append(msgspec.json.decode(event.data or b"", type=Receipt))
            elif event.type == TaskChanged.type:
                self.tasks.append(msgspec.json.decode(event.data or b"", type=TaskChanged))

    async def send(
        self,
        data: object,
        *,
        type_: str = ReportSubmission.type,
        id_: str | None = None,
        source: str | None = None,
        mode: Mode = "binary",
    ) -> str:
        """Publish an event and return its id; `data` as bytes is sent as it is."""
        id_ = id_ or str(new_id())
        raw = data if isinstance(data, bytes) else msgspec.json.encode(data)
        await self._client.send(CloudEvent(id=id_, source=source or self.uri, type=type_, data=raw), mode=mode)
        return id_

    async def send_raw(self, headers: list[Header], value: bytes | None, key: bytes | None = None) -> None:
        """Publish exactly these bytes."""
        await self._client.send_raw(headers, value, key=key)

    async def answer(self, id_: str) -> Answer:
        """Return the one answer to an event."""
        await eventually(lambda: self.answers(id_), f"a receipt for {id_}")
        return self.answers(id_)[0]

    def answers(self, id_: str | None) -> list[Answer]:
        """Return every answer to an event so far; None: to records whose id could not be read."""
        return [receipt.answer for receipt in self.receipts if receipt.request == id_]

    async def task(self, case_id: UUID, change: str) -> TaskChanged:
        """Return the message that tells of this change of the party's leg."""

        def found() -> list[TaskChanged]:
            return [task for task in self.tasks if task.case_id == case_id and task.change == change]

        await eventually(found, f"the task {case_id} {change}")
        return found()[0]


@asynccontextmanager
async def a_source(stage: Stage, source: str) -> AsyncIterator[Party]:
    """Connect as a source of reports."""
    client = PartyClient(
        stage.broker(source_principal(source)).connection(f"test.{source}"),
        outgoing=SUBMISSIONS_PREFIX + source,
        incoming=INTAKE_RECEIPTS_PREFIX + source,
        since=datetime.now(UTC),
    )
    async with _listening(client, party_uri("sources", source)) as party:
        yield party


@asynccontextmanager
async def a_department(stage: Stage, unit: str) -> AsyncIterator[Party]:
    """Connect as a department."""
    client = PartyClient(
        stage.broker(department_principal(unit)).connection(f"test.{unit}"),
        outgoing=ACTIONS_PREFIX + unit,
        incoming=DISPATCH_RECEIPTS_PREFIX + unit,
        since=datetime.now(UTC),
    )
    async with _listening(client, party_uri("departments", unit)) as party:
        yield party


@asynccontextmanager
async def _listening(client: PartyClient, uri: str) -> AsyncIterator[Party]:
    async with client:
        party = Party(client, uri)
        listening = asyncio.create_task(party.listen())
        try:
            yield party
        finally:
            listening.cancel()


def found(errors: Any, field: str, code: str) -> bool:  # noqa: ANN401 - of an answer or of a document
    """Tell whether an error with this code is about the field or a part of it."""
    pairs = [
        (error["field"], error["code"]) if isinstance(error, dict) else (error.field, error.code) for error in errors
    ]
    return any(name.startswith(field) and said == code for name, said in pairs)


async def refused(party: Party, data: object, **how: Any) -> Answer:  # noqa: ANN401 - of `Party.send`
    """Send and return the refusal, which changed nothing."""
    answer = await party.answer(await party.send(data, **how))
    assert answer.outcome == "refused"
    assert answer.position is None
    return answer


async def reported(party: Party, **changes: object) -> UUID:
    """Report a problem and return its id, which is its case's."""
    answer = await party.answer(await party.send(report_body(**changes)))
    assert answer.outcome == "accepted"
    assert answer.subject is not None
    return answer.subject
