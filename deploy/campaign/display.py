"""How a campaign looks in a terminal: a bar, one line a service, one line a party; at the end the tables."""

import time
from collections.abc import Mapping
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from deploy.campaign.expectation import Figures, Tally
from deploy.campaign.gauges import Gauge
from deploy.campaign.outcome import Outcome

_PLAIN_SECONDS: Final = 5.0
"""How often a line is written where there is no terminal to draw on."""


class Display:
    """Draws progress while it is open (`with`), and the outcome afterwards."""

    def __init__(self, console: Console, expected: Tally) -> None:
        self._console = console
        self._expected = expected
        self._bars = Progress(
            TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        )
        self._reported = self._bars.add_task("上报 reported", total=expected.reported)
        self._closed = self._bars.add_task("结案 closed", total=expected.closed)
        self._live = Live(console=console, refresh_per_second=4, transient=not console.is_terminal)
        self._wrote = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, total: Tally, gauges: Mapping[str, Gauge | None], counts: Mapping[str, Mapping[str, int]]) -> None:
        """Draw what is known now."""
        self._bars.update(self._reported, completed=total.reported)
        self._bars.update(self._closed, completed=total.closed)
        if self._console.is_terminal:
            self._live.update(Group(self._bars, _services(gauges), _parties(counts)))
        elif time.monotonic() - self._wrote > _PLAIN_SECONDS:
            self._wrote = time.monotonic()
            lags = (f"{name} lag {gauge.lag:.0f}" if gauge else f"{name} away" for name, gauge in gauges.items())
            self._console.print(f"{total.reported} reported, {total.closed} closed; {', '.join(lags)}")


def print_outcome(console: Console, outcome: Outcome) -> None:
    """Print the tables, the open cases with their reasons, and last the line with the three figures."""
    names = {"street": "街道 street", "department": "主办部门 department", "category": "类别 category"}
    for grouping, title in names.items():
        if outcome.answered.groups.get(grouping):
            console.print(_grouped(title, outcome.answered, grouping))
    if outcome.open_cases:
        table = Table("案件 case", Column("未结缘由 why it is open", overflow="fold"), title="未结 open")
        for case in outcome.open_cases:
            table.add_row(case.case_id, "\n".join(f"{zh}\n{en}" for zh, en in case.sentences))
        console.print(table)
    for trouble in outcome.troubles:
        console.print(f"[yellow]unexpected answer:[/] {trouble}", highlight=False)
    for difference in outcome.differences:
        console.print(f"[red]differs:[/] {difference}", highlight=False)
    console.print(f"{outcome.title_zh} / {outcome.title_en} ({outcome.code})", highlight=False)
    console.print(figures_line(outcome.answered), highlight=False)


def figures_line(figures: Figures) -> str:
    """Return the three figures as one line."""
    rate = figures.rate if figures.total.reported == 0 else f"{figures.rate} %"
    return f"{figures.total.reported} reported · {figures.total.closed} closed · {rate}"


def _services(gauges: Mapping[str, Gauge | None]) -> Table:
    table = Table("服务 service", "lag", "rate", box=None)
    for name, gauge in gauges.items():
        words = ("away", "") if gauge is None else (f"{gauge.lag:.0f}", f"{gauge.rate:.0f}/s")
        table.add_row(name, *words)
    return table


def _parties(counts: Mapping[str, Mapping[str, int]]) -> Table:
    table = Table("各方 party", "", box=None)
    for party, done in sorted(counts.items()):
        table.add_row(party, ", ".join(f"{what} {count}" for what, count in done.items()))
    return table


def _grouped(title: str, figures: Figures, grouping: str) -> Table:
    table = Table(title, "上报 reported", "结案 closed", "办结率 %")
    for code, tally in figures.groups[grouping].items():
        table.add_row(code or "—", str(tally.reported), str(tally.closed), tally.rate)
    return table
