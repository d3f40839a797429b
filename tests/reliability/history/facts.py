"""Everything that the checks look at, read once: what clients heard, what topics, tables and APIs hold.

The checks take facts alone and no server, so that a violation can be planted in a copy of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from shared.contracts.records import Record

Invariant = Literal[
    "I-1",
    "I-2",
    "I-3",
    "I-4",
    "I-5",
    "I-6",
    "I-7",
    "I-9",
    "I-10",
    "I-11",
    "I-12",
    "I-13",
    "I-15",
    "I-16",
    "I-17",
    "ADR 0019",
]
"""What a finding violates: an invariant, or what a record of a decision promises."""

STREAM_TOPICS: Final[Mapping[str, str]] = {
    "intake.reports": "intake",
    "dispatch.cases": "dispatch",
    "dispatch.reference": "dispatch",
}
"""The topics that carry streams of events, each with the one service that writes it."""
CONTENTS: Final = "intake.contents"
DOORS: Final[Mapping[str, str]] = {
    "intake.submissions.": "intake.receipts.",
    "dispatch.actions.": "dispatch.receipts.",
}
"""What the topics of outside parties begin with, and the topics that answer them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A violation: which invariant, what is wrong, and where (a stream, a key, a place)."""

    invariant: Invariant
    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.where}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer as a client heard it; `position` is topic:stream:sequence."""

    outcome: str
    code: str | None = None
    subject: str | None = None
    position: str | None = None


@dataclass(slots=True, kw_only=True)
class Asked:
    """What the history tells of one request: (party, key)."""

    door: str
    digests: set[str] = field(default_factory=set)
    places: list[str] = field(default_factory=list)
    answers: list[Heard] = field(default_factory=list)
    attempts: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """An event on a topic. `digest` covers headers and value, `document` is the value as it travelled."""

    topic: str
    partition: int
    offset: int
    stream: str
    sequence: int
    id: str
    type: str
    time: str
    causation: str | None
    correlation: str | None
    previous: str | None
    document: bytes
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A row of a ledger's `events`; identifiers as texts, `at` as it travels."""

    service: str
    stream: str
    sequence: int
    aggregate: str
    id: str
    type: str
    at: str
    correlation: str
    causation: str | None
    traceparent: str | None
    data: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt on a topic; `request` or `record` says what it answers."""

    topic: str
    place: str
    request: str | None
    record: str | None
    answer: Heard
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A message to a department about a leg, on its receipts topic; `event` caused it, `number` is its case's."""

    unit: str
    id: str
    event: str
    case: str
    number: str | None
    leg: int
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A record that an outside party sent; `request` is None where no id of its own counts."""

    topic: str
    place: str
    request: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """A row of `requests`: the answer that a key has."""

    service: str
    party: str
    key: str
    answer: Heard
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The ledger's own columns of a row of a state table."""

    service: str
    stream: str
    sequence: int
    head: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A row of `held`."""

    service: str
    consumer: str
    topic: str
    stream: str
    sequence: int
    reason: str | None
    waits_for: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """A row of `wakes`, or what a state needs."""

    service: str
    stream: str
    kind: str
    due_at: datetime


Document = Mapping[str, Any]
Place = tuple[str, str, str]
"""Consumer, topic, stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the analytics API answers: closure figures by group ("" is none), and the ids that open behind them."""

    closure: Mapping[str, Document]
    behind: Mapping[str, Sequence[str]]
    """An address and `counted` -> the ids of the cases, or case:leg, that open there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything."""

    asked: Mapping[tuple[str, str], Asked]
    incoming: Sequence[Incoming]
    receipts: Sequence[Receipt]
    deleted: frozenset[str]
    """Topics that were deleted on purpose: of what was on them, the history alone tells."""
    tasks: Sequence[Task]
    published: Sequence[Published]
    strangers: Sequence[str]
    """Places of records on topics of ours that are no events of ours."""
    contents: Mapping[str, tuple[int, bytes | None]]
    """What intake.contents says last of a report: revision and value."""
    stored: Sequence[Stored]
    requests: Sequence[Requested]
    states: Sequence[State]
    positions: Mapping[Place, int]
    held: Sequence[Held]
    given_up: frozenset[tuple[str, str, str, int]]
    """What operators gave up: consumer, topic, stream, sequence."""
    outbox: Mapping[str, int]
    """How many messages each service has yet to send."""
    wakes: Sequence[Wake]
    needed_wakes: Sequence[Wake]
    """What the stored states say should wake them."""
    documents: Mapping[str, frozenset[tuple[str, str, int, bytes]]]
    """Each service's copy of the reference documents: kind, name, version, document."""
    copied: Mapping[str, tuple[int, bytes | None]]
    """Dispatch's copy of the contents: revision and data."""
    figures: Figures
    verdicts: Sequence[Finding]
    """What `joint verify` and `joint rebuild` say."""


def place_of(record: Record) -> str:
    """Return topic:partition:offset."""
    return f"{record.topic}:{record.partition}:{record.offset}"


def heard(answer: Document) -> Heard:
    """Return an answer's parts that a client can compare."""
    position = answer.get("position")
    return Heard(
        outcome=answer["outcome"],
        code=answer.get("code"),
        subject=answer.get("subject"),
        position=f"{position['topic']}:{position['stream']}:{position['sequence']}" if position else None,
    )
