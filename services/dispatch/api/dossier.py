"""The dossier of a case: everything that is known of it, each thing with who did it, when and why."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from services.dispatch.api.clockviews import clocks_of, own_clocks
from services.dispatch.api.remarks import Remark, remarks_of
from services.dispatch.api.views import CaseSummary, summary_of
from services.dispatch.domain.awaiting import Awaited, awaiting_leg
from services.dispatch.domain.case import ENDED, CaseState
from services.dispatch.domain.gate import obstacles
from services.dispatch.domain.legs import LegState
from services.dispatch.domain.pending import Supervision, VoidProposal
from services.dispatch.queries import CaseFile, Receipt, StoredEvent
from shared.contracts.common import Actor, Answer, Digest, FieldProblem, Message, Place, TargetType
from shared.contracts.dispatch import Explanation
from shared.contracts.intake import Content
from shared.contracts.reference import Limit
from shared.web.clockviews import ClockView, Watch

_REASONS = ("ground", "reason", "detail", "answer")
"""Where events say why: a person's own words before the reason that was chosen."""


class SentReceipt(Message, frozen=True, kw_only=True):
    """The receipt that a department got on its topic for the act; `request` is the CloudEvents id of the act."""

    party: str
    request: str
    answered_at: datetime
    answer: Answer


class HistoryEntry(Message, frozen=True, kw_only=True):
    """One event of the case: who (`by`, with unit and post) did what when, and why; `facts` are what was published.

    `receipt` is None for acts over HTTP, whose caller was answered at once, and for what no department did.
    """

    sequence: int
    type: str
    at: datetime
    by: Actor
    reason: str | None
    correlation: str
    facts: dict[str, object]
    receipt: SentReceipt | None


class HistoryPage(Message, frozen=True, kw_only=True):
    """A page of a case's history, oldest first; `next` is the `after_sequence` of the page after it."""

    items: tuple[HistoryEntry, ...]
    next: int | None


class LegDossier(LegState, frozen=True, kw_only=True):
    """A leg with its clocks, what is to be known of its deadline, and who must act on it."""

    clocks: tuple[ClockView, ...]
    remarks: tuple[Remark, ...]
    awaits: tuple[Awaited, ...]


class Evidence(Message, frozen=True, kw_only=True):
    """What a unit claimed in a feedback, and the SHA-256 digests of the photos and documents that it keeps."""

    sequence: int
    at: datetime
    leg: int
    unit: str
    closing_condition: str
    digests: tuple[Digest, ...]


class Merges(Message, frozen=True, kw_only=True):
    """并案: the case that carries this one, the one that was asked to, and those that this one carries."""

    master: UUID | None
    asked: UUID | None
    carries: tuple[UUID, ...]


class Dossier(Message, frozen=True, kw_only=True):
    """Everything about one case as of an instant. `open_because` is what the closure gate still asks for.

    `routing` is where to read, in words, why it went where it went. `content` is None before it has arrived, once it is
    forgotten, and for who may not read it. `history` is its first page, `history_next` the `after_sequence` of the one
    after it.
    """

    as_of: datetime
    case: CaseSummary
    sequence: int
    place: Place
    target_type: TargetType
    observed_at: datetime
    limit: Limit
    closing_condition_zh: str
    closing_condition_en: str
    explanation: Explanation | None
    routing: str
    routing_problem: str | None
    failed_checks: int
    clocks: tuple[ClockView, ...]
    legs: tuple[LegDossier, ...]
    open_because: tuple[FieldProblem, ...]
    evidence: tuple[Evidence, ...]
    merges: Merges
    supervision: Supervision | None
    void_proposal: VoidProposal | None
    history: tuple[HistoryEntry, ...]
    history_next: int | None
    content: Content | None


class _Stamp(Message, frozen=True, kw_only=True):
    at: datetime
    by: Actor


def dossier_of(file: CaseFile, watch: Watch, *, events: int, with_content: bool) -> Dossier:
    """Return everything about the case, the private content only where it may be read.

    `events` is how many of its history were asked for.
    """
    case = file.known.case
    opened = case.opened
    history = history_page(file.history, limit=events)
    return Dossier(
        as_of=file.as_of,
        case=summary_of(file.known, file.as_of),
        sequence=file.known.sequence,
        place=opened.place,
        target_type=opened.target_type,
        observed_at=opened.observed_at,
        limit=opened.limit,
        closing_condition_zh=opened.closing_condition_zh,
        closing_condition_en=opened.closing_condition_en,
        explanation=case.explanation,
        routing=f"/v1/cases/{file.known.id}/routing",
        routing_problem=case.routing_problem,
        failed_checks=case.failed_checks,
        clocks=own_clocks(watch, case),
        legs=tuple(_leg(case, leg, watch) for leg in case.legs),
        open_because=_open_because(case),
        evidence=_evidence(file),
        merges=Merges(master=case.master, asked=case.merging, carries=case.carries),
        supervision=case.supervision,
        void_proposal=case.void_proposal,
        history=history.items,
        history_next=history.next,
        content=file.content if with_content else None,
    )


def history_page(events: Sequence[StoredEvent], *, limit: int) -> HistoryPage:
    """Return a page of at most `limit` events, of which one more was read if there is one."""
    page = events[:limit]
    return HistoryPage(
        items=tuple(_entry(event) for event in page), next=page[-1].sequence if len(events) > limit else None
    )


def _entry(event: StoredEvent) -> HistoryEntry:
    stamp = msgspec.json.decode(event.data, type=_Stamp)
    facts = msgspec.json.decode(event.data, type=dict[str, object])
    reasons = (facts.get(name) for name in _REASONS)
    return HistoryEntry(
        sequence=event.sequence,
        type=event.type,
        at=stamp.at,
        by=stamp.by,
        reason=next((reason for reason in reasons if isinstance(reason, str)), None),
        correlation=event.correlation,
        facts=facts,
        receipt=None if event.receipt is None else _receipt(event.receipt),
    )


def _receipt(receipt: Receipt) -> SentReceipt:
    return SentReceipt(
        party=receipt.party, request=receipt.request, answered_at=receipt.answered_at, answer=receipt.answer
    )


def _leg(case: CaseState, leg: LegState, watch: Watch) -> LegDossier:
    awaits = () if case.state in ENDED else tuple(awaiting_leg(case, leg))
    return LegDossier(
        **msgspec.structs.asdict(leg),
        clocks=clocks_of(watch, case, leg),
        remarks=remarks_of(case, leg),
        awaits=awaits,
    )


def _evidence(file: CaseFile) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            sequence=one.sequence,
            at=one.feedback.at,
            leg=one.feedback.leg,
            unit=one.feedback.unit,
            closing_condition=one.feedback.closing_condition,
            digests=one.feedback.evidence,
        )
        for one in file.feedbacks
    )


def _open_because(case: CaseState) -> tuple[FieldProblem, ...]:
    if case.state in ENDED:
        return ()
    return tuple(
        FieldProblem(field=obstacle.field, code=obstacle.code, message=obstacle.message) for obstacle in obstacles(case)
    )
