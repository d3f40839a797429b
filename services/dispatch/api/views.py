"""What lists answer: cases as the work list shows them, tasks, reference documents."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.dispatch.domain.awaiting import Awaited, awaiting, awaiting_leg
from services.dispatch.domain.case import ENDED, CaseStage
from services.dispatch.domain.columns import (
    breached_stages,
    most_urgent,
    most_urgent_of_leg,
    running_clock_by_law,
    running_handle_clock,
)
from services.dispatch.domain.legs import LegStage, LegState
from services.dispatch.queries import CaseCounts, KnownCase, KnownLeg, TaskCounts
from shared.contracts.clocks import Clock, ClockStage
from shared.contracts.common import CategoryCode, Level, Message, Place
from shared.contracts.dispatch import LegRole
from shared.contracts.reference import Kind
from shared.deadlines.colours import Colour, colour_of, yellow_from


class Deadline(Message, frozen=True, kw_only=True):
    """Until when, and how urgent that is: yellow from `yellow_from`, red from `due_at`.

    `provisional`: the calendar does not know all of the days yet.
    """

    stage: ClockStage
    due_at: datetime
    yellow_from: datetime
    colour: Colour
    provisional: bool


class LegSummary(Message, frozen=True, kw_only=True):
    """A leg as a list shows it; `revision` is what the next act on it may expect.

    `rectifying` 限期整改中: something was ordered by law, and its re-inspection has not passed.
    """

    leg: int
    unit: str
    role: LegRole
    state: LegStage
    rectifying: bool
    revision: int


class CaseSummary(Message, frozen=True, kw_only=True):
    """A case as a list shows it; `number` is for people, `revision` is that of the case's own part.

    `deadline` is the most urgent that runs: of dispatch, handling, check, or what a leg has ordered by law. `breached`
    are the stages of which a limit has passed. `awaits` are all who must act now.
    """

    id: UUID
    number: str | None
    state: CaseStage
    open: bool
    revision: int
    source: str
    category: CategoryCode
    street: str | None
    community: str | None
    campaign: str | None
    lead_unit: str | None
    check_unit: str | None
    level: Level
    supervised: bool
    deadline: Deadline | None
    breached: tuple[ClockStage, ...]
    awaits: tuple[Awaited, ...]
    legs: tuple[LegSummary, ...]
    reported_at: datetime
    filed_at: datetime
    opened_at: datetime
    dispatched_at: datetime | None
    closed_at: datetime | None


class Counts(Message, frozen=True, kw_only=True):
    """How many there are in all, of each state and of each colour; those without a running clock have no colour."""

    total: int
    states: dict[str, int]
    colours: dict[str, int]


class CaseList(Message, frozen=True, kw_only=True):
    """One page of cases as of an instant of the database; `next` is the `cursor` of the page after it.

    `counts` are of everything that the filter finds, in the same snapshot.
    """

    as_of: datetime
    items: tuple[CaseSummary, ...]
    next: str | None
    counts: Counts | None


class Task(Message, frozen=True, kw_only=True):
    """A leg with what its unit needs to know of the case; `expected` is what its unit, or somebody else, must do.

    `handling` is until when the leg is to be handled, `by_law` until when the party has to do as ordered, or the unit
    has to look again (the leg says what was ordered); `deadline` is the one of them that is due first.
    """

    case_id: UUID
    case_number: str | None
    case_state: CaseStage
    category: CategoryCode
    place: Place
    closing_condition_zh: str
    closing_condition_en: str
    supervised: bool
    deadline: Deadline | None
    handling: Deadline | None
    by_law: Deadline | None
    expected: tuple[Awaited, ...]
    leg: LegState


class TaskList(Message, frozen=True, kw_only=True):
    """One page of a unit's open legs as of an instant of the database, the most urgent first."""

    as_of: datetime
    unit: str
    items: tuple[Task, ...]
    next: str | None
    counts: Counts | None


class LegList(Message, frozen=True, kw_only=True):
    """The legs of one page of cases, newest case first; `next` is the `cursor` of the page after it."""

    as_of: datetime
    items: tuple[Task, ...]
    next: UUID | None


class ReferenceDocument(Message, frozen=True, kw_only=True):
    """One version of a reference document."""

    kind: Kind
    name: str
    version: int
    document: dict[str, object]


def summary_of(known: KnownCase, now: datetime) -> CaseSummary:
    """Return the case as a list shows it."""
    case = known.case
    opened = case.opened
    return CaseSummary(
        id=known.id,
        number=opened.number,
        state=case.state,
        open=case.state not in ENDED,
        revision=case.revision,
        source=opened.source,
        category=opened.category,
        street=opened.place.street,
        community=opened.place.community,
        campaign=opened.campaign,
        lead_unit=case.lead,
        check_unit=case.check.unit if case.check else None,
        level=case.level,
        supervised=case.supervision is not None,
        deadline=deadline_of(most_urgent(case), now),
        breached=tuple(breached_stages(case)),
        awaits=awaiting(case),
        legs=tuple(
            LegSummary(
                leg=leg.leg,
                unit=leg.unit,
                role=leg.role,
                state=leg.state,
                rectifying=leg.rectifying,
                revision=leg.revision,
            )
            for leg in case.legs
        ),
        reported_at=opened.reported_at,
        filed_at=opened.filed_at,
        opened_at=opened.at,
        dispatched_at=case.dispatched_at,
        closed_at=case.closed_at,
    )


def deadline_of(clock: Clock | None, now: datetime) -> Deadline | None:
    """Return what a running clock means now."""
    if clock is None:
        return None
    return Deadline(
        stage=clock.stage,
        due_at=clock.due_at,
        yellow_from=yellow_from(clock),
        colour=colour_of(clock, now),
        provisional=clock.provisional,
    )


def task_of(found: KnownLeg, now: datetime) -> Task:
    """Return the leg with what its unit needs."""
    case, leg = found.case.case, found.leg
    return Task(
        case_id=found.case.id,
        case_number=case.opened.number,
        case_state=case.state,
        category=case.opened.category,
        place=case.opened.place,
        closing_condition_zh=case.opened.closing_condition_zh,
        closing_condition_en=case.opened.closing_condition_en,
        supervised=case.supervision is not None,
        deadline=deadline_of(most_urgent_of_leg(case, leg), now),
        handling=deadline_of(running_handle_clock(case, leg), now),
        by_law=deadline_of(running_clock_by_law(case, leg), now),
        expected=() if case.state in ENDED else tuple(awaiting_leg(case, leg)),
        leg=leg,
    )


def counts_of(counts: CaseCounts | TaskCounts | None) -> Counts | None:
    """Return the counts as they are answered."""
    if counts is None:
        return None
    states: dict[Any, int] = dict(counts.states)
    colours: dict[Any, int] = dict(counts.colours)
    return Counts(total=counts.total, states=states, colours=colours)
