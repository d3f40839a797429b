"""The reference documents that dispatch owns and every service copies; immutable, one event a version.

Stream = `reference_stream(kind, name)`; version n of a document is event n of its stream (I-19).
"""

from datetime import date
from typing import Annotated, ClassVar, Final, Literal
from uuid import UUID

from msgspec import Meta, Raw

from shared.contracts.common import Event, Message, Post, TargetType
from shared.kernel.identifiers import named_id

Kind = Literal["catalogue", "units", "places", "calendar", "limit_policy"]
KINDS: Final[tuple[Kind, ...]] = ("catalogue", "units", "places", "calendar", "limit_policy")

LimitUnit = Literal[
    "urgent_hour", "urgent_day", "working_hour", "working_day", "natural_day", "statutory_working_day", "at_once"
]
"""紧急工作时, 紧急工作日, 工作时, 工作日 (8 working hours), 自然日, statutory working day, 立即."""


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


class PowerRule(Message, frozen=True, kw_only=True):
    """One line of the power list (权责清单): who leads and who supports, for a category and where it narrows.

    Empty `target_types` or `streets` means any. Units starting with @ are resolved at the place: `@street`.
    """

    rule: str
    category: str
    lead: str
    support: tuple[str, ...]
    legal_basis: str
    target_types: tuple[TargetType, ...] = ()
    streets: tuple[str, ...] = ()


class Catalogue(Message, frozen=True, kw_only=True):
    """立案标准 and power list of one code system."""

    system: str
    title_zh: str
    title_en: str
    categories: tuple[Category, ...]
    power_list: tuple[PowerRule, ...]


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


class Units(Message, frozen=True, kw_only=True):
    """Units, posts and sources of the city."""

    units: tuple[Unit, ...]
    sources: tuple[Source, ...]


class Area(Message, frozen=True, kw_only=True):
    """A street, town, township, community or village; `parent` is the street's code for the lower two."""

    code: str
    name: str
    kind: Literal["street", "town", "township", "community", "village"]
    parent: str | None = None


class Places(Message, frozen=True, kw_only=True):
    """The city: its outline (ring of [longitude, latitude], WGS-84) and its areas."""

    city: str
    name: str
    outline: tuple[tuple[float, float], ...]
    areas: tuple[Area, ...]


class CalendarDay(Message, frozen=True, kw_only=True):
    """A day that is not what its weekday says: a holiday, a make-up working day 调休, a local day off."""

    day: date
    workday: bool
    name: str
    source: str


class Calendar(Message, frozen=True, kw_only=True):
    """工作日历 of the city: what is known of the years `first_year` to `last_year`, by the State Council's notices.

    A day of a known year that is not listed is what its weekday says. A later year is not known at all: what is
    computed with it is provisional (domain 6). `days` are in order, each at most once.
    """

    city: str
    first_year: int
    last_year: int
    days: tuple[CalendarDay, ...]


class Slot(Message, frozen=True, kw_only=True):
    """Working time of a day, from `start` to `end`, local time (UTC+8), HH:MM."""

    start: Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    end: Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Season(Message, frozen=True, kw_only=True):
    """Working slots from this day of the year (MM-DD) until the next season begins; in order, not overlapping."""

    starts_on: Annotated[str, Meta(pattern="^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
    name_zh: str
    name_en: str
    slots: tuple[Slot, ...]


class LimitPolicy(Message, frozen=True, kw_only=True):
    """时限规则 of the city: its working hours, and how long each stage before and after handling may take.

    A working day is 8 working hours, whatever the slots add up to (domain 1.7).
    """

    city: str
    seasons: tuple[Season, ...]
    accept: Limit
    file: Limit
    verify: Limit
    dispatch: Limit
    sign: Limit
    check: Limit


Document = Catalogue | Units | Places | Calendar | LimitPolicy
DOCUMENTS: Final[dict[str, type[Document]]] = {
    "catalogue": Catalogue,
    "units": Units,
    "places": Places,
    "calendar": Calendar,
    "limit_policy": LimitPolicy,
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
