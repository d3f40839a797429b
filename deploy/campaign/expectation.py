"""What analytics must answer at the end of a campaign, computed from its problems alone, and how that is compared."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from deploy.campaign.plan import FailedCheck, ReturnRequested, Silent, Unaccepted, Unchecked, Unfinished
from deploy.campaign.problems import Problem

UNDEFINED: Final = "—"
"""How the rate of nothing is shown (I-15)."""


class Waiting(Struct, frozen=True, kw_only=True, order=True):
    """One thing that an open case waits for: the code that analytics gives, and the unit that must act ("" if none)."""

    reason: str
    unit: str = ""


Reasons = tuple[Waiting, ...]
"""Everything that one open case waits for, sorted."""


class Tally(Struct, frozen=True, kw_only=True):
    """How many were reported and how many of those closed."""

    reported: int
    closed: int

    @property
    def rate(self) -> str:
        """Return the percentage, rounded half-up to two decimals, or `—` when nothing was reported."""
        if self.reported == 0:
            return UNDEFINED
        hundredths = (20_000 * self.closed + self.reported) // (2 * self.reported)
        return f"{hundredths // 100}.{hundredths % 100:02d}"


class Figures(Struct, frozen=True, kw_only=True):
    """The figures of one campaign, expected or answered.

    `groups` are tallies by grouping (street, department, category) and code, without groups of nothing;
    `open_cases` counts the open ones by what they wait for; `rate` is the percentage as it is shown.
    """

    total: Tally
    rate: str
    groups: Mapping[str, Mapping[str, Tally]]
    open_cases: Mapping[Reasons, int]


NO_DEPARTMENT: Final = ""
"""The department of a report that is no case yet."""


def expect(problems: Sequence[Problem]) -> Figures:
    """Return the figures that follow from these problems."""
    open_cases = Counter(reasons for problem in problems if (reasons := waits_for(problem)))
    total = _tally(problems)
    return Figures(
        total=total,
        rate=total.rate,
        groups={
            "street": _by(lambda problem: str(problem.place.street), problems),
            "department": _by(department, problems),
            "category": _by(lambda problem: f"{problem.category.system}:{problem.category.code}", problems),
        },
        open_cases=dict(open_cases),
    )


def waits_for(problem: Problem) -> Reasons:
    """Return what the problem still waits for when everybody has done what the plan lets them do; nothing if closed."""
    match problem.deviation:
        case Unaccepted():
            return (Waiting(reason="not_accepted"),)
        case Unchecked():
            return (Waiting(reason="waiting_for_check"),)
        case FailedCheck(times="for ever"):
            return (Waiting(reason="rework", unit=problem.lead),)
        case ReturnRequested(unit=unit, ruling="undecided"):
            return _stuck(problem, Waiting(reason="return_pending", unit=unit))
        case Silent(unit=unit, waived=False):
            return _stuck(problem, Waiting(reason="not_signed", unit=unit))
        case Unfinished(unit=unit, waived=False):
            return _stuck(problem, Waiting(reason="handling", unit=unit))
        case _:
            return ()


def department(problem: Problem) -> str:
    """Return the lead at the end: the unit to which an upheld return of the lead leg sent it, or the first one."""
    match problem.deviation:
        case Unaccepted():
            return NO_DEPARTMENT
        case ReturnRequested(role="lead", ruling="upheld", to_unit=str(to_unit)):
            return to_unit
        case _:
            return problem.lead


def differences(expected: Figures, answered: Figures) -> list[str]:
    """Name each figure that is not what the plan expects; an empty list means that all are."""
    found = []
    for name in ("reported", "closed"):
        found += _unequal(name, getattr(expected.total, name), getattr(answered.total, name))
    found += _unequal("rate", expected.rate, answered.rate)
    for grouping, tallies in expected.groups.items():
        answers = answered.groups.get(grouping, {})
        for code in sorted(tallies.keys() | answers.keys()):
            found += _unequal(f"{grouping} {code or '(none)'}", _words(tallies.get(code)), _words(answers.get(code)))
    for reasons in sorted(expected.open_cases.keys() | answered.open_cases.keys()):
        what = f"open cases that wait for {explain(reasons)}"
        found += _unequal(what, expected.open_cases.get(reasons, 0), answered.open_cases.get(reasons, 0))
    return found


def explain(reasons: Reasons) -> str:
    """Say in a few words what an open case waits for."""
    return ", ".join(f"{waiting.reason} {waiting.unit}".strip() for waiting in reasons)


def _stuck(problem: Problem, waiting: Waiting) -> Reasons:
    """A support leg that is not done keeps the lead waiting too."""
    if waiting.unit == problem.lead:
        return (waiting,)
    return tuple(sorted((waiting, Waiting(reason="waiting_for_support", unit=problem.lead))))


def _tally(problems: Sequence[Problem]) -> Tally:
    return Tally(reported=len(problems), closed=sum(not waits_for(problem) for problem in problems))


def _by(code: Callable[[Problem], str], problems: Sequence[Problem]) -> dict[str, Tally]:
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(code(problem), []).append(problem)
    return {key: _tally(members) for key, members in sorted(groups.items())}


def _words(tally: Tally | None) -> str:
    return "nothing" if tally is None else f"{tally.closed} closed of {tally.reported}"


def _unequal(what: str, expected: object, answered: object) -> list[str]:
    return [] if expected == answered else [f"{what}: the plan expects {expected}, analytics answers {answered}"]
