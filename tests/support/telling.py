"""Life stories of cases in the city as it is seeded: who did what when, in local time, and what time did meanwhile.

Instants are texts, `2026-09-30 16:00`, in the time of Jiaohe: a story is held against a calendar on the wall.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from uuid import UUID

from services.dispatch import seed
from services.dispatch.domain.acting import leg_of
from services.dispatch.domain.adjustments import FireClocks
from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.clocks import wakes
from services.dispatch.domain.commands import Command, OpenCase
from services.dispatch.domain.decide import decide
from services.dispatch.domain.evolve import evolve
from services.dispatch.domain.legs import LegState
from shared.contracts.clocks import Clock, ClockBreached, ClockWarned, LegCountedAsSigned
from shared.contracts.common import Actor, CategoryCode, TargetType
from shared.contracts.decisions import Context
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Document, Kind
from shared.kernel.errors import Refusal
from tests.support.cases import CASE_ID, SYSTEM, actor, department, place
from tests.support.ends import asks
from tests.support.working_hours import LOCAL, local

STREET = "street-220281001"
"""民主街道, where every story happens."""

Act = Command | Callable[[int], Command]
"""What somebody does; with a number of a leg, where a unit does it on its own."""


@cache
def seeded() -> ReferenceLibrary:
    """The city's documents as they are published first."""
    library = ReferenceLibrary()
    for (kind, name), document in seed.documents().items():
        library = library.with_document(kind, name, 1, document)
    return library


def as_local(instant: datetime) -> str:
    return instant.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")


class Life:
    """One case. Before every act everything happens that time has brought by then, unless the service is down."""

    def __init__(self, case_id: UUID = CASE_ID, library: ReferenceLibrary | None = None) -> None:
        self.case_id = case_id
        self.library = library or seeded()
        self.events: list[CaseEvent] = []
        self.state: CaseState | None = None
        self.down = False
        self._told_to_others = 0

    # ---------------------------------------------------------------------------------------------- what happens

    def asks(self, instant: str, who: Actor | str, act: Act, decided: str | None = None) -> list[CaseEvent] | Refusal:
        """Somebody asks for something: what happens, or the refusal."""
        at = local(instant)
        while not self.down and self.state and (waiting := wakes(self.known)) and waiting[0].due_at < at:
            self._fire(waiting[0].due_at, now=waiting[0].due_at)
        by = department(who) if isinstance(who, str) else who
        command = act(self.units.index(by.unit) + 1) if callable(act) else act
        return self._decided(command, by, at, local(decided) if decided else at)

    def when(self, instant: str, who: Actor | str, act: Act, *, decided: str | None = None) -> list[CaseEvent]:
        """Somebody does something, and may; `decided` later than it came in, where the service was down."""
        answer = self.asks(instant, who, act, decided)
        assert not isinstance(answer, Refusal), answer
        return answer

    def each(self, instant: str, units: Sequence[str], act: Callable[[int], Command]) -> None:
        """Several units do the same, each on its own leg."""
        for unit in units:
            self.when(instant, unit, act)

    def refuses(self, instant: str, who: Actor | str, act: Act) -> str:
        """Somebody asks for something and may not: why."""
        answer = self.asks(instant, who, act)
        assert isinstance(answer, Refusal), answer
        return answer.code

    def time_passes(self, until: str) -> None:
        """Everything happens that is due by this instant, each at its own."""
        while (waiting := wakes(self.known)) and waiting[0].due_at <= local(until):
            self._fire(waiting[0].due_at, now=waiting[0].due_at)

    def comes_back(self, instant: str) -> None:
        """The service was down, has read what came in meanwhile, and now tells what fell due."""
        self.down = False
        while (waiting := wakes(self.known)) and waiting[0].due_at <= local(instant):
            self._fire(waiting[0].due_at, now=local(instant))

    def publish(self, kind: Kind, document: Document) -> None:
        """The city publishes the second version of a document."""
        self.library = self.library.with_document(kind, seed.CITY, 2, document)

    def news(self) -> list[Command]:
        """What the events that no other case has heard of yet mean for other cases."""
        fresh, self._told_to_others = self.events[self._told_to_others :], len(self.events)
        return [command for event in fresh for command in asks(self.case_id, event)]

    # ------------------------------------------------------------------------------------------- what is the case

    @property
    def known(self) -> CaseState:
        assert self.state is not None
        return self.state

    @property
    def stage(self) -> str:
        return self.known.state

    @property
    def units(self) -> tuple[str, ...]:
        """The units of all legs, the lead first."""
        return tuple(leg.unit for leg in self.known.legs)

    @property
    def checker(self) -> Actor:
        """A collector of the unit that is to check."""
        assert self.known.check is not None
        return actor(self.known.check.unit, "collector", "collector-1")

    def leg(self, unit: str) -> LegState:
        return leg_of(self.known, self.units.index(unit) + 1)

    def clock(self, unit: str) -> Clock:
        clock = self.known.handle_clock_of(self.leg(unit))
        assert clock is not None
        return clock

    def due(self, unit: str) -> str:
        """Until when the unit has to have handled it."""
        return as_local(self.clock(unit).due_at)

    def due_first(self, unit: str) -> str:
        """Until when it had to, before anything moved that."""
        return as_local(self.clock(unit).original_due_at)

    def sign_due(self, unit: str) -> str:
        clock = self.known.sign_clock_of(self.leg(unit))
        assert clock is not None
        return as_local(clock.due_at)

    def check_due(self) -> str:
        assert self.known.check is not None
        assert self.known.check.clock is not None
        return as_local(self.known.check.clock.due_at)

    def told(self, unit: str | None) -> list[str]:
        """What the clocks of a unit have told (of the case's own part: None), and when."""
        return [
            f"{as_local(event.at)} {_said(event)}"
            for event in self.events
            if isinstance(event, ClockWarned | ClockBreached | LegCountedAsSigned) and event.unit == unit
        ]

    # -------------------------------------------------------------------------------------------------------------

    def _fire(self, due_at: datetime, now: datetime) -> None:
        self._decided(FireClocks(case_id=self.case_id, due_at=due_at), SYSTEM, now, now)

    def _decided(self, command: Command, by: Actor, at: datetime, now: datetime) -> list[CaseEvent] | Refusal:
        context = Context(stream=self.case_id, now=now, at=at, actor=by, library=self.library)
        answer = decide(seed.CITY, self.state, command, context)
        if isinstance(answer, Refusal):
            return answer
        for event in answer:
            self.state = evolve(self.state, event)
            self.events.append(event)
        return answer


