"""What one aggregate asks of another of the same service, as that service reads it on a topic of its own (ADR 0018)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from shared.contracts.common import Actor
from shared.contracts.envelope import CloudEvent, read_event
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.contracts.registry import type_name
from shared.contracts.validation import decode
from shared.kernel.errors import Refusal, Unreadable
from shared.kernel.identifiers import named_id
from shared.ledger.commands import Command, caused_by_record
from shared.ledger.requests import party_of, request_of

M = TypeVar("M", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks(Generic[M]):
    """How a service reads what its aggregates ask: each `message` names the stream that is asked, and a command for it.

    `actor` is the service itself. `command_of` may raise `Unreadable`.
    """

    aggregate: str
    actor: Actor
    message: type[M]
    stream_of: Callable[[M], UUID]
    command_of: Callable[[M], object]

    def translate(self, record: Record, _library: ReferenceLibrary) -> Command:
        """Return the command that a record of the topic asks for, in the name of the service; never raises.

        Its request is (the service's URI, the CloudEvents id), so that it has its effect once (I-2). What cannot be
        read has no stream but its own, and gets no receipt: it is held.
        """
        event: CloudEvent | None = None
        body: object = None
        refusal: Refusal | None = None
        try:
            event = read_event(record.headers, record.value)
            asked = self._read(record, event)
            stream, body = self.stream_of(asked), self.command_of(asked)
        except Unreadable as unreadable:
            stream, refusal = named_id("record", record.place), unreadable.refusal()
        return Command(
            aggregate=self.aggregate,
            stream=stream,
            body=body,
            actor=self.actor,
            cause=caused_by_record(record, event),
            request=request_of(record, event),
            refusal=refusal,
            record=record,
        )

    def _read(self, record: Record, event: CloudEvent) -> M:
        if (event.source, event.type) != (party_of(record.topic), type_name(self.message)):
            raise Unreadable("unknown_type", f"{event.type} of {event.source} is not read on this topic.")
        return decode(self.message, event.data)
