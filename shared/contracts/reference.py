"""The reference documents that dispatch owns and every service copies; immutable, one event a version.

Stream = `reference_stream(kind, name)`; version n of a document is event n of its stream (I-19).
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, ClassVar, Final, Literal, TypeVar
from uuid import UUID

from msgspec import Meta, Raw

from shared.contracts.common import Event, Level, Message, Post, ShortText, Slug, TargetType
from shared.kernel.identifiers import named_id

Kind = Literal["catalogue", "units", "places", "calendar", "limit_policy", "routing"]

LimitUnit = Literal[
    "urgent_hour", "urgent_day", "working_hour", "working_day", "natural_day", "statutory_working_day", "at_once"
]
"""紧急工作时, 紧急工作日, 工作时, 工作日 (8 working hours), 自然日, statutory working day, 立即."""


TimeOfDay = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
DayOfYear = Annotated[str, Meta(pattern="^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


class Limit(Message, frozen=True, kw_only=True):
    """A time limit as the catalogue states it; `amount` is 0 for `at_once`."""

    amount: int
    unit: LimitUnit


class FilingCondition(Message, frozen=True, kw_only=True):
    """立案条件: the time limit and the closing condition hang on it, not on the category (domain 1.6)."""

    code: str
    name_zh: str
    name_en: str
    limit: Limit
    statutory: bool
    """A legal order (责令改正) sets its own deadline beside the platform's."""
    closing_condition_zh: str
    closing_condition_en: str


class Category(Message, frozen=True, kw_only=True):
    """One class of problems. `source` says where code and limit come from."""

    code: str
    name_zh: str
    name_en: str
    component: bool
    local: bool
    safety: bool
    conditions: tuple[FilingCondition, ...]
    legal_basis: str
    source: str
    no_site_check: bool = False
    """Nothing is left on site to look at: it may be closed on papers (domain 9.2, row 22), and is sampled later."""


class PartOfYear(Message, frozen=True, kw_only=True):
    """Every year from `first` to `last` (MM-DD), both included; over the turn of the year where `last` is earlier."""

    first: DayOfYear
    last: DayOfYear


class When(Message, frozen=True, kw_only=True):
    """When a rule applies, local time (UTC+8): where several are said, all of them.

    `weekdays` count from Monday, 1. `working_time` is that of the city's calendar and limit policy: inside it alone,
    outside it alone, or both.
    """

    season: PartOfYear | None = None
    weekdays: tuple[Annotated[int, Meta(ge=1, le=7)], ...] = ()
    working_time: bool | None = None


Criterion = Literal["local_override", "community", "street", "target_type", "time"]
_DIVISION_DIGITS: Final = 6
PRECEDENCE: Final[tuple[Criterion, ...]] = ("local_override", "community", "street", "target_type", "time")
"""Of two rules that fit a case, the first criterion that one of them has and the other has not decides for that one.

A rule that has none of them is general: it fits whatever no other rule does.
"""


class PowerRule(Message, frozen=True, kw_only=True):
    """One line of the power list (权责清单): who leads and who supports, for a category and where it narrows.

    Empty `target_types`, `streets`, `communities` or no `when` means any. Units starting with @ are resolved at the
    place: `@street`. `level` is where the case has to be solved. In force from and until these days, both included.
    """

    rule: str
    category: str
    lead: str
    support: tuple[str, ...]
    legal_basis: str
    target_types: tuple[TargetType, ...] = ()
    streets: tuple[str, ...] = ()
    communities: tuple[str, ...] = ()
    when: When | None = None
    level: Level = "city"
    valid_from: date | None = None
    valid_until: date | None = None

    @property
    def criteria(self) -> tuple[bool, ...]:
        """Return which criteria of `PRECEDENCE` this rule has, in their order: of two that fit, the greater wins."""
        return False, bool(self.communities), bool(self.streets), bool(self.target_types), self.when is not None


class LocalOverride(PowerRule, frozen=True, kw_only=True):
    """A rule of the city's own, for a category of the code system `system`, and why the power list is not followed.

    `reason` is in the city's language alone, like `legal_basis`: whoever explains quotes it as it stands.
    """

    system: Slug
    reason: ShortText

    @property
    def criteria(self) -> tuple[bool, ...]:
        """Return which criteria of `PRECEDENCE` this rule has, in their order: of two that fit, the greater wins."""
        return True, *super().criteria[1:]


R = TypeVar("R", bound=PowerRule)
K = TypeVar("K", bound=Hashable)


def _in_order(rules: Iterable[tuple[K, R]]) -> dict[K, tuple[R, ...]]:
    """Return the rules by key, in order of precedence; equal ones as they stand in the document."""
    found: defaultdict[K, list[R]] = defaultdict(list)
    for key, rule in rules:
        found[key].append(rule)
    return {key: tuple(sorted(known, key=_criteria, reverse=True)) for key, known in found.items()}


def _criteria(rule: PowerRule) -> tuple[bool, ...]:
    return rule.criteria


class Catalogue(Message, frozen=True, kw_only=True, dict=True):
    """立案标准 and power list of one code system."""

    system: str
    title_zh: str
    title_en: str
    categories: tuple[Category, ...]
    power_list: tuple[PowerRule, ...]

    @cached_property
    def by_code(self) -> Mapping[str, Category]:
        """The categories by their code."""
        return {category.code: category for category in self.categories}

    @cached_property
    def rules(self) -> Mapping[str, tuple[PowerRule, ...]]:
        """The power list by category, in order of precedence."""
        return _in_order((rule.category, rule) for rule in self.power_list)