def filed(
    instant: str,
    category: str,
    condition: str = "01",
    *,
    target_type: TargetType = "public_space",
    case_id: UUID = CASE_ID,
    library: ReferenceLibrary | None = None,
) -> Life:
    """A report is filed, and its case opened and dispatched in the same minute."""
    at = local(instant)
    life = Life(case_id, library)
    opening = OpenCase(
        case_id=case_id,
        report_sequence=3,
        source="grid-platform",
        category=CategoryCode(system="jiaohe", version=1, code=category, condition=condition),
        place=place(),
        observed_at=at,
        reported_at=at,
        filed_at=at,
        target_type=target_type,
        campaign=None,
    )
    life.when(instant, SYSTEM, opening)
    return life


def handled(life: Life, instant: str, act: Callable[[int], Command]) -> None:
    """Every unit does this on its leg, the lead last."""
    life.each(instant, (*life.units[1:], life.units[0]), act)


def they_talk(instant: str, *lives: Life) -> None:
    """Several cases hear of each other what there is to hear, until nobody says anything more."""
    of = {life.case_id: life for life in lives}
    while commands := [command for life in lives for command in life.news()]:
        for command in commands:
            of[command.case_id].when(instant, SYSTEM, command)


def _said(event: ClockWarned | ClockBreached | LegCountedAsSigned) -> str:
    match event:
        case ClockWarned():
            return f"{event.stage} {event.percent} %"
        case ClockBreached():
            return f"{event.stage} breached"
        case LegCountedAsSigned():
            return "counted as signed"
