"""The connection of an outside party: its own principal, its outgoing topic and its receipts; CloudEvents both ways.

Nothing is lost between the two: sending repeats under the same id until the broker has it, and receiving begins at an
instant of the caller's choice, so that a party that starts again reads what it has not seen.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Final, Literal, Self

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from shared.contracts.envelope import JSON, MAXIMUM_BYTES, STRUCTURED, CloudEvent, Header, binary_headers
from shared.contracts.records import Record
from shared.messaging.connection import KafkaConnection
from shared.messaging.records import to_record

Mode = Literal["binary", "structured"]

_PARTITION: Final = 0
"""A party's topic has one partition."""
_PAUSE_SECONDS: Final = 0.5
_POLL_MILLISECONDS: Final = 200


class PartyClient:
    """One party on its own topics. Use as `async with`.

    `outgoing` is the topic it may write; `incoming` its receipts topic, read from `since` on.
    """

    def __init__(self, connection: KafkaConnection, *, outgoing: str, incoming: str, since: datetime) -> None:
        self._outgoing = outgoing
        self._incoming = TopicPartition(incoming, _PARTITION)
        self._since = since
        # What is too large is the service's to refuse, with a receipt; this client withholds nothing.
        self._producer = AIOKafkaProducer(
            **connection.client_arguments(), acks="all", linger_ms=5, max_request_size=2 * MAXIMUM_BYTES
        )
        self._consumer = AIOKafkaConsumer(**connection.client_arguments(), enable_auto_commit=False)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Connect, and stand on the receipts topic at `since`."""
        async with AsyncExitStack() as opening:
            await self._producer.start()
            opening.push_async_callback(self._producer.stop)
            await self._consumer.start()
            opening.push_async_callback(self._consumer.stop)
            self._consumer.assign([self._incoming])
            await self._stand_at(self._since)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect; what was sent is with the broker."""
        await self._open.aclose()

    async def send(self, event: CloudEvent, *, mode: Mode = "binary") -> None:
        """Publish the event on the party's own topic; return when the broker has it.

        A failed attempt is repeated with the same id for as long as the caller waits (I-2 makes repeats harmless).
        """
        headers, value = (binary_headers(event), event.data) if mode == "binary" else structured(event)
        while True:
            try:
                await self.send_raw(headers, value)
            except KafkaError:
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return

    async def send_raw(self, headers: list[Header], value: bytes | None, *, key: bytes | None = None) -> None:
        """Publish exactly these bytes, CloudEvent or not.

        Raises:
            KafkaError: when the broker does not take them.
        """
        await self._producer.send_and_wait(self._outgoing, value=value, key=key, headers=headers, partition=_PARTITION)

    async def receive(self) -> AsyncIterator[Record]:
        """Yield what arrives on the receipts topic, for ever; a broker that is away is waited for."""
        while True:
            try:
                batches = await self._consumer.getmany(timeout_ms=_POLL_MILLISECONDS)
            except KafkaError:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            for records in batches.values():
                for record in records:
                    yield to_record(record)

    async def _stand_at(self, since: datetime) -> None:
        # The end is read before the look-up: what arrives in between is neither found by it nor before the end.
        end = (await self._consumer.end_offsets([self._incoming]))[self._incoming]
        found = await self._consumer.offsets_for_times({self._incoming: int(since.timestamp() * 1000)})
        at = found.get(self._incoming)
        self._consumer.seek(self._incoming, end if at is None else at.offset)


def structured(event: CloudEvent) -> tuple[list[Header], bytes]:
    """Return headers and value of the event in structured mode (CloudEvents JSON format)."""
    attributes: dict[str, object] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "datacontenttype": JSON,
        "subject": event.subject,
        "time": None if event.time is None else event.time.isoformat(),
    }
    document = {name: value for name, value in attributes.items() if value is not None}
    if event.data is not None:
        document["data"] = msgspec.Raw(event.data)
    return [("content-type", f"{STRUCTURED}+json; charset=utf-8".encode())], msgspec.json.encode(document)
