"""What is known of a report and its case: two folds that share nothing but the id.

`ReportFacts` is the fold of a stream of `intake.reports`, `CaseFacts` that of a stream of `dispatch.cases`. Neither
reads the other, so the order in which events of one id arrive on the two topics cannot matter.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, assert_never

from shared.contracts import dispatch, intake

LegState = Literal["assigned", "handling", "return_pending", "fed_back", "waived"]
"""待签收, 处置中, 回退待审, 已反馈, 免办."""

ReportEvent = (
    intake.Reported
    | intake.Completed
    | intake.Accepted
    | intake.Filed
    | intake.Rejected
    | intake.ReportContentForgotten
)
CaseEvent = (
    dispatch.CaseOpened
    | dispatch.CaseOpeningDeclined
    | dispatch.CaseRoutingFailed
    | dispatch.CaseDispatched
    | dispatch.LegSigned
    | dispatch.LegFedBack
    | dispatch.LegReturnRequested
    | dispatch.LegReturnRefused
    | dispatch.LegReturnUpheld
    | dispatch.LegWaived
    | dispatch.CaseChecked
    | dispatch.CaseClosed
)


class ImpossibleEvent(Exception):
    """An event that cannot be where it is in its stream, such as a signature on a leg that was never assigned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """What intake says of one report. Instants are those of the events, UTC.

    The category is the one decided or, until then, the one that the source named; both with their code system.
    """

    reported_at: datetime
    observed_at: datetime
    source: str
    category_system: str
    category_code: str
    street: str | None
    community: str | None
    target_type: str
    campaign: str | None
    missing: tuple[str, ...] = ()
    accepted_at: datetime | None = None
    filed_at: datetime | None = None
    rejected_at: datetime | None = None
    rejection: str | None = None
    """Why it was rejected: the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFacts:
    """What dispatch says of one department's part of a case.

    `in_rework` holds from a failed check until the next feedback. Each instant is the last of its kind.
    """

    leg: int
    unit: str
    role: dispatch.LegRole
    state: LegState
    assigned_at: datetime
    signed_at: datetime | None = None
    fed_back_at: datetime | None = None
    waived_at: datetime | None = None
    in_rework: bool = False
    reworks: int = 0

    @property
    def done(self) -> bool:
        """Whether nothing more is expected of the unit."""
        return self.state in {"fed_back", "waived"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """What dispatch says of one case. `lead` is the lead leg's unit once there is one."""

    opened_at: datetime
    unroutable: str | None = None
    """Why no rule of the power list gave it a lead: the code; None once it was dispatched."""
    dispatched_at: datetime | None = None
    lead: str | None = None
    checked_at: datetime | None = None
    check_passed: bool | None = None
    """What the last check found."""
    check_reason: str | None = None
    closed_at: datetime | None = None
    legs: dict[int, LegFacts] = field(default_factory=dict)


def evolve_report(facts: ReportFacts | None, event: ReportEvent) -> ReportFacts:
    """Return the facts of a report after its next event.

    Raises:
        ImpossibleEvent: when a stream does not begin with the report.
    """
    if isinstance(event, intake.Reported):
        return _reported(event)
    if facts is None:
        raise ImpossibleEvent(f"{event.type} came before the report itself.")
    match event:
        case intake.Completed():
            return replace(
                facts,
                category_system=event.category.system,
                category_code=event.category.code,
                street=event.place.street,
                community=event.place.community,
                missing=(),
            )
        case intake.Accepted():
            return replace(facts, accepted_at=event.at)
        case intake.Filed():
            return _filed(facts, event)
        case intake.Rejected():
            return replace(facts, rejected_at=event.at, rejection=event.reason_code)
        case intake.ReportContentForgotten():
            return facts
        case _:
            assert_never(event)


