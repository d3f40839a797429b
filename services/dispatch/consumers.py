"""From records to commands: departments' acts and what cases ask of each other (total), and intake's events.

An act becomes a command of the department whose topic it came on, or a refusal that names every error; both get a
receipt on the department's receipts topic (I-3). What a case asks gets none: what cannot be read of it is held.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

from services.dispatch import policies
from services.dispatch.domain.acting import DISPATCH_ITSELF
from services.dispatch.domain.asking import command_of
from services.dispatch.domain.commands import OpenCase
from services.dispatch.tables import CASE
from shared.contracts import adjustments, dispatch, merges
from shared.contracts.common import Actor
from shared.contracts.decisions import Delivery, WaitForReference
from shared.contracts.dispatch import LegAction
from shared.contracts.envelope import CloudEvent, read_event
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.contracts.registry import (
    ACTIONS,
    ACTIONS_PREFIX,
    DISPATCH_RECEIPTS_PREFIX,
    department_principal,
    party_uri,
    type_name,
)
from shared.contracts.validation import decode
from shared.kernel.errors import FieldError, Refusal, Unreadable
from shared.kernel.identifiers import named_id
from shared.ledger.asks import Asks
from shared.ledger.commands import Command, ReceiptTo, caused_by, caused_by_record
from shared.ledger.policies import React
from shared.ledger.requests import request_of

_ACTS: Final[dict[str, type[LegAction]]] = {type_name(act): act for act in ACTIONS}
_OF_CENTRES: Final = (
    dispatch.CaseDispatched,
    adjustments.CaseRedispatched,
    adjustments.LegsAdded,
    dispatch.LegReturnRefused,
    dispatch.LegReturnUpheld,
    adjustments.LegRuled,
    dispatch.LegWaived,
    adjustments.LegSentBack,
    adjustments.LegExtended,
    adjustments.LegExtensionRefused,
    adjustments.LegSuspensionEndorsed,
    adjustments.LegSuspended,
    adjustments.LegSuspensionRefused,
    adjustments.CaseCheckAssigned,
    dispatch.CaseChecked,
    dispatch.CaseClosed,
    adjustments.CaseVoidProposed,
    adjustments.CaseVoidRefused,
    adjustments.CaseVoided,
    adjustments.CaseReopened,
    adjustments.CaseSupervised,
    adjustments.CaseEscalated,
    adjustments.LegAppealReviewed,
    merges.CaseMergeRequested,
    merges.CaseMerged,
    merges.CaseUnmerged,
)
"""What only people of the centres and of streets make happen, with a person's token."""
_CENTRE_ACTS: Final = frozenset(
    name for event in _OF_CENTRES for name in (type_name(event), type_name(event).replace(".case.leg_", ".leg."))
) | {"jointenforcement.leg.return_decided.v1"}
"""Whoever says so over a topic, of the case or in the form of a department's own acts, is told that it cannot be."""
translate_ask: Final = Asks(
    aggregate=CASE,
    actor=DISPATCH_ITSELF,
    message=merges.MergeAsked,
    stream_of=lambda asked: asked.case_id,
    command_of=command_of,
).translate
"""The command that a record of `dispatch.merges` asks for, in the name of the system."""


def translate(record: Record, _library: ReferenceLibrary) -> Command:
    """Return the command that a record of `dispatch.actions.<department>` asks for; never raises.

    Its request is (the department's URI, the CloudEvents id). A record that cannot be read, or that speaks for
    somebody else, has no id that counts: its request is its place.
    """
    department = record.topic.removeprefix(ACTIONS_PREFIX)
    try:
        event = read_event(record.headers, record.value)
    except Unreadable as unreadable:
        return _command(record, department, None, unreadable.refusal())
    if event.source != party_uri("departments", department):
        return _command(record, department, event, _wrong_source(event, department))
    return _command(record, department, event, _act(event))


def reaction(city: str) -> React:
    """Return the policy on `intake.reports`: a filed report opens a case, in the name of the system."""
    return partial(_react, city)


def _react(city: str, delivery: Delivery, library: ReferenceLibrary) -> Sequence[Command] | WaitForReference:
    opening = policies.open_case(city, delivery, library)
    if opening is None:
        return ()
    if isinstance(opening, WaitForReference):
        return opening
    return [_of_the_system(delivery, opening)]


def _of_the_system(delivery: Delivery, body: OpenCase) -> Command:
    return Command(aggregate=CASE, stream=body.case_id, body=body, actor=DISPATCH_ITSELF, cause=caused_by(delivery))


def _act(event: CloudEvent) -> LegAction | Refusal:
    act = _ACTS.get(event.type)
    if act is None:
        return _wrong_type(event)
    try:
        return decode(act, event.data)
    except Unreadable as unreadable:
        return unreadable.refusal()


def _wrong_type(event: CloudEvent) -> Refusal:
    if event.type in _CENTRE_ACTS:
        code, message = "centre_act_over_topic", "This is an act of a centre: it needs a person's token, over HTTP."
    else:
        code, message = "unknown_type", f"Send one of {', '.join(_ACTS)}."
    return Refusal(
        code=code,
        detail=f"{event.type} is not read on this topic. {message}",
        errors=(FieldError(field="ce_type", code=code, message=message),),
    )


def _wrong_source(event: CloudEvent, department: str) -> Refusal:
    expected = party_uri("departments", department)
    problem = FieldError(field="ce_source", code="wrong_source", message=f"On this topic the source is {expected}.")
    return Refusal(
        code="wrong_source", detail=f"{event.source} does not speak on the topic of {department}.", errors=(problem,)
    )


def _command(record: Record, department: str, event: CloudEvent | None, act: LegAction | Refusal) -> Command:
    party = party_uri("departments", department)
    refusal = act if isinstance(act, Refusal) else None
    return Command(
        aggregate=CASE,
        stream=_no_case(record) if isinstance(act, Refusal) else act.case_id,
        body=None if isinstance(act, Refusal) else act,
        actor=Actor(client=department_principal(department), unit=department, post="department"),
        cause=caused_by_record(record, event),
        request=request_of(record, event),
        receipt=ReceiptTo(
            topic=f"{DISPATCH_RECEIPTS_PREFIX}{department}",
            party=party,
            request=event.id if event else None,
            record=record.place,
        ),
        refusal=refusal,
        counts_as_of=record.timestamp,
        record=record,
    )


def _no_case(record: Record) -> UUID:
    return named_id("record", record.place)
