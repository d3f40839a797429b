"""From records to commands: what sources submit and what reports ask of each other (total), and what becomes of cases.

A submission, or the refusal that names every error, gets a receipt on the source's receipts topic (I-3). What a report
asks gets none: what cannot be read of it is held.
"""

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from services.intake import policies
from services.intake.domain.admission import missing_documents
from services.intake.domain.asking import command_of
from services.intake.domain.commands import Submit
from services.intake.domain.contents import SALT_BYTES
from services.intake.domain.report import AGGREGATE, INTAKE_ITSELF
from shared.contracts.common import Actor
from shared.contracts.decisions import Delivery
from shared.contracts.envelope import CloudEvent, read_event
from shared.contracts.intake import ReportSubmission
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.contracts.registry import INTAKE_RECEIPTS_PREFIX, SUBMISSIONS_PREFIX, party_uri
from shared.contracts.report_merges import ReportMergeAsked
from shared.contracts.validation import decode
from shared.kernel.errors import FieldError, Refusal, Unavailable, Unreadable
from shared.kernel.identifiers import new_id
from shared.ledger.asks import Asks
from shared.ledger.commands import Command, ReceiptTo, caused_by, caused_by_record
from shared.ledger.references import References
from shared.ledger.requests import request_of

Consume = Callable[[Sequence[Record]], Awaitable[None]]

translate_ask: Final = Asks(
    aggregate=AGGREGATE,
    actor=INTAKE_ITSELF,
    message=ReportMergeAsked,
    stream_of=lambda asked: asked.report_id,
    command_of=command_of,
).translate
"""The command that a record of `intake.merges` asks for, in the name of the system."""


def translate(record: Record, _library: ReferenceLibrary) -> Command:
    """Return the command that a record of `intake.submissions.<source>` asks for; never raises.

    Its request is (the source's URI, the CloudEvents id). A record that cannot be read, or that speaks for somebody
    else, has no id that counts: its request is its place.
    """
    source = record.topic.removeprefix(SUBMISSIONS_PREFIX)
    try:
        event = read_event(record.headers, record.value)
    except Unreadable as unreadable:
        return _command(record, source, None, unreadable.refusal())
    if event.source != party_uri("sources", source):
        return _command(record, source, event, _wrong_source(event, source))
    return _command(record, source, event, _submission(event))


def react(delivery: Delivery, _library: ReferenceLibrary) -> Sequence[Command]:
    """Answer an event of `dispatch.cases`: what a reporter waits for is told, in the name of the system."""
    telling = policies.tell_of_case(delivery)
    if telling is None:
        return ()
    return [
        Command(
            aggregate=AGGREGATE,
            stream=telling.report_id,
            body=telling,
            actor=INTAKE_ITSELF,
            cause=caused_by(delivery),
        )
    ]


def after_references(consume: Consume, references: References, city: str) -> Consume:
    """Return a consumer that reads nothing until the documents that decisions need have arrived (`Unavailable`)."""

    async def consume_after_references(records: Sequence[Record]) -> None:
        if missing_documents(references.library, city):
            problem = missing_documents(await references.refresh(), city)
            if problem is not None:
                raise Unavailable(problem)
        await consume(records)

    return consume_after_references


def _submission(event: CloudEvent) -> ReportSubmission | Refusal:
    if event.type != ReportSubmission.type:
        problem = FieldError(field="ce_type", code="unknown_type", message=f"Send {ReportSubmission.type}.")
        return Refusal(code="unknown_type", detail="No event of this type is read on this topic.", errors=(problem,))
    try:
        return decode(ReportSubmission, event.data)
    except Unreadable as unreadable:
        return unreadable.refusal()


def _wrong_source(event: CloudEvent, source: str) -> Refusal:
    expected = party_uri("sources", source)
    problem = FieldError(field="ce_source", code="wrong_source", message=f"On this topic the source is {expected}.")
    return Refusal(
        code="wrong_source", detail=f"{event.source} does not speak on the topic of {source}.", errors=(problem,)
    )


def _command(
    record: Record,
    source: str,
    event: CloudEvent | None,
    submission: ReportSubmission | Refusal,
) -> Command:
    report_id = new_id()
    refusal = submission if isinstance(submission, Refusal) else None
    body = None
    if not isinstance(submission, Refusal):
        body = Submit(report_id=report_id, channel="topic", submission=submission, salt=os.urandom(SALT_BYTES))
    receipt = ReceiptTo(
        topic=f"{INTAKE_RECEIPTS_PREFIX}{source}",
        party=party_uri("sources", source),
        request=event.id if event else None,
        record=record.place,
    )
    return Command(
        aggregate=AGGREGATE,
        stream=report_id,
        body=body,
        actor=Actor(client=source, unit=source, post="source"),
        cause=caused_by_record(record, event),
        request=request_of(record, event),
        receipt=receipt,
        refusal=refusal,
        counts_as_of=record.timestamp,
        record=record,
    )
