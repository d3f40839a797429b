"""Builders around reports: a small city with its reference documents, submissions, actors, contexts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial, reduce
from uuid import UUID

import msgspec

from services.intake.domain import decide as deciding
from services.intake.domain.commands import Channel, Command, Submit
from services.intake.domain.report import Report, ReportEvent, evolve
from shared.contracts.common import Actor, Place, Post
from shared.contracts.decisions import Context
from shared.contracts.intake import Contact, ReportSubmission, SubmittedCategory, SubmittedPlace
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import (
    Area,
    Catalogue,
    Category,
    FilingCondition,
    Limit,
    Places,
    Source,
    Unit,
    Units,
)
from shared.kernel.errors import Refusal
from shared.kernel.identifiers import named_id
from tests.support.working_hours import CALENDAR, HOURS

CITY = "jiaohe"
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
REPORT_ID = named_id("test", "report")
SALT = bytes(range(16))

STREET, OTHER_STREET = "220281001", "220281002"
COMMUNITY, OTHER_COMMUNITY = "220281001001", "220281002001"
TRUSTED, UNTRUSTED = "grid-platform", "citizen-portal"

PHONE = "13900000001"
DESCRIPTION = "三号楼楼道里有电动自行车充电"
ADDRESS = "民主路 8 号 3 号楼 2 单元 401"
PHOTO = "photos/7f3a/stairwell.jpg"
PRIVATE_WORDS = (PHONE, DESCRIPTION, ADDRESS, PHOTO)


def _condition(code: str) -> FilingCondition:
    return FilingCondition(
        code=code,
        name_zh=code,
        name_en=code,
        limit=Limit(amount=2, unit="urgent_hour"),
        statutory=False,
        closing_condition_zh="已清理",
        closing_condition_en="cleared",
    )


def _category(code: str, *conditions: str) -> Category:
    return Category(
        code=code,
        name_zh=code,
        name_en=code,
        component=False,
        local=False,
        safety=False,
        conditions=tuple(_condition(condition) for condition in conditions),
        legal_basis="basis",
        source="test",
    )


CATALOGUE = Catalogue(
    system=CITY,
    title_zh="立案标准",
    title_en="filing standard",
    categories=(_category("E0702", "default"), _category("E0203", "large", "small")),
    power_list=(),
)
PLACES = Places(
    city=CITY,
    name="蛟河市",
    outline=((127.0, 43.0), (128.0, 43.0), (128.0, 44.0), (127.0, 44.0), (127.0, 43.0)),
    areas=(
        Area(code=STREET, name="民主街道", kind="street"),
        Area(code=OTHER_STREET, name="长安街道", kind="street"),
        Area(code=COMMUNITY, name="民主社区", kind="community", parent=STREET),
        Area(code=OTHER_COMMUNITY, name="长安社区", kind="community", parent=OTHER_STREET),
    ),
)
UNITS = Units(
    units=(
        Unit(
            code="supervision-centre",
            name_zh="监督中心",
            name_en="supervision centre",
            kind="supervision_centre",
            posts=("collector", "acceptor", "duty_leader", "evaluator"),
        ),
        Unit(code="city-leadership", name_zh="市领导", name_en="leaders", kind="leadership", posts=("leader",)),
        Unit(
            code="joint-administration",
            name_zh="平台管理",
            name_en="administration",
            kind="service",
            posts=("administrator",),
        ),
        Unit(
            code="urban-management",
            name_zh="城管",
            name_en="urban management",
            kind="department",
            posts=("department",),
        ),
    ),
    sources=(
        Source(code=TRUSTED, name_zh="网格平台", name_en="grid platform", trusted=True),
        Source(code=UNTRUSTED, name_zh="市民端", name_en="citizen portal", trusted=False),
    ),
)
LIBRARY = (
    ReferenceLibrary()
    .with_document("catalogue", CITY, 1, CATALOGUE)
    .with_document("places", CITY, 1, PLACES)
    .with_document("units", CITY, 1, UNITS)
    .with_document("calendar", CITY, 1, CALENDAR)
    .with_document("limit_policy", CITY, 1, HOURS)
)

HOME_UNITS: dict[Post, str] = {
    "acceptor": "supervision-centre",
    "duty_leader": "supervision-centre",
    "collector": "supervision-centre",
    "leader": "city-leadership",
    "administrator": "joint-administration",
    "department": "urban-management",
}


def two_units() -> ReferenceLibrary:
    """The city with collectors in urban management too."""
    units = tuple(
        msgspec.structs.replace(unit, posts=(*unit.posts, "collector")) if unit.code == "urban-management" else unit
        for unit in UNITS.units
    )
    return LIBRARY.with_document("units", CITY, 2, Units(units=units, sources=UNITS.sources))


def person(post: Post, *, unit: str | None = None) -> Actor:
    """Somebody who holds the post, in the unit that has it."""
    return Actor(client="console", unit=unit or HOME_UNITS[post], post=post, person=f"{post}-1")


def source(code: str = TRUSTED) -> Actor:
    """The program of a source."""
    return Actor(client=code, unit=code, post="source")


def category(code: str = "E0702", **parts: object) -> SubmittedCategory:
    return msgspec.structs.replace(SubmittedCategory(system=CITY, code=code), **parts)


def place(**parts: object) -> SubmittedPlace:
    complete = SubmittedPlace(longitude=127.3, latitude=43.7, street=STREET, community=COMMUNITY, address=ADDRESS)
    return msgspec.structs.replace(complete, **parts)


def submission(**parts: object) -> ReportSubmission:
    """A complete submission with everything in it that may have to be forgotten."""
    complete = ReportSubmission(
        category=category(),
        place=place(),
        observed_at=NOW - timedelta(hours=1),
        description=DESCRIPTION,
        contact=Contact(name="王", phone=PHONE),
        photos=(PHOTO,),
    )
    return msgspec.structs.replace(complete, **parts)


def public_place(**parts: object) -> Place:
    return msgspec.structs.replace(Place(longitude=127.3, latitude=43.7, street=STREET, community=COMMUNITY), **parts)


def submit(channel: Channel = "topic", **parts: object) -> Submit:
    return Submit(report_id=REPORT_ID, channel=channel, submission=submission(**parts), salt=SALT)


def context(
    actor: Actor, *, at: datetime = NOW, library: ReferenceLibrary = LIBRARY, stream: UUID = REPORT_ID
) -> Context:
    return Context(stream=stream, now=at, at=at, actor=actor, library=library)


decide = partial(deciding.decide, city=CITY)


def fold(events: Sequence[ReportEvent]) -> Report | None:
    """The state after the events."""
    return reduce(evolve, events, None)


class Given:
    """given(events).when(command, actor) is the decision; `.and_when` goes on from there."""

    def __init__(self, *events: ReportEvent) -> None:
        self.events = events

    @property
    def state(self) -> Report:
        state = fold(self.events)
        assert state is not None
        return state

    def when(self, command: Command, actor: Actor, *, library: ReferenceLibrary = LIBRARY) -> list[ReportEvent]:
        decision = decide(fold(self.events), command, context(actor, library=library))
        assert not isinstance(decision, Refusal), decision
        return list(decision)  # type: ignore[arg-type]

    def after(self, command: Command, actor: Actor) -> "Given":
        """The same report after one more accepted command."""
        return Given(*self.events, *self.when(command, actor))

    def refuses(self, command: Command, actor: Actor, *, library: ReferenceLibrary = LIBRARY) -> Refusal:
        decision = decide(fold(self.events), command, context(actor, library=library))
        assert isinstance(decision, Refusal), decision
        return decision
