"""What of a report may have to be forgotten (I-14): its exact words, address, contact and photos, in one document.

The document is kept encrypted under the report; the event holds its digest alone. The salt in the document keeps a
digest of a few digits (a telephone number) from being found by trying them all, also after the document is gone.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from services.intake.domain.commands import Submit
from shared.contracts.common import Event, Message
from shared.contracts.decisions import Effect, ForgetPrivate, KeepPrivate
from shared.contracts.intake import (
    Contact,
    Content,
    ContentForgotten,
    ReportContentForgotten,
    Reported,
    ReportSubmission,
)
from shared.contracts.registry import INTAKE_CONTENTS

SALT_BYTES: Final = 16


class PrivateContent(Message, frozen=True, kw_only=True):
    """The private part of a report; `salt` is hexadecimal, of `SALT_BYTES` random bytes."""

    salt: str
    description: str
    address: str | None
    contact: Contact | None
    photos: tuple[str, ...]


def private_content(submission: ReportSubmission, salt: bytes) -> bytes:
    """Return the canonical JSON of a submission's private part."""
    content = PrivateContent(
        salt=salt.hex(),
        description=submission.description,
        address=submission.place.address,
        contact=submission.contact,
        photos=submission.photos,
    )
    return msgspec.json.encode(content, order="deterministic")


def read_content(private: bytes) -> PrivateContent:
    """Return what `private_content` wrote."""
    return msgspec.json.decode(private, type=PrivateContent)


def digest_of(private: bytes) -> str:
    """Return the SHA-256 of the document, hexadecimal: what the event holds instead."""
    return hashlib.sha256(private).hexdigest()


def effects(_state: object, event: Event, command: object) -> Sequence[Effect]:
    """Return what of the report is kept apart, or forgotten, with the event (I-14)."""
    match event, command:
        case Reported(), Submit(submission=submission):
            shared = Content(
                report_id=command.report_id,
                description=submission.description,
                address=submission.place.address,
                photos=submission.photos,
            )
            private = private_content(submission, command.salt)
            return [KeepPrivate(private=private, topic=INTAKE_CONTENTS, shared=shared)]
        case ReportContentForgotten(), _:
            return [ForgetPrivate(topic=INTAKE_CONTENTS, type=ContentForgotten.type)]
        case _:
            return []
