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
    version=2,
    title_zh="累计办结率",
    title_en="Cumulative closure rate",
    text_zh=(
        "累计办结率 = 累计结案数 ÷ 累计上报数。分母为截止时刻（含）前上报的全部问题，每个问题只计一次，"
        "不予受理、不予立案、作废、并案的也计入；分子为其中截止时刻（含）前已结案且未重开的问题。"
        "作废、并案既不算结案也不算未结，挂账属未结，均另列；超期经申诉成立的，超期事实保留，仅另列免计数。"
        "按日分组取上报日（北京时间），按部门分组取主办部门，按层级分组取解决层级（网格、社区、街道、市级）。"
        "不同于结案率（结案数 ÷ 应结案数）。"
    ),
    text_en=(
        "Problems closed / problems reported, cumulative. The denominator is every problem reported up to and "
        "including the cut-off, each counted once, rejected, voided and merged ones included; the numerator is those "
        "of them that were closed by then and not reopened. Voided and merged ones are neither closed nor open, "
        "suspended ones are open; all are shown beside. An overdue leg stays overdue where an appeal was upheld; the "
        "exempted ones are counted apart. A day is the day of the report in Beijing time, a department the lead "
        "department, a level that at which the case was or is to be solved. Not the closure rate on due cases "
        "(结案率 = closed / due)."
    ),
)
"""The figure of the source report (domain 0.1): closed / reported, never to be confused with 结案率."""