class Routing(Message, frozen=True, kw_only=True, dict=True):
    """本地规则: the city's own rules, which win over the power lists of all catalogues."""

    city: str
    overrides: tuple[LocalOverride, ...]

    @cached_property
    def rules(self) -> Mapping[tuple[str, str], tuple[LocalOverride, ...]]:
        """The overrides by code system and category, in order of precedence."""
        return _in_order(((rule.system, rule.category), rule) for rule in self.overrides)


class Unit(Message, frozen=True, kw_only=True):
    """A body that acts: its slug names its topics and its tokens. `posts` may be held in it."""

    code: str
    name_zh: str
    name_en: str
    kind: Literal["department", "street", "supervision_centre", "command_centre", "leadership", "service"]
    posts: tuple[Post, ...]
    street: str | None = None


class Source(Message, frozen=True, kw_only=True):
    """A party that may submit reports. A trusted one's complete reports are filed at once."""

    code: str
    name_zh: str
    name_en: str
    trusted: bool


class Units(Message, frozen=True, kw_only=True, dict=True):
    """Units, posts and sources of the city."""

    units: tuple[Unit, ...]
    sources: tuple[Source, ...]

    @cached_property
    def by_code(self) -> Mapping[str, Unit]:
        """The units by their slug."""
        return {unit.code: unit for unit in self.units}

    @cached_property
    def of_street(self) -> Mapping[str, Unit]:
        """The units of the streets by the code of their street."""
        return {unit.street: unit for unit in self.units if unit.kind == "street" and unit.street}


class Area(Message, frozen=True, kw_only=True):
    """A street, town, township, community or village; `parent` is the street's code for the lower two."""

    code: str
    name: str
    kind: Literal["street", "town", "township", "community", "village"]
    parent: str | None = None


class Places(Message, frozen=True, kw_only=True, dict=True):
    """The city: its outline (ring of [longitude, latitude], WGS-84) and its areas."""

    city: str
    name: str
    outline: tuple[tuple[float, float], ...]
    areas: tuple[Area, ...]

    @cached_property
    def division(self) -> str | None:
        """The city's code (GB/T 2260), with which the codes of its areas begin (domain 1.5); None if they do not."""
        codes = {area.code[:_DIVISION_DIGITS] for area in self.areas}
        code = codes.pop() if len(codes) == 1 else ""
        return code if len(code) == _DIVISION_DIGITS and code.isdecimal() else None


class CalendarDay(Message, frozen=True, kw_only=True):
    """A day that is more than its weekday says: a holiday, a make-up working day 调休, a local day off."""

    day: date
    workday: bool
    name_zh: ShortText
    name_en: ShortText
    source: str


class FixedHoliday(Message, frozen=True, kw_only=True):
    """A statutory holiday on the same day of every year (MM-DD), which is thus known before the notice of its year."""

    day: DayOfYear
    name_zh: ShortText
    name_en: ShortText


class Calendar(Message, frozen=True, kw_only=True, cache_hash=True):
    """工作日历 of the city: what is known of the years `first_year` to `last_year`, by the State Council's notices.

    A day of a known year that is not listed is what its weekday says. Of a later year only `fixed_holidays` are known:
    what is computed with it is provisional (domain 6). `days` are in order, each at most once.
    """

    city: str
    first_year: int
    last_year: int
    days: tuple[CalendarDay, ...]
    fixed_holidays: tuple[FixedHoliday, ...] = ()


class Slot(Message, frozen=True, kw_only=True):
    """Working time of a day, from `start` to `end`, local time (UTC+8), HH:MM."""

    start: TimeOfDay
    end: TimeOfDay


class Season(Message, frozen=True, kw_only=True):
    """Working slots from this day of the year (MM-DD) until the next season begins; in order, not overlapping."""

    starts_on: DayOfYear
    name_zh: str
    name_en: str
    slots: tuple[Slot, ...]


class LimitPolicy(Message, frozen=True, kw_only=True, cache_hash=True):
    """时限规则 of the city: its working hours, and how long each stage before and after handling may take.

    A working day is 8 working hours, whatever the slots add up to (domain 1.7). A re-inspection follows within 3
    statutory working days where the city says nothing else (domain 4.3, line 8).
    """

    city: str
    seasons: tuple[Season, ...]
    accept: Limit
    file: Limit
    verify: Limit
    dispatch: Limit
    sign: Limit
    check: Limit
    reinspection: Limit = Limit(amount=3, unit="statutory_working_day")


Document = Catalogue | Units | Places | Calendar | LimitPolicy | Routing
DOCUMENTS: Final[dict[str, type[Document]]] = {
    "catalogue": Catalogue,
    "units": Units,
    "places": Places,
    "calendar": Calendar,
    "limit_policy": LimitPolicy,
    "routing": Routing,
}


class ReferencePublished(Event, frozen=True, kw_only=True):
    """A new version of a reference document is in force. `document` is the JSON of the kind's document."""

    type: ClassVar[str] = "jointenforcement.reference.published.v1"
    kind: Kind
    name: str
    version: int
    document: Raw


def reference_stream(kind: Kind, name: str) -> UUID:
    """Return the id of the stream whose event n is version n of this document."""
    return named_id("reference", kind, name)
