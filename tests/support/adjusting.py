"""Builders for what changes a case's course in handling, and a case whose clock a test sets by hand."""

from datetime import UTC, datetime, timedelta

from services.dispatch.domain.acting import leg_of
from services.dispatch.domain.adjustments import (
    DecideLegExtension,
    DecideLegSuspension,
    EndorseLegSuspension,
    FireClocks,
    RecomputeClocks,
)
from services.dispatch.domain.case import CaseEvent
from services.dispatch.domain.clocks import wakes
from services.dispatch.domain.commands import AddLegs, Command, DecideLegReturn, RuleLeg, SendLegBack
from services.dispatch.domain.legs import LegState
from shared.contracts.adjustments import RequestLegExtension, RequestLegSuspension, ResumeLeg
from shared.contracts.clocks import Clock, ClockBreached, ClockWarned
from shared.contracts.common import Actor
from shared.contracts.dispatch import RequestLegReturn
from shared.contracts.reference import Limit
from shared.kernel.errors import Refusal
from tests.support.cases import (
    CASE_ID,
    CITY,
    DEPARTMENTS,
    JOINT_RULE,
    SYSTEM,
    Case,
    catalogue,
    department,
    open_case,
    sign,
)

OPENED = "2026-11-23 01:00"
"""A Monday, nine o'clock in Jiaohe."""
EIGHT_HOURS = Limit(amount=8, unit="working_hour")
FIVE_DAYS = Limit(amount=5, unit="working_day")


def utc(text: str) -> datetime:
    """An instant as a test writes it: 2026-11-23 04:01, UTC (eight hours before local time)."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


DUE = utc("2026-11-24 01:00")
"""Eight working hours after `OPENED`."""


def ask_extension(leg: int, *, engineering: bool = False, revision: int | None = None) -> RequestLegExtension:
    return RequestLegExtension(
        case_id=CASE_ID, leg=leg, reason="parts are missing", engineering=engineering, expected_revision=revision
    )


def decide_extension(leg: int, *, approved: bool = True) -> DecideLegExtension:
    return DecideLegExtension(case_id=CASE_ID, leg=leg, approved=approved, reason="seen on site")


def ask_suspension(leg: int, until: datetime) -> RequestLegSuspension:
    return RequestLegSuspension(case_id=CASE_ID, leg=leg, reason="wrong_season", plan="tear it down", until=until)


def endorse(leg: int, *, endorsed: bool = True) -> EndorseLegSuspension:
    return EndorseLegSuspension(case_id=CASE_ID, leg=leg, endorsed=endorsed, reason="frozen ground")


def decide_suspension(leg: int, *, approved: bool = True) -> DecideLegSuspension:
    return DecideLegSuspension(case_id=CASE_ID, leg=leg, approved=approved, reason="until spring")


def resume(leg: int) -> ResumeLeg:
    return ResumeLeg(case_id=CASE_ID, leg=leg, reason="the ground is soft")


def no_handling_needed(leg: int) -> RequestLegReturn:
    return RequestLegReturn(case_id=CASE_ID, leg=leg, reason="no_handling_needed", ground="it is gone")


def uphold_not_needed(leg: int, to_unit: str | None = None) -> DecideLegReturn:
    return DecideLegReturn(case_id=CASE_ID, leg=leg, upheld=True, reason="seen: it is gone", to_unit=to_unit)


def rule_leg(leg: int, to_unit: str) -> RuleLeg:
    return RuleLeg(case_id=CASE_ID, leg=leg, to_unit=to_unit, reason="the meeting has decided")


def send_back(leg: int) -> SendLegBack:
    return SendLegBack(case_id=CASE_ID, leg=leg, reason="the photo shows another place")


def add_legs(*units: str, revision: int | None = None) -> AddLegs:
    return AddLegs(case_id=CASE_ID, units=units, reason="escalated", expected_revision=revision)


def fire(due_at: datetime) -> FireClocks:
    return FireClocks(case_id=CASE_ID, due_at=due_at)


RECOMPUTE = RecomputeClocks(case_id=CASE_ID)


class TimedCase(Case):
    """A case of the joint rule in which everything happens when the test says so."""

    def __init__(self, opened_at: str, limit: Limit = EIGHT_HOURS) -> None:
        super().__init__()
        known = catalogue(JOINT_RULE, limit=limit)
        self.library = self.library.with_document("catalogue", CITY, 1, known)
        self.done(opened_at, open_case(), SYSTEM)

    def at(self, instant: str, command: Command, actor: Actor = SYSTEM) -> list[CaseEvent] | Refusal:
        """Ask for something at this instant (UTC)."""
        self.now = utc(instant) - timedelta(minutes=1)
        return self.when(command, actor)

    def done(self, instant: str, command: Command, actor: Actor = SYSTEM) -> list[CaseEvent]:
        """Do something that must succeed."""
        decision = self.at(instant, command, actor)
        assert not isinstance(decision, Refusal), decision
        return decision

    def fired(self) -> list[CaseEvent]:
        """Let the case's wake fire, at the instant at which it is due."""
        [wake] = wakes(self.known)
        self.now = wake.due_at - timedelta(minutes=1)
        events = self.when(fire(wake.due_at))
        assert not isinstance(events, Refusal)
        return events

    def fired_until(self, instant: str) -> list[CaseEvent]:
        """Let every wake fire that is due by this instant."""
        told: list[CaseEvent] = []
        while (waiting := wakes(self.known)) and waiting[0].due_at <= utc(instant):
            told += self.fired()
        return told

    def leg(self, number: int) -> LegState:
        """Leg as it stands."""
        return leg_of(self.known, number)

    def handle_clock(self, number: int) -> Clock:
        """The leg's handling clock."""
        clock = self.known.handle_clock_of(self.leg(number))
        assert clock is not None
        return clock


def all_signed(limit: Limit = EIGHT_HOURS) -> TimedCase:
    """A case whose three legs were signed five minutes after it was opened."""
    case = TimedCase(OPENED, limit)
    for leg, unit in enumerate(DEPARTMENTS[:3], start=1):
        case.done("2026-11-23 01:05", sign(leg), department(unit))
    return case


def told(events: list[CaseEvent]) -> list[tuple[str, int, int | None]]:
    """What clocks say: stage, percent, leg."""
    return [
        (event.stage, event.percent if isinstance(event, ClockWarned) else 100, event.leg)
        for event in events
        if isinstance(event, ClockWarned | ClockBreached)
    ]
