"""Decide a unit of commands in memory: all of them, or none of them (I-5). Knows neither SQL nor Kafka."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from shared.contracts.common import Answer, Event, FieldProblem, Position, Receipt
from shared.contracts.decisions import Serial
from shared.contracts.envelope import CloudEvent, binary_headers
from shared.contracts.library import ReferenceLibrary
from shared.contracts.registry import ANSWERED, party_uri, type_name
from shared.kernel.errors import Refusal
from shared.kernel.identifiers import named_text, new_id
from shared.ledger.aggregate import Context, Effect, ForgetPrivate, KeepPrivate, Publish
from shared.ledger.commands import Cause, Command, ReceiptTo
from shared.ledger.draft import Draft, EventRow, OutboxRow, PrivateRow, RequestRow, StreamState
from shared.ledger.hashchain import chained
from shared.ledger.vault import Vault
from shared.observability import metrics

_CONTENT_KEPT: Final = 1
_CONTENT_FORGOTTEN: Final = 2


class PolicyRefusedError(Exception):
    """A policy's command was refused: its decider must answer with an event in every state (design section 1)."""


class Decider:
    """Decides commands against what was loaded and what the batch decided before."""

    def __init__(
        self,
        *,
        service: str,
        vault: Vault,
        library: ReferenceLibrary,
        now: datetime,
        states: Mapping[UUID, StreamState],
        requests: Mapping[tuple[str, str], RequestRow],
        serials: Iterator[Serial],
    ) -> None:
        self._source = party_uri_of(service)
        self._vault = vault
        self._library = library
        self.now = now
        self._loaded_states = states
        self._loaded_requests = requests
        self._serials = serials
        self.draft = Draft()
        self._outcomes: Counter[tuple[str, str]] = Counter()

    def decide_unit(self, commands: Sequence[Command], *, refusable: bool) -> list[Answer]:
        """Decide the commands in order; a later one sees what an earlier one did.

        Raises:
            PolicyRefusedError: if one is refused and `refusable` is false.
            Exception: whatever a decider raises; then nothing of the unit was kept.
        """
        unit = Draft()
        answers = []
        outcomes = []
        for command in commands:
            fingerprint = None if command.request is None else self._vault.fingerprint(command.request.digest)
            known = self._known(command, unit)
            answer = self._answer(command, known, fingerprint, unit)
            if answer.outcome == "refused" and not refusable:
                raise PolicyRefusedError(f"{type(command.body).__name__} was refused: {answer.code}: {answer.detail}")
            if command.receipt is not None:
                unit.outbox.append(self._receipt(command, command.receipt, fingerprint, answer))
            answers.append(answer)
            outcomes.append((command.aggregate, "repeated" if known and answer is known.answer else answer.outcome))
        self.draft.merge(unit)
        for outcome in outcomes:
            self._outcomes[outcome] += 1
        return answers

    def count(self) -> None:
        """Count what was decided: once, when it was written."""
        for (aggregate, outcome), number in self._outcomes.items():
            metrics.COMMANDS.labels(aggregate, outcome).inc(number)

    def _known(self, command: Command, unit: Draft) -> RequestRow | None:
        if command.request is None:
            return None
        key = (command.request.party, command.request.key)
        return unit.requests.get(key) or self.draft.requests.get(key) or self._loaded_requests.get(key)

    def _answer(self, command: Command, known: RequestRow | None, fingerprint: bytes | None, unit: Draft) -> Answer:
        request = command.request
        if request is None or fingerprint is None:
            return self._decide(command, unit)
        if known is None:
            answer = self._decide(command, unit)
            unit.requests[request.party, request.key] = RequestRow(
                party=request.party, key=request.key, digest=fingerprint, answer=answer
            )
            return answer
        if known.digest == fingerprint:
            return known.answer
        return Answer(
            outcome="refused",
            code="key_reused",
            detail=f"The key {request.key} was used before for another message; nothing was changed. Use a new key.",
            subject=known.answer.subject,
        )

    def _decide(self, command: Command, unit: Draft) -> Answer:
        if command.refusal is not None:
            return refused(command.refusal)
        before = self._state(command, unit)
        now = max(self.now, before.changed_at) if before.changed_at else self.now
        context = Context(
            stream=command.stream,
            now=now,
            at=command.counts_as_of or now,
            actor=command.actor,
            library=self._library,
            serial=self._serial(command, before),
        )
        decision = before.aggregate.decide(before.state, command.body, context)
        if isinstance(decision, Refusal):
            return refused(decision, command.stream if before.sequence else None)
        after = before
        for event in decision:
            after = self._record(after, event, command, now, unit)
        unit.states[command.stream] = after
        return Answer(
            outcome="accepted",
            subject=command.stream,
            position=Position(topic=after.aggregate.topic, stream=command.stream, sequence=after.sequence),
        )

    def _serial(self, command: Command, before: StreamState) -> Serial | None:
        begins = before.sequence == 0 and isinstance(command.body, before.aggregate.numbered)
        return next(self._serials) if begins else None

    def _state(self, command: Command, unit: Draft) -> StreamState:
        stream = command.stream
        return unit.states.get(stream) or self.draft.states.get(stream) or self._loaded_states[stream]

    def _record(self, before: StreamState, event: Event, command: Command, now: datetime, unit: Draft) -> StreamState:
        aggregate = before.aggregate
        state = aggregate.evolve(before.state, event)
        row = self._event_row(before, event, command.cause, now)
        envelope = envelope_of(row, source=self._source, previous=before.head if before.sequence else None)
        unit.events.append(row)
        unit.outbox.append(_outbox(aggregate.topic, envelope))
        for number, effect in enumerate(aggregate.effects(state, event, command.body)):
            self._effect(effect, row, envelope, number, unit)
        return StreamState(
            aggregate=aggregate,
            stream=before.stream,
            sequence=row.sequence,
            head=row.hash,
            changed_at=now,
            state=state,
        )

    def _event_row(self, before: StreamState, event: Event, cause: Cause, now: datetime) -> EventRow:
        identity = new_id()
        data = msgspec.json.encode(event)
        sequence = before.sequence + 1
        name = type_name(type(event))
        return EventRow(
            stream=before.stream,
            sequence=sequence,
            aggregate=before.aggregate.name,
            event=identity,
            type=name,
            occurred_at=now,
            correlation=cause.correlation,
            causation=cause.causation,
            traceparent=cause.traceparent,
            data=data,
            hash=chained(
                before.head, event=identity, stream=before.stream, sequence=sequence, type_=name, at=now, data=data
            ),
        )

    def _effect(self, effect: Effect, row: EventRow, event: CloudEvent, number: int, unit: Draft) -> None:
        match effect:
            case Publish():
                data = msgspec.json.encode(effect.message)
                beside = _beside(event, effect.topic, number, type_name(type(effect.message)), data)
                unit.outbox.append(
                    OutboxRow(topic=effect.topic, key=effect.key, headers=tuple(binary_headers(beside)), value=data)
                )
            case KeepPrivate():
                sealed = self._vault.seal(effect.private)
                unit.private.append(PrivateRow(stream=row.stream, sealed=sealed, revision=_CONTENT_KEPT))
                data = msgspec.json.encode(effect.shared)
                name = type_name(type(effect.shared))
                beside = _beside(event, effect.topic, number, name, data, sequence=_CONTENT_KEPT)
                unit.outbox.append(_outbox(effect.topic, beside))
            case ForgetPrivate():
                unit.private.append(PrivateRow(stream=row.stream, sealed=None, revision=_CONTENT_FORGOTTEN))
                beside = _beside(event, effect.topic, number, effect.type, None, sequence=_CONTENT_FORGOTTEN)
                unit.outbox.append(_outbox(effect.topic, beside))

    def _receipt(self, command: Command, to: ReceiptTo, fingerprint: bytes | None, answer: Answer) -> OutboxRow:
        name = to.request or to.record
        receipt = Receipt(request=to.request, record=to.record if to.request is None else None, answer=answer)
        data = msgspec.json.encode(receipt)
        event = CloudEvent(
            id=named_text("receipt", to.party, name, fingerprint.hex() if fingerprint else ""),
            source=self._source,
            type=ANSWERED,
            subject=str(answer.subject) if answer.subject else None,
            time=self.now,
            correlationid=command.cause.correlation,
            causationid=to.request,
            traceparent=command.cause.traceparent,
            data=data,
        )
        return OutboxRow(topic=to.topic, key=name.encode(), headers=tuple(binary_headers(event)), value=data)


