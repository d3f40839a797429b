"""A ratio is two integers and a cut-off; its percentage is rounded half-up once, at the edge (I-15)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

UNDEFINED: Final = "—"
"""How 0/0 is shown: nothing was reported, so nothing can be said; it is not 100 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """`numerator` of `denominator` as they stood at `cut_off`.

    `cut_off` is the instant up to which events count (UTC), None when there is no event at all.
    """

    numerator: int
    denominator: int
    cut_off: datetime | None

    def __post_init__(self) -> None:
        if self.numerator < 0 or self.denominator < 0:
            raise ValueError(f"A ratio counts things: {self.numerator}/{self.denominator} has a negative part.")
        if self.denominator == 0 and self.numerator > 0:
            raise ValueError(f"{self.numerator}/0: a numerator counts a part of its denominator.")


def percentage(ratio: Ratio) -> str:
    """Return the percentage with two decimals, rounded half-up from the exact quotient; 0/0 is `—`."""
    if ratio.denominator == 0:
        return UNDEFINED
    hundredths = (2 * 10_000 * ratio.numerator + ratio.denominator) // (2 * ratio.denominator)
    whole, fraction = divmod(hundredths, 100)
    return f"{whole}.{fraction:02d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingRule:
    """口径: what a figure counts. A figure whose rule changes gets a new version, never the old one's name."""

    name: str
    version: int
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str


CUMULATIVE_CLOSURE: Final = CountingRule(
    name="cumulative_closure_rate",
    version=1,
    title_zh="累计办结率",
    title_en="Cumulative closure rate",
    text_zh=(
        "累计办结率 = 累计结案数 ÷ 累计上报数。分母为截止时刻（含）前上报的全部问题，每个问题只计一次，"
        "不予受理、不予立案的也计入；分子为其中截止时刻（含）前结案的问题。按日分组取上报日（北京时间），"
        "按部门分组取主办部门。不同于结案率（结案数 ÷ 应结案数）。"
    ),
    text_en=(
        "Problems closed / problems reported, cumulative. The denominator is every problem reported up to and "
        "including the cut-off, each counted once, rejected ones included; the numerator is those of them that were "
        "closed up to and including the cut-off. A day is the day of the report in Beijing time; a department is the "
        "lead department. Not the closure rate on due cases (结案率 = closed / due)."
    ),
)
"""The figure of the source report (domain 0.1): closed / reported, never to be confused with 结案率."""
