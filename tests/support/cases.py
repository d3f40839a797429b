"""Builders for tests of dispatch: a small city, its actors, and given / when / then over case events."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from services.dispatch.domain.case import CaseEvent, CaseState
from services.dispatch.domain.commands import (
    CheckCase,
    CloseCase,
    Command,
    DecideLegReturn,
    DispatchCase,
    OpenCase,
    WaiveLeg,
)
from services.dispatch.domain.decide import decide
from services.dispatch.domain.evolve import evolve
from shared.contracts.common import Actor, CategoryCode, Place, Post, TargetType
from shared.contracts.decisions import Context
from shared.contracts.dispatch import FeedBackLeg, RequestLegReturn, SignLeg
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import (
    Calendar,
    CalendarDay,
    Catalogue,
    Category,
    FilingCondition,
    Limit,
    LimitPolicy,
    PowerRule,
    Routing,
    Season,
    Slot,
    Unit,
    Units,
)
from shared.kernel.errors import Refusal
from shared.kernel.identifiers import named_id

CITY = "jiaohe"
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
CASE_ID = named_id("test", "case")
STREET = "220281001"
OTHER_STREET = "220281002"
STREET_UNIT = f"street-{STREET}"
TWO_HOURS = Limit(amount=2, unit="urgent_hour")

URBAN, MARKET, FIRE, POLICE = "urban-management", "market-supervision", "fire-rescue", "public-security"
DEPARTMENTS = (URBAN, MARKET, FIRE, POLICE)


UnitKind = Literal["department", "street", "supervision_centre", "command_centre", "leadership", "service"]


def unit(
    code: str, kind: UnitKind = "department", posts: Sequence[Post] = ("department",), street: str | None = None
) -> Unit:
    return Unit(code=code, name_zh=code, name_en=code, kind=kind, posts=tuple(posts), street=street)


UNITS = Units(
    units=(
        *(unit(code) for code in DEPARTMENTS),
        unit(STREET_UNIT, "street", ("department", "street"), STREET),
        unit("property-service", "service"),
        unit("supervision-centre", "supervision_centre", ("collector", "acceptor", "duty_leader", "evaluator")),
        unit("command-centre", "command_centre", ("dispatcher", "inspector")),
        unit("city-leadership", "leadership", ("leader",)),
    ),
    sources=(),
)


def units_with_posts(code: str, *posts: Post) -> Units:
    """The city's units, where one unit has these posts instead of its own."""
    return Units(
        units=tuple(
            msgspec.structs.replace(known, posts=posts) if known.code == code else known for known in UNITS.units
        ),
        sources=(),
    )


def actor(unit: str, post: Post, person: str | None = None) -> Actor:
    return Actor(client=f"client-of-{unit}", unit=unit, post=post, person=person)


def department(unit: str, person: str | None = None) -> Actor:
    return actor(unit, "department", person)


COLLECTOR = actor("supervision-centre", "collector", "collector-1")
DUTY_LEADER = actor("supervision-centre", "duty_leader", "leader-1")
DISPATCHER = actor("command-centre", "dispatcher", "dispatcher-1")
LEADER = actor("city-leadership", "leader", "leader-2")
SYSTEM = actor("dispatch", "system")


def condition(code: str = "found", limit: Limit = TWO_HOURS) -> FilingCondition:
    return FilingCondition(
        code=code,
        name_zh="发现",
        name_en="found",
        limit=limit,
        statutory=False,
        closing_condition_zh="已清除",
        closing_condition_en="removed",
    )


def category(code: str, limit: Limit = TWO_HOURS) -> Category:
    return Category(
        code=code,
        name_zh=code,
        name_en=code,
        component=False,
        local=False,
        safety=False,
        conditions=(condition(limit=limit),),
        legal_basis="a law",
        source="a test",
    )


def rule(
    name: str,
    lead: str = URBAN,
    support: Sequence[str] = (),
    target_types: Sequence[TargetType] = (),
    streets: Sequence[str] = (),
    category: str = "E0406",
) -> PowerRule:
    return PowerRule(
        rule=name,
        category=category,
        lead=lead,
        support=tuple(support),
        legal_basis=f"law of {name}",
        target_types=tuple(target_types),
        streets=tuple(streets),
    )


def catalogue(*rules: PowerRule, limit: Limit = TWO_HOURS) -> Catalogue:
    return Catalogue(
        system=CITY, title_zh="目录", title_en="catalogue", categories=(category("E0406", limit),), power_list=rules
    )


JOINT_RULE = rule("joint", URBAN, (MARKET, FIRE))


WORKDAY = Season(
    starts_on="01-01",
    name_zh="全年",
    name_en="all year",
    slots=(Slot(start="08:00", end="12:00"), Slot(start="14:00", end="18:00")),
)
CALENDAR = Calendar(
    city=CITY,
    first_year=2026,
    last_year=2026,
    days=(
        CalendarDay(day=date(2026, 10, 1), workday=False, name_zh="国庆节", name_en="National Day", source="a test"),
        CalendarDay(day=date(2026, 10, 10), workday=True, name_zh="调休", name_en="make-up day", source="a test"),
    ),
)
LIMIT_POLICY = LimitPolicy(
    city=CITY,
    seasons=(WORKDAY,),
    accept=Limit(amount=1, unit="working_hour"),
    file=Limit(amount=1, unit="working_hour"),
    verify=Limit(amount=1, unit="working_hour"),
    dispatch=Limit(amount=1, unit="urgent_hour"),
    sign=Limit(amount=1, unit="urgent_hour"),
    check=Limit(amount=4, unit="urgent_hour"),
)


