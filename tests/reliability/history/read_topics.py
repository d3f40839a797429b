"""Read the topics, each record by its headers alone: nothing here decodes with the services' own classes."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.contracts.records import Record
from shared.messaging.connection import KafkaConnection
from shared.messaging.reader import read_all
from tests.reliability.history.facts import (
    CONTENTS,
    DOORS,
    STREAM_TOPICS,
    Incoming,
    Published,
    Receipt,
    Task,
    heard,
    place_of,
)

ANSWERED = "jointenforcement.request.answered.v1"
TASK = "jointenforcement.task.changed.v1"
_PARTIES = {"intake.submissions.": "/joint/sources/", "dispatch.actions.": "/joint/departments/"}


@dataclass(slots=True)
class Topics:
    """What the topics hold."""

    published: list[Published] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    incoming: list[Incoming] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    contents: dict[str, tuple[int, bytes | None]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Take a record of any of them."""
        if record.topic in STREAM_TOPICS:
            event = published(record)
            if event is None:
                self.strangers.append(place_of(record))
            else:
                self.published.append(event)
        elif record.topic == CONTENTS:
            self._content(record)
        elif record.topic.startswith(tuple(DOORS)):
            self.incoming.append(incoming(record))
        elif record.topic.startswith(tuple(DOORS.values())):
            self._answer(record)

    def _content(self, record: Record) -> None:
        stream, revision = (record.key or b"").decode(), int(headers_of(record).get("ce_sequence") or 0)
        if self.contents.get(stream, (0, b""))[0] <= revision:
            self.contents[stream] = (revision, record.value)

    def _answer(self, record: Record) -> None:
        headers, document = headers_of(record), json.loads(record.value or b"{}")
        if headers["ce_type"] == ANSWERED:
            self.receipts.append(receipt(record, document))
        elif headers["ce_type"] == TASK:
            self.tasks.append(_task(record, headers, document))


async def read_topics(connection: KafkaConnection, topics: Sequence[str]) -> Topics:
    """Read these topics from their beginning to their end."""
    found = Topics()
    async for batch in read_all(connection, topics):
        for record in batch:
            found.add(record)
    return found


def headers_of(record: Record) -> dict[str, str]:
    """Return the headers as texts; bytes that are no UTF-8 are replaced."""
    return {name.lower(): (value or b"").decode("utf-8", "replace") for name, value in record.headers}


def digest_of(headers: Sequence[tuple[str, bytes | None]], value: bytes | None) -> bytes:
    """Return the SHA-256 of headers, in any order, and value."""
    digest = hashlib.sha256()
    for name, header in sorted(headers):
        digest.update(b"%d %s %d %s " % (len(name), name.encode(), len(header or b""), header or b""))
    digest.update(value or b"")
    return digest.digest()


def published(record: Record) -> Published | None:
    """Return the event of a record of ours; None where it is none."""
    headers = headers_of(record)
    sequence, stream = headers.get("ce_sequence", ""), (record.key or b"").decode("utf-8", "replace")
    if not sequence.isdigit() or headers.get("ce_subject") != stream or record.value is None:
        return None
    return Published(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        stream=stream,
        sequence=int(sequence),
        id=headers.get("ce_id", ""),
        type=headers.get("ce_type", ""),
        time=headers.get("ce_time", ""),
        causation=headers.get("ce_causationid"),
        correlation=headers.get("ce_correlationid"),
        previous=headers.get("ce_previoushash"),
        document=record.value,
        digest=digest_of(record.headers, record.value),
    )


def incoming(record: Record) -> Incoming:
    """Return what an outside party sent: its id counts if it can be read and if the party speaks for itself."""
    headers, place = headers_of(record), place_of(record)
    attributes: Any = {name[3:]: text for name, text in headers.items() if name.startswith("ce_")}
    if headers.get("content-type", "").startswith("application/cloudevents"):
        try:
            attributes = json.loads(record.value or b"")
        except ValueError:
            attributes = {}
    prefix = next(prefix for prefix in DOORS if record.topic.startswith(prefix))
    speaks = _PARTIES[prefix] + record.topic.removeprefix(prefix)
    own = isinstance(attributes, dict) and attributes.get("source") == speaks
    return Incoming(topic=record.topic, place=place, request=str(attributes.get("id", "")) or None if own else None)


def receipt(record: Record, document: dict[str, Any]) -> Receipt:
    """Return a receipt."""
    return Receipt(
        topic=record.topic,
        place=place_of(record),
        request=document.get("request"),
        record=document.get("record"),
        answer=heard(document["answer"]),
        content=json.dumps(document["answer"], sort_keys=True).encode(),
    )


def _task(record: Record, headers: dict[str, str], document: dict[str, Any]) -> Task:
    return Task(
        unit=record.topic.removeprefix("dispatch.receipts."),
        id=headers["ce_id"],
        event=headers.get("ce_causationid", ""),
        case=document["case_id"],
        number=document.get("case_number"),
        leg=document["leg"],
        change=document["change"],
    )
