"""Which request (I-2) a record is that asks a service for something."""

from typing import Final

from shared.contracts.envelope import CloudEvent
from shared.contracts.records import Record
from shared.contracts.registry import ACTIONS_PREFIX, DISPATCH_MERGES, INTAKE_MERGES, SUBMISSIONS_PREFIX, party_uri
from shared.contracts.validation import canonical_digest
from shared.ledger.commands import Request

_ASKING_THEMSELVES: Final = {
    INTAKE_MERGES: party_uri("services", "intake"),
    DISPATCH_MERGES: party_uri("services", "dispatch"),
}
"""The topics on which aggregates of one service ask each other something, and that service."""


def request_of(record: Record, event: CloudEvent | None) -> Request:
    """Return the request: (the party's URI, the event's id).

    A record that cannot be read (`event` is None), or that speaks for somebody else, has no id that counts: its
    request is its place.
    """
    if event is None or event.source != party_of(record.topic):
        # The topic is no party's URI: nobody can choose an id that takes such a key away.
        digest = canonical_digest(data=record.value)
        return Request(party=record.topic, key=f"record:{record.place}", digest=digest)
    return Request(party=event.source, key=event.id, digest=canonical_digest(event.type, data=event.data))


def party_of(topic: str) -> str | None:
    """Return the URI of the party that asks on this topic; None for a topic of events."""
    if topic.startswith(SUBMISSIONS_PREFIX):
        return party_uri("sources", topic.removeprefix(SUBMISSIONS_PREFIX))
    if topic.startswith(ACTIONS_PREFIX):
        return party_uri("departments", topic.removeprefix(ACTIONS_PREFIX))
    return _ASKING_THEMSELVES.get(topic)