def library(*rules: PowerRule, units: Units = UNITS, known: Catalogue | None = None) -> ReferenceLibrary:
    return ReferenceLibrary(
        {
            ("catalogue", CITY): {1: known or catalogue(*(rules or (JOINT_RULE,)))},
            ("units", CITY): {1: units},
            ("calendar", CITY): {1: CALENDAR},
            ("limit_policy", CITY): {1: LIMIT_POLICY},
            ("routing", CITY): {1: Routing(city=CITY, overrides=())},
        }
    )


def place(street: str | None = STREET) -> Place:
    return Place(longitude=127.34, latitude=43.72, street=street, community=f"{street}001" if street else None)


CATEGORY = CategoryCode(system=CITY, version=1, code="E0406", condition="found")


def open_case(case_id: UUID = CASE_ID, street: str | None = STREET, report_sequence: int = 3) -> OpenCase:
    return OpenCase(
        case_id=case_id,
        report_sequence=report_sequence,
        source=URBAN,
        category=CATEGORY,
        place=place(street),
        observed_at=NOON,
        reported_at=NOON,
        filed_at=NOON,
        target_type="public_space",
        campaign="winter",
    )


def sign(leg: int, revision: int | None = None) -> SignLeg:
    return SignLeg(case_id=CASE_ID, leg=leg, expected_revision=revision)


def feed_back(leg: int, revision: int | None = None) -> FeedBackLeg:
    return FeedBackLeg(case_id=CASE_ID, leg=leg, closing_condition="removed", expected_revision=revision)


def request_return(leg: int) -> RequestLegReturn:
    return RequestLegReturn(case_id=CASE_ID, leg=leg, reason="not_our_duty", ground="power list, line 3")


def uphold(leg: int, to_unit: str | None = POLICE) -> DecideLegReturn:
    return DecideLegReturn(case_id=CASE_ID, leg=leg, upheld=True, reason="wrong dispatch", to_unit=to_unit)


def refuse_return(leg: int, to_unit: str | None = None) -> DecideLegReturn:
    return DecideLegReturn(case_id=CASE_ID, leg=leg, upheld=False, reason="it is yours", to_unit=to_unit)


def waive(leg: int) -> WaiveLeg:
    return WaiveLeg(case_id=CASE_ID, leg=leg, reason="not needed")


def check_passed(revision: int | None = None, rework: tuple[int, ...] = ()) -> CheckCase:
    return CheckCase(case_id=CASE_ID, passed=True, rework=rework, expected_revision=revision)


def check_failed(*rework: int, reason: str | None = "still there") -> CheckCase:
    return CheckCase(case_id=CASE_ID, passed=False, rework=rework, reason=reason)


def close(revision: int | None = None) -> CloseCase:
    return CloseCase(case_id=CASE_ID, expected_revision=revision)


def dispatch_by_hand(lead: str = URBAN, support: Sequence[str] = ()) -> DispatchCase:
    return DispatchCase(case_id=CASE_ID, lead=lead, support=tuple(support), reason="nearest")


ActorStep = tuple[Command, Actor]


class Case:
    """A case under test: `given` steps must succeed, `when` answers with events or the refusal."""

    def __init__(self, *rules: PowerRule, units: Units = UNITS, known: Catalogue | None = None) -> None:
        self.library = library(*rules, units=units, known=known)
        self.state: CaseState | None = None
        self.events: list[CaseEvent] = []
        self.now = NOON

    def when(self, command: Command, actor: Actor = SYSTEM) -> list[CaseEvent] | Refusal:
        self.now += timedelta(minutes=1)
        context = Context(stream=CASE_ID, now=self.now, at=self.now, actor=actor, library=self.library)
        decision = decide(CITY, self.state, command, context)
        if not isinstance(decision, Refusal):
            for event in decision:
                self.state = evolve(self.state, event)
                self.events.append(event)
        return decision

    def given(self, *steps: tuple[Command, Actor]) -> "Case":
        for command, by in steps:
            decision = self.when(command, by)
            assert not isinstance(decision, Refusal), decision
        return self

    @property
    def known(self) -> CaseState:
        assert self.state is not None
        return self.state

    @property
    def stage(self) -> str:
        return self.known.state


def opened(*rules: PowerRule) -> Case:
    """A case just opened: three legs by the joint rule unless other rules are given."""
    return Case(*rules).given((open_case(), SYSTEM))


def signed(*legs: int) -> list[tuple[Command, Actor]]:
    return [(sign(leg), department(DEPARTMENTS[leg - 1])) for leg in legs]


def fed_back(*legs: int) -> list[tuple[Command, Actor]]:
    return [(feed_back(leg), department(DEPARTMENTS[leg - 1])) for leg in legs]


def handled() -> Case:
    """Every leg signed and fed back, the lead last."""
    return opened().given(*signed(1, 2, 3), *fed_back(2, 3, 1))


def checked() -> Case:
    return handled().given((check_passed(), COLLECTOR))


def closed() -> Case:
    return checked().given((close(), DUTY_LEADER))


def leg_states(case: Case) -> dict[int, str]:
    return {leg.leg: leg.state for leg in case.known.legs}


def facts(event: CaseEvent) -> Mapping[str, object]:
    """The event as it is published, without its stamp, for comparing with what a test writes by hand."""
    published = msgspec.json.decode(msgspec.json.encode(event), type=dict[str, object])
    return {name: value for name, value in published.items() if name not in {"at", "by"}}


def refusal(decision: list[CaseEvent] | Refusal) -> str:
    """The code of the refusal that a test expects."""
    assert isinstance(decision, Refusal), decision
    return decision.code