def evolve_case(facts: CaseFacts | None, event: CaseEvent) -> CaseFacts:
    """Return the facts of a case after its next event.

    Raises:
        ImpossibleEvent: when a stream does not begin with the opening, or an event names a leg that was not assigned.
    """
    if isinstance(event, dispatch.CaseOpened):
        return CaseFacts(opened_at=event.at)
    if facts is None:
        raise ImpossibleEvent(f"{event.type} came before the case was opened.")
    match event:
        case dispatch.CaseOpeningDeclined():
            return facts
        case dispatch.CaseRoutingFailed():
            return replace(facts, unroutable=event.reason)
        case dispatch.CaseDispatched():
            return _dispatched(facts, event)
        case dispatch.CaseChecked():
            return _checked(facts, event)
        case dispatch.CaseClosed():
            return replace(facts, closed_at=event.at)
        case _:
            return _with_leg(facts, _evolve_leg(_leg(facts, event.leg), event))


def _reported(event: intake.Reported) -> ReportFacts:
    category = event.category or event.named_category
    return ReportFacts(
        reported_at=event.at,
        observed_at=event.observed_at,
        source=event.source,
        category_system=category.system,
        category_code=category.code,
        target_type=event.target_type,
        campaign=event.campaign,
        street=event.place.street,
        community=event.place.community,
        missing=event.missing,
    )


def _filed(facts: ReportFacts, event: intake.Filed) -> ReportFacts:
    return replace(
        facts,
        filed_at=event.at,
        category_system=event.category.system,
        category_code=event.category.code,
        street=event.place.street,
        community=event.place.community,
    )


def _dispatched(facts: CaseFacts, event: dispatch.CaseDispatched) -> CaseFacts:
    if facts.legs:
        raise ImpossibleEvent("The case was dispatched twice.")
    legs = {
        leg.leg: LegFacts(leg=leg.leg, unit=leg.unit, role=leg.role, state="assigned", assigned_at=event.at)
        for leg in event.legs
    }
    lead = next((leg.unit for leg in event.legs if leg.role == "lead"), None)
    return replace(facts, dispatched_at=event.at, unroutable=None, lead=lead, legs=legs)


def _checked(facts: CaseFacts, event: dispatch.CaseChecked) -> CaseFacts:
    sent_back = {number: _sent_back(_leg(facts, number)) for number in event.rework}
    return replace(
        facts,
        checked_at=event.at,
        check_passed=event.passed,
        check_reason=event.reason,
        legs=facts.legs | sent_back,
    )


def _sent_back(leg: LegFacts) -> LegFacts:
    return replace(leg, state="handling", in_rework=True, reworks=leg.reworks + 1)


LegEvent = (
    dispatch.LegSigned
    | dispatch.LegFedBack
    | dispatch.LegReturnRequested
    | dispatch.LegReturnRefused
    | dispatch.LegReturnUpheld
    | dispatch.LegWaived
)


def _evolve_leg(leg: LegFacts, event: LegEvent) -> LegFacts:
    match event:
        case dispatch.LegSigned():
            return replace(leg, state="handling", signed_at=event.at)
        case dispatch.LegFedBack():
            return replace(leg, state="fed_back", fed_back_at=event.at, in_rework=False)
        case dispatch.LegReturnRequested():
            return replace(leg, state="return_pending")
        case dispatch.LegReturnRefused():
            return replace(leg, state="handling")
        case dispatch.LegReturnUpheld():
            # Another unit begins anew: what the first one did is not scored (domain 9.2, row 11).
            return LegFacts(leg=leg.leg, unit=event.to_unit, role=leg.role, state="assigned", assigned_at=event.at)
        case dispatch.LegWaived():
            return replace(leg, state="waived", waived_at=event.at, in_rework=False)
        case _:
            assert_never(event)


def _leg(facts: CaseFacts, number: int) -> LegFacts:
    leg = facts.legs.get(number)
    if leg is None:
        raise ImpossibleEvent(f"Leg {number} was never assigned.")
    return leg


def _with_leg(facts: CaseFacts, leg: LegFacts) -> CaseFacts:
    lead = leg.unit if leg.role == "lead" else facts.lead
    return replace(facts, lead=lead, legs=facts.legs | {leg.leg: leg})
