"""Reference documents (catalogue, units, places): immutable, one version an event, published by an administrator."""

from dataclasses import dataclass
from typing import Final

import msgspec

from services.dispatch.domain.document_errors import unknown_fields
from services.dispatch.domain.reference_checks import check_document
from shared.contracts.common import Message
from shared.contracts.decisions import Context
from shared.contracts.reference import DOCUMENTS, Document, Kind, ReferencePublished, reference_stream
from shared.contracts.validation import decode
from shared.kernel.errors import Refusal, Unreadable

EVENTS: Final = (ReferencePublished,)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReference:
    """Put a new version of a document in force.

    `document` is the JSON of the kind's document. Where `expected_version` is given (0: there must be none yet)
    and another version is in force, the command is refused with that one.
    """

    kind: Kind
    name: str
    document: bytes
    expected_version: int | None = None


class ReferenceState(Message, frozen=True, kw_only=True):
    """Which version of a document is in force; the documents themselves are in the events and in every copy."""

    kind: Kind
    name: str
    version: int


def decide(
    city: str, state: ReferenceState | None, command: PublishReference, context: Context
) -> list[ReferencePublished] | Refusal:
    """Return the publication of the next version, or the refusal with everything that is wrong.

    Args:
        city: name of the units and places documents that a catalogue is checked against, where there are such.
        state: the version in force, None where there is none.
        command: the document.
        context: instant, actor and reference documents.

    Raises:
        ValueError: if the command is on another document's stream: the caller's bug.
    """
    if context.stream != reference_stream(command.kind, command.name):
        raise ValueError(f"{command.kind}/{command.name} has a stream of its own.")
    if context.actor.post != "administrator":
        return Refusal(code="not_entitled", detail="Only an administrator publishes reference documents.")
    version = state.version if state is not None else 0
    if command.expected_version not in {None, version}:
        detail = f"Version {version} of {command.kind}/{command.name} is in force, not {command.expected_version}."
        return Refusal(code="stale_revision", detail=detail, revision=version)
    try:
        document: Document = decode(DOCUMENTS[command.kind], command.document)
    except Unreadable as unreadable:
        return unreadable.refusal()
    errors = (
        *unknown_fields(command.document, document),
        *check_document(document, name=command.name, city=city, library=context.library),
    )
    if errors:
        return Refusal(code="invalid", detail="The document contradicts itself or what it refers to.", errors=errors)
    return [
        ReferencePublished(
            at=context.at,
            by=context.actor,
            kind=command.kind,
            name=command.name,
            version=version + 1,
            document=msgspec.Raw(msgspec.json.encode(document)),
        )
    ]


def evolve(_state: ReferenceState | None, event: ReferencePublished) -> ReferenceState:
    """Return the state after the event."""
    return ReferenceState(kind=event.kind, name=event.name, version=event.version)


def columns(state: ReferenceState) -> dict[str, object]:
    """Return what queries look references up by."""
    return {"kind": state.kind, "name": state.name, "version": state.version}
