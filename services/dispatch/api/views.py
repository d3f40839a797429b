"""What reads answer: cases as lists show them, the dossier of one, legs, reference documents."""

from datetime import datetime
from uuid import UUID

import msgspec

from services.dispatch.domain.case import CaseStage, CaseState
from services.dispatch.domain.gate import obstacles
from services.dispatch.domain.legs import LegStage, LegState
from services.dispatch.queries import CaseFile, KnownCase, KnownLeg
from shared.contracts.common import CategoryCode, FieldProblem, Message, Place, TargetType
from shared.contracts.dispatch import Explanation, LegRole
from shared.contracts.intake import Content
from shared.contracts.reference import Kind, Limit


class LegSummary(Message, frozen=True, kw_only=True):
    """A leg as a list shows it; `revision` is what the next act on it may expect."""

    leg: int
    unit: str
    role: LegRole
    state: LegStage
    revision: int


class CaseSummary(Message, frozen=True, kw_only=True):
    """A case as a list shows it; `revision` is that of the case's own part."""

    id: UUID
    state: CaseStage
    revision: int
    source: str
    category: CategoryCode
    street: str | None
    community: str | None
    campaign: str | None
    lead_unit: str | None
    legs: tuple[LegSummary, ...]
    reported_at: datetime
    filed_at: datetime
    opened_at: datetime
    dispatched_at: datetime | None
    closed_at: datetime | None


class CasePage(Message, frozen=True, kw_only=True):
    """One page of cases, newest first; `next` is the `cursor` of the page after it."""

    items: tuple[CaseSummary, ...]
    next: UUID | None


class Task(Message, frozen=True, kw_only=True):
    """A leg with what its unit needs to know of the case."""

    case_id: UUID
    case_state: CaseStage
    category: CategoryCode
    place: Place
    closing_condition_zh: str
    closing_condition_en: str
    leg: LegState


class TaskPage(Message, frozen=True, kw_only=True):
    """The tasks of one page of cases, newest case first; `next` is the `cursor` of the page after it."""

    items: tuple[Task, ...]
    next: UUID | None


class HistoryEntry(Message, frozen=True, kw_only=True):
    """One event of the case as it was published: its facts hold when (`at`) and who (`by`)."""

    sequence: int
    type: str
    facts: dict[str, object]


class Dossier(Message, frozen=True, kw_only=True):
    """Everything about one case. `open_because` is what the closure gate still asks for; empty: it may close.

    `content` is None before it has arrived, once it is forgotten, and for who may not read it.
    """

    case: CaseSummary
    sequence: int
    place: Place
    target_type: TargetType
    observed_at: datetime
    limit: Limit
    closing_condition_zh: str
    closing_condition_en: str
    explanation: Explanation | None
    routing_problem: str | None
    failed_checks: int
    legs: tuple[LegState, ...]
    open_because: tuple[FieldProblem, ...]
    history: tuple[HistoryEntry, ...]
    content: Content | None


class ReferenceDocument(Message, frozen=True, kw_only=True):
    """One version of a reference document."""

    kind: Kind
    name: str
    version: int
    document: dict[str, object]


def summary_of(known: KnownCase) -> CaseSummary:
    """Return the case as a list shows it."""
    case = known.case
    opened = case.opened
    return CaseSummary(
        id=known.id,
        state=case.state,
        revision=case.revision,
        source=opened.source,
        category=opened.category,
        street=opened.place.street,
        community=opened.place.community,
        campaign=opened.campaign,
        lead_unit=case.lead,
        legs=tuple(
            LegSummary(leg=leg.leg, unit=leg.unit, role=leg.role, state=leg.state, revision=leg.revision)
            for leg in case.legs
        ),
        reported_at=opened.reported_at,
        filed_at=opened.filed_at,
        opened_at=opened.at,
        dispatched_at=case.dispatched_at,
        closed_at=case.closed_at,
    )


def task_of(found: KnownLeg) -> Task:
    """Return the leg with what its unit needs."""
    case = found.case.case
    return Task(
        case_id=found.case.id,
        case_state=case.state,
        category=case.opened.category,
        place=case.opened.place,
        closing_condition_zh=case.opened.closing_condition_zh,
        closing_condition_en=case.opened.closing_condition_en,
        leg=found.leg,
    )


def dossier_of(file: CaseFile, *, with_content: bool) -> Dossier:
    """Return everything about the case, the private content only where it may be read."""
    case = file.known.case
    opened = case.opened
    return Dossier(
        case=summary_of(file.known),
        sequence=file.known.sequence,
        place=opened.place,
        target_type=opened.target_type,
        observed_at=opened.observed_at,
        limit=opened.limit,
        closing_condition_zh=opened.closing_condition_zh,
        closing_condition_en=opened.closing_condition_en,
        explanation=case.explanation,
        routing_problem=case.routing_problem,
        failed_checks=case.failed_checks,
        legs=case.legs,
        open_because=_open_because(case),
        history=tuple(
            HistoryEntry(
                sequence=event.sequence,
                type=event.type,
                facts=msgspec.json.decode(event.data, type=dict[str, object]),
            )
            for event in file.history
        ),
        content=file.content if with_content else None,
    )


def _open_because(case: CaseState) -> tuple[FieldProblem, ...]:
    if case.state == "closed":
        return ()
    return tuple(
        FieldProblem(field=obstacle.field, code=obstacle.code, message=obstacle.message) for obstacle in obstacles(case)
    )