def refused(refusal: Refusal, subject: UUID | None = None) -> Answer:
    """Return the answer that tells a refusal."""
    return Answer(
        outcome="refused",
        subject=subject,
        code=refusal.code,
        detail=refusal.detail,
        errors=tuple(
            FieldProblem(field=error.field, code=error.code, message=error.message) for error in refusal.errors
        ),
        revision=refusal.revision,
    )


def party_uri_of(service: str) -> str:
    """Return the CloudEvents source of a service."""
    return party_uri("services", service)


def envelope_of(row: EventRow, *, source: str, previous: bytes | None) -> CloudEvent:
    """Return the published form of a stored event; `previous` is its predecessor's hash, None for the first."""
    stream = str(row.stream)
    return CloudEvent(
        id=str(row.event),
        source=source,
        type=row.type,
        subject=stream,
        time=row.occurred_at,
        sequence=row.sequence,
        partitionkey=stream,
        correlationid=row.correlation,
        causationid=row.causation,
        traceparent=row.traceparent,
        previoushash=previous.hex() if previous else None,
        data=row.data,
    )


def _beside(
    event: CloudEvent, topic: str, number: int, name: str, data: bytes | None, sequence: int | None = None
) -> CloudEvent:
    """Return what is published beside an event, as its effect `number`."""
    return CloudEvent(
        id=named_text("beside", event.id, topic, str(number)),
        source=event.source,
        type=name,
        subject=event.subject,
        time=event.time,
        sequence=sequence,
        correlationid=event.correlationid,
        causationid=event.id,
        traceparent=event.traceparent,
        data=data,
    )


def _outbox(topic: str, event: CloudEvent) -> OutboxRow:
    return OutboxRow(
        topic=topic,
        key=(event.subject or "").encode(),
        headers=tuple(binary_headers(event)),
        value=event.data,
    )
