"""The one registry: topics with partitions, retention and rights, and the message types on each.

Provisioning, consumers, AsyncAPI and tests all read it; nothing else names a topic's settings.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.contracts import (
    adjustments,
    clocks,
    dispatch,
    intake,
    merges,
    rectification,
    reference,
    report_merges,
    tasks,
)
from shared.contracts.common import Event, Message, Receipt
from shared.contracts.intake import Stranger

Service = Literal["intake", "dispatch", "analytics"]
SERVICES: Final[tuple[Service, ...]] = ("intake", "dispatch", "analytics")
AUDITOR: Final = "auditor"
"""The principal of `joint verify`: reads everything, writes nothing."""

PARTITIONS: Final = 12
PARTY_RETENTION_SECONDS: Final = 7 * 24 * 3600

INTAKE_REPORTS: Final = "intake.reports"
INTAKE_CONTENTS: Final = "intake.contents"
INTAKE_MERGES: Final = "intake.merges"
DISPATCH_CASES: Final = "dispatch.cases"
DISPATCH_MERGES: Final = "dispatch.merges"
DISPATCH_REFERENCE: Final = "dispatch.reference"
SUBMISSIONS_PREFIX: Final = "intake.submissions."
INTAKE_RECEIPTS_PREFIX: Final = "intake.receipts."
ACTIONS_PREFIX: Final = "dispatch.actions."
DISPATCH_RECEIPTS_PREFIX: Final = "dispatch.receipts."

ANSWERED: Final = "jointenforcement.request.answered.v1"
"""The type of a receipt."""
SEALED: Final = "jointenforcement.ledger.sealed.v1"
HELD: Final = "jointenforcement.message.held.v1"
DEALT_WITH: Final = "jointenforcement.message.dealt_with.v1"


class Sealed(Message, frozen=True, kw_only=True):
    """The hourly seal of a service's ledger (I-17): heads of all streams as of `cut`, as a Merkle root."""

    cut: str
    streams: int
    events: int
    root: str


class MessageHeld(Message, frozen=True, kw_only=True):
    """An announcement that a message is held with a reason (I-7); `joint held list` shows it."""

    consumer: str
    topic: str
    stream: str
    sequence: int
    record: str
    reason: str


class MessageDealtWith(Message, frozen=True, kw_only=True):
    """An operator let a held message be tried again, or gave it up so that its stream goes on after it (I-7)."""

    consumer: str
    topic: str
    stream: str
    sequence: int
    act: Literal["retry", "skip"]
    operator: str
    reason: str


MessageType = type[Message] | type[Stranger]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic: who writes it, who reads it, how it is kept. `retention_seconds` None keeps for ever."""

    name: str
    partitions: int
    retention_seconds: int | None
    compacted: bool = False
    append_time: bool = False
    writer: str
    readers: tuple[str, ...]
    messages: tuple[str, ...]


REPORT_EVENTS: Final[tuple[type[Event], ...]] = (
    intake.Reported,
    intake.Completed,
    intake.VerificationAssigned,
    intake.Verified,
    intake.Accepted,
    intake.Filed,
    intake.Rejected,
    intake.ReportContentForgotten,
    intake.ReportClockWarned,
    intake.ReportClockBreached,
    intake.ReportClockRecomputed,
    *report_merges.REPORT_MERGE_EVENTS,
    intake.MergeTold,
    intake.UnmergeTold,
    intake.OutcomeTold,
)
CASE_EVENTS: Final[tuple[type[Event], ...]] = (
    dispatch.CaseOpened,
    dispatch.CaseOpeningDeclined,
    dispatch.CaseRoutingFailed,
    dispatch.CaseDispatched,
    dispatch.LegSigned,
    dispatch.LegFedBack,
    dispatch.LegReturnRequested,
    dispatch.LegReturnRefused,
    dispatch.LegReturnUpheld,
    dispatch.LegWaived,
    adjustments.CaseRedispatched,
    adjustments.LegsAdded,
    adjustments.LegRuled,
    adjustments.LegSentBack,
    adjustments.LegExtensionRequested,
    adjustments.LegExtended,
    adjustments.LegExtensionRefused,
    adjustments.LegSuspensionRequested,
    adjustments.LegSuspensionEndorsed,
    adjustments.LegSuspended,
    adjustments.LegSuspensionRefused,
    adjustments.LegResumed,
    *rectification.RECTIFICATION_EVENTS,
    clocks.ClockWarned,
    clocks.ClockBreached,
    clocks.LegCountedAsSigned,
    clocks.ClocksRecomputed,
    adjustments.CaseCheckAssigned,
    dispatch.CaseChecked,
    dispatch.CaseClosed,
    adjustments.CaseVoidProposed,
    adjustments.CaseVoidRefused,
    adjustments.CaseVoided,
    adjustments.CaseReopened,
    adjustments.CaseSupervised,
    adjustments.CaseSupervisionAnswered,
    adjustments.CaseEscalated,
    adjustments.LegAppealed,
    adjustments.LegAppealReviewed,
    merges.CaseMergeRequested,
    merges.CaseMergeAdmitted,
    merges.CaseMergeDeclined,
    merges.CaseMerged,
    merges.CaseMergeAbandoned,
    merges.CaseUnmerged,
    merges.CaseMergeReleased,
)
REFERENCE_EVENTS: Final[tuple[type[Event], ...]] = (reference.ReferencePublished,)
ACTIONS: Final[tuple[type[dispatch.LegAction], ...]] = (
    dispatch.SignLeg,
    dispatch.FeedBackLeg,
    dispatch.RequestLegReturn,
    adjustments.RequestLegExtension,
    adjustments.RequestLegSuspension,
    adjustments.ResumeLeg,
    adjustments.AnswerSupervision,
    adjustments.AppealLeg,
    *rectification.RECTIFICATION_ACTIONS,
)


def type_name(message: type) -> str:
    """Return the CloudEvents type of a message class."""
    name = getattr(message, "type", None)
    if not isinstance(name, str):
        raise TypeError(f"{message.__name__} declares no CloudEvents type.")
    return name


MESSAGES: Final[dict[str, MessageType]] = {
    **{type_name(message): message for message in (*REPORT_EVENTS, *CASE_EVENTS, *REFERENCE_EVENTS)},
    **{type_name(action): action for action in ACTIONS},
    intake.ReportSubmission.type: intake.ReportSubmission,
    intake.Content.type: intake.Content,
    intake.ContentForgotten.type: intake.ContentForgotten,
    tasks.TaskChanged.type: tasks.TaskChanged,
    merges.MergeAsked.type: merges.MergeAsked,
    report_merges.ReportMergeAsked.type: report_merges.ReportMergeAsked,
    ANSWERED: Receipt,
    SEALED: Sealed,
    HELD: MessageHeld,
    DEALT_WITH: MessageDealtWith,
}
"""Every CloudEvents type that is on a topic of ours, and the class of its data."""


def source_principal(source: str) -> str:
    """Return the Kafka principal of a source of reports."""
    return f"source.{source}"


def department_principal(department: str) -> str:
    """Return the Kafka principal of a department."""
    return f"department.{department}"


def party_uri(kind: Literal["sources", "departments", "services"], name: str) -> str:
    """Return the CloudEvents `source` with which that party must sign its events."""
    return f"/joint/{kind}/{name}"


def partition_for(key: bytes, partitions: int) -> int:
    """Return the partition of a key: CRC-32 modulo, as librdkafka's `consistent` partitioner computes it."""
    return zlib.crc32(key) % partitions


