"""The plan of a campaign: one small TOML file from which every figure of the campaign follows.

The file is explained, key by key, in `plans/jiaohe.toml`. Nothing in here knows a figure of any campaign.
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from shared.contracts.common import Slug, TargetType
from shared.contracts.dispatch import LegRole

PLANS: Final = Path(__file__).parent / "plans"
DEFAULT_PLAN: Final = PLANS / "jiaohe.toml"

Weight = Annotated[int, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]
CampaignCode = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]
PlanCode = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,23}$")]
CommunityCode = Annotated[str, Meta(pattern="^[0-9]{12}$")]


class PlanProblem(Exception):
    """The plan cannot be carried out: says in which file, at which key, and what to write instead."""


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the plan file; a key that we do not know is an error, said by name."""


class Campaign(Part, frozen=True, kw_only=True):
    """What the campaign is called, how many problems it reports, and the seed of everything that is drawn."""

    code: PlanCode
    title_zh: str
    title_en: str
    seed: int
    problems: Weight
    catalogue: Slug = "jiaohe"


class Area(Part, frozen=True, kw_only=True):
    """Where: problems lie at random within `radius_metres` of `centre` ([longitude, latitude], WGS-84).

    `communities` are weights by 12-digit code; its first nine digits are the street.
    """

    centre: tuple[Annotated[float, Meta(ge=-180, le=180)], Annotated[float, Meta(ge=-85, le=85)]]
    radius_metres: Annotated[float, Meta(gt=0, le=20_000)]
    communities: dict[CommunityCode, Weight]


class Reporting(Part, frozen=True, kw_only=True):
    """One source's part: its weight among the sources, and weights of what it reports and at whom it looked."""

    source: Slug
    weight: Weight
    categories: dict[str, Weight]
    target_types: dict[TargetType, Weight] = msgspec.field(default_factory=lambda: {"public_space": 1})
    mode: Literal["binary", "structured"] = "binary"


class Deviation(Part, frozen=True, kw_only=True, tag_field="what"):
    """Something does not go as it should, in `count` of the problems, of one category where one is named."""

    count: Count
    category: str | None = None


class UnitDeviation(Deviation, frozen=True, kw_only=True):
    """A unit deviates in its leg: as the lead of a case, or as one of its supports."""

    unit: Slug
    role: LegRole = "lead"


class Silent(UnitDeviation, frozen=True, kw_only=True, tag="silent"):
    """The unit never signs. `waived`: the duty leader releases it (a support leg only), and the case goes on."""

    waived: bool = False


class Unfinished(UnitDeviation, frozen=True, kw_only=True, tag="unfinished"):
    """The unit signs and never feeds back. `waived` as with `silent`."""

    waived: bool = False


class ReturnRequested(UnitDeviation, frozen=True, kw_only=True, tag="return_requested"):
    """The unit asks to return its task. `undecided`: nobody rules; `upheld`: the task goes to `to_unit`."""

    ruling: Literal["refused", "upheld", "undecided"]
    to_unit: Slug | None = None


class FailedCheck(Deviation, frozen=True, kw_only=True, tag="failed_check"):
    """What the lead `unit` reports done is not: the check fails `times` times and then passes.

    `for ever`: it fails as often as the unit comes back, and the unit gives up.
    """

    unit: Slug
    times: Count | Literal["for ever"]


class Unchecked(Deviation, frozen=True, kw_only=True, tag="unchecked"):
    """All legs of a case that `unit` leads are fed back, but the supervision centre has not checked it yet."""

    unit: Slug


class Unaccepted(Deviation, frozen=True, kw_only=True, tag="unaccepted"):
    """A report of an untrusted `source` that no acceptor has looked at yet."""

    source: Slug


AnyDeviation = Silent | Unfinished | ReturnRequested | FailedCheck | Unchecked | Unaccepted


class Plan(Part, frozen=True, kw_only=True):
    """A whole plan. `weights` that add up to what they share out are exact counts."""

    campaign: Campaign
    area: Area
    reports: tuple[Reporting, ...] = ()
    deviations: tuple[AnyDeviation, ...] = ()


def load_plan(path: Path) -> Plan:
    """Read a plan file.

    Raises:
        PlanProblem: naming the file and everything that is wrong with the first key that does not fit.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(sorted(str(plan.stem) for plan in PLANS.glob("*.toml")))
        raise PlanProblem(f"{path}: there is no such plan. Give the path of a plan file; {PLANS} has: {known}.") from (
            error
        )
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PlanProblem(f"{path}: not a TOML file in UTF-8: {error}.") from error
    try:
        plan = msgspec.convert(document, Plan)
    except msgspec.ValidationError as error:
        raise PlanProblem(f"{path}: {error}. {DEFAULT_PLAN.name} explains every key.") from error
    problems = _contradictions(plan)
    if problems:
        raise PlanProblem("\n".join(f"{path}: {problem}" for problem in problems))
    return plan


def _contradictions(plan: Plan) -> list[str]:
    """Name what the file says twice or leaves open, as far as the file alone shows it."""
    found = []
    if plan.campaign.problems > 0:
        found += _unshareable("reports", {report.source: report.weight for report in plan.reports})
        found += _unshareable("area.communities", plan.area.communities)
        for report in plan.reports:
            found += _unshareable(f"reports.{report.source}.categories", report.categories)
            found += _unshareable(f"reports.{report.source}.target_types", report.target_types)
    sources = [report.source for report in plan.reports]
    found += [f"reports: {source} stands there twice." for source in sorted(set(sources)) if sources.count(source) > 1]
    for deviation in plan.deviations:
        found += _deviation_contradictions(deviation, sources)
    return found


def _unshareable(key: str, weights: dict[str, int] | dict[TargetType, int]) -> list[str]:
    return [] if sum(weights.values()) > 0 else [f"{key}: at least one weight must be above 0."]


def _deviation_contradictions(deviation: AnyDeviation, sources: Sequence[str]) -> list[str]:
    match deviation:
        case ReturnRequested(ruling="upheld", to_unit=None):
            return ["deviations: an upheld return needs `to_unit`, the unit that gets the task."]
        case ReturnRequested(ruling="refused" | "undecided", to_unit=str()):
            return ["deviations: `to_unit` only goes with an upheld return."]
        case ReturnRequested(unit=unit, to_unit=to_unit) if unit == to_unit:
            return [f"deviations: a return of {unit} cannot go to {unit}."]
        case Silent(waived=True, role="lead") | Unfinished(waived=True, role="lead"):
            return ['deviations: a lead leg is never waived; write role = "support" or leave `waived` out.']
        case Unaccepted(source=source) if source not in sources:
            return [f"deviations: unaccepted reports of {source}, which reports nothing in this plan."]
        case _:
            return []
