"""Doors of outside parties that write into the history whatever goes out and comes back, over topics and over HTTP."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import msgspec
from aiokafka.errors import KafkaError

from deploy.campaign.door import Door
from deploy.campaign.stage import Stage
from shared.contracts.common import Receipt
from shared.contracts.envelope import CloudEvent, binary_headers, read_event
from shared.contracts.records import Record
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
from shared.messaging.client import Mode, PartyClient, structured
from tests.reliability.history.actions import History
from tests.support.parties import Party

_PATIENCE_SECONDS: Final = 200.0
_PAUSE_SECONDS: Final = 0.3
_NOT_NOW: Final = 500


class RecordedClient(PartyClient):
    """A party's connection that writes into the history what it sends and hears."""

    def __init__(self, history: History, uri: str, **place: Any) -> None:  # noqa: ANN401 - those of PartyClient
        super().__init__(**place)
        self._history = history
        self._uri = uri

    async def send(self, event: CloudEvent, *, mode: Mode = "binary") -> None:
        """Publish the event; again under its id for as long as the broker does not say that it has it."""
        while True:
            self._history.sent(door="topic", party=self._uri, key=event.id, digest=_digest(event.data or b""))
            try:
                await self._send_once(event, mode)
            except KafkaError as error:
                self._history.unknown(door="topic", party=self._uri, key=event.id, reason=type(error).__name__)
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return

    async def _send_once(self, event: CloudEvent, mode: Mode) -> None:
        headers, value = (binary_headers(event), event.data) if mode == "binary" else structured(event)
        placed = await self._producer.send_and_wait(self._outgoing, value=value, headers=headers, partition=0)
        place = f"{self._outgoing}[0]@{placed.offset}"
        self._history.placed(party=self._uri, key=event.id, place=place)

    async def receive(self) -> AsyncIterator[Record]:
        """Yield what arrives, after receipts were written down."""
        async for record in super().receive():
            event = read_event(record.headers, record.value)
            if event.type == ANSWERED:
                self._heard(msgspec.json.decode(event.data or b"", type=Receipt))
            yield record

    def _heard(self, receipt: Receipt) -> None:
        answer = receipt.answer
        position = answer.position
        self._history.answered(
            door="topic",
            party=self._uri,
            key=receipt.request or f"record:{receipt.record}",
            outcome=answer.outcome,
            code=answer.code,
            subject=str(answer.subject) if answer.subject else None,
            position=f"{position.topic}:{position.stream}:{position.sequence}" if position else None,
        )


_CERTIFICATES: Final = httpx.create_ssl_context(trust_env=False)
"""Read once: each client would read them again, which takes longer than most of what it is asked for."""


class RecordedTransport(httpx.AsyncHTTPTransport):
    """HTTP that writes every write and its answer into the history; the party is the token's client."""

    def __init__(self, history: History, client: str) -> None:
        super().__init__(verify=_CERTIFICATES)
        self._history = history
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send; what is not an answer (no connection, or a service that says "not now") is unknown."""
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return await super().handle_async_request(request)
        self._history.sent(door="http", party=self._client, key=key, digest=_digest(request.content))
        try:
            response = await super().handle_async_request(request)
            document = await response.aread()
        except httpx.TransportError as error:
            self._unknown(key, type(error).__name__)
            raise
        if response.status_code >= _NOT_NOW:
            self._unknown(key, str(response.status_code))
        else:
            self._heard(key, response.status_code, msgspec.json.decode(document))
        return httpx.Response(response.status_code, headers=response.headers, content=document, request=request)

    def _unknown(self, key: str, reason: str) -> None:
        self._history.unknown(door="http", party=self._client, key=key, reason=reason)

    def _heard(self, key: str, status: int, document: Mapping[str, Any]) -> None:
        self._history.answered(
            door="http",
            party=self._client,
            key=key,
            outcome=document.get("outcome", "refused"),
            code=document.get("code"),
            subject=document.get("subject"),
            position=position_of(document),
            status=status,
        )


def position_of(document: Mapping[str, Any]) -> str | None:
    """Return an answer's position as `after=` takes it."""
    position = document.get("position")
    return f"{position['topic']}:{position['stream']}:{position['sequence']}" if position else None


def a_door(
    stage: Stage, history: History, client: str, unit: str, post: str, api: Mapping[str, str] | None = None
) -> Door:
    """Return a client program's way to the APIs, at a post of a unit; `api` names other addresses of services."""
    return Door(
        {**stage.api, **(api or {})}, stage.token(client, unit, post), transport=RecordedTransport(history, client)
    )


@asynccontextmanager
async def a_source(stage: Stage, history: History, name: str, since: datetime | None = None) -> AsyncIterator[Party]:
    """Connect as a source of reports; receipts are heard since then, else from now on."""
    uri = party_uri("sources", name)
    topics = {"outgoing": SUBMISSIONS_PREFIX + name, "incoming": INTAKE_RECEIPTS_PREFIX + name}
    async with _listening(stage, history, source_principal(name), uri, topics, since) as party:
        yield party


@asynccontextmanager
async def a_department(stage: Stage, history: History, name: str) -> AsyncIterator[Party]:
    """Connect as a department."""
    uri = party_uri("departments", name)
    topics = {"outgoing": ACTIONS_PREFIX + name, "incoming": DISPATCH_RECEIPTS_PREFIX + name}
    async with _listening(stage, history, department_principal(name), uri, topics) as party:
        yield party


@asynccontextmanager
async def _listening(
    stage: Stage,
    history: History,
    principal: str,
    uri: str,
    topics: dict[str, str],
    since: datetime | None = None,
) -> AsyncIterator[Party]:
    connection = stage.broker(principal).connection(f"load.{principal}")
    client = RecordedClient(history, uri, connection=connection, since=since or datetime.now(UTC), **topics)
    async with client:
        party = Party(client, uri)
        listening = asyncio.create_task(party.listen())
        try:
            yield party
        finally:
            listening.cancel()
            await asyncio.wait([listening])


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