def topics(sources: Sequence[str], departments: Sequence[str]) -> tuple[Topic, ...]:
    """Return every topic of a city with these sources of reports and these departments."""
    return (*_service_topics(), *_source_topics(sources), *_department_topics(departments))


def topic_named(name: str) -> Topic:
    """Return the settings of a topic from its name alone.

    Raises:
        KeyError: if no topic of ours has such a name.
    """
    for prefix, make in (
        (SUBMISSIONS_PREFIX, _source_topics),
        (INTAKE_RECEIPTS_PREFIX, _source_topics),
        (ACTIONS_PREFIX, _department_topics),
        (DISPATCH_RECEIPTS_PREFIX, _department_topics),
    ):
        if name.startswith(prefix):
            return next(topic for topic in make((name.removeprefix(prefix),)) if topic.name == name)
    return _SERVICE_TOPICS[name]


def _types(*messages: type) -> tuple[str, ...]:
    return tuple(type_name(message) for message in messages)


def _service_topics() -> tuple[Topic, ...]:
    kept = [
        (INTAKE_REPORTS, "intake", ("dispatch", "analytics"), _types(*REPORT_EVENTS)),
        (INTAKE_MERGES, "intake", ("intake",), _types(report_merges.ReportMergeAsked)),
        (DISPATCH_CASES, "dispatch", ("intake", "analytics"), _types(*CASE_EVENTS)),
        (DISPATCH_MERGES, "dispatch", ("dispatch",), _types(merges.MergeAsked)),
        (DISPATCH_REFERENCE, "dispatch", ("intake", "dispatch", "analytics"), _types(*REFERENCE_EVENTS)),
    ]
    return (
        *(
            Topic(
                name=name,
                partitions=PARTITIONS,
                retention_seconds=None,
                writer=writer,
                readers=(*readers, AUDITOR),
                messages=types,
            )
            for name, writer, readers, types in kept
        ),
        Topic(
            name=INTAKE_CONTENTS,
            partitions=PARTITIONS,
            retention_seconds=None,
            compacted=True,
            writer="intake",
            readers=("dispatch", AUDITOR),
            messages=_types(intake.Content, intake.ContentForgotten),
        ),
        *(_own(service, "seals", SEALED) for service in ("intake", "dispatch")),
        *(_own(service, "dead-letters", HELD, DEALT_WITH) for service in SERVICES),
    )


def _own(service: Service, noun: str, *messages: str) -> Topic:
    return Topic(
        name=f"{service}.{noun}",
        partitions=1,
        retention_seconds=None,
        writer=service,
        readers=(AUDITOR,),
        messages=messages,
    )


def _source_topics(sources: Sequence[str]) -> tuple[Topic, ...]:
    return tuple(
        topic
        for source in sources
        for topic in (
            _party(
                f"{SUBMISSIONS_PREFIX}{source}", source_principal(source), "intake", _types(intake.ReportSubmission)
            ),
            _party(f"{INTAKE_RECEIPTS_PREFIX}{source}", "intake", source_principal(source), (ANSWERED,)),
        )
    )


def _department_topics(departments: Sequence[str]) -> tuple[Topic, ...]:
    return tuple(
        topic
        for department in departments
        for topic in (
            _party(f"{ACTIONS_PREFIX}{department}", department_principal(department), "dispatch", _types(*ACTIONS)),
            _party(
                f"{DISPATCH_RECEIPTS_PREFIX}{department}",
                "dispatch",
                department_principal(department),
                (ANSWERED, tasks.TaskChanged.type),
            ),
        )
    )


def _party(name: str, writer: str, reader: str, messages: tuple[str, ...]) -> Topic:
    return Topic(
        name=name,
        partitions=1,
        retention_seconds=PARTY_RETENTION_SECONDS,
        append_time=True,
        writer=writer,
        readers=(reader, AUDITOR),
        messages=messages,
    )


_SERVICE_TOPICS: Final = {topic.name: topic for topic in _service_topics()}
