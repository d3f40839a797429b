"""What a part of the bench found: figures with all their values, and the few numbers that the last line tells."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.machine import describe

FOLDER: Final = Path(__file__).resolve().parents[2] / ".bench"


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How large a run is: the full one, or a quick one that shows that everything works."""

    quick: bool = False

    @property
    def rounds(self) -> int:
        """How often each side of a comparison is measured."""
        return 1 if self.quick else 3

    def pick(self, full: int, quick: int) -> int:
        """Return the count that belongs to this scale."""
        return quick if self.quick else full


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured quantity: a value a round, in the order of the rounds."""

    name: str
    unit: str
    values: Sequence[float]
    note: str = ""

    @property
    def median(self) -> float:
        """The middle value, which is what we tell."""
        return median(self.values)

    @property
    def low(self) -> float:
        """The smallest value."""
        return min(self.values)

    @property
    def high(self) -> float:
        """The largest value."""
        return max(self.values)


@dataclass(frozen=True, kw_only=True)
class Result:
    """The figures of a part, what of them goes into the last line, and what a reader must know to trust them."""

    part: str
    figures: Sequence[Figure]
    summary: Mapping[str, float] = field(default_factory=dict)
    notes: Sequence[str] = ()


def show(result: Result, console: Console) -> None:
    """Print a part as a table: median and range of each figure."""
    table = Table(title=result.part, title_justify="left", show_edge=False, pad_edge=False)
    for heading in ("figure", "median", "lowest", "highest", "unit", "n", "note"):
        table.add_column(heading, justify="right" if heading in {"median", "lowest", "highest", "n"} else "left")
    for figure in result.figures:
        numbers = (rounded(figure.median), rounded(figure.low), rounded(figure.high))
        table.add_row(figure.name, *numbers, figure.unit, str(len(figure.values)), figure.note)
    console.print(table)
    for note in result.notes:
        console.print(f"  {note}", highlight=False)
    console.print()


def save(results: Sequence[Result], *, at: datetime | None = None) -> Path:
    """Write everything that was measured, every single value included, to a file of its own; return its path."""
    moment = at or datetime.now(UTC)
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{moment:%Y%m%dT%H%M%SZ}-{'-'.join(result.part for result in results)}.json"
    content = {
        "at": moment.isoformat(),
        "machine": describe(),
        "summary": merged(results),
        "parts": [
            {
                "part": result.part,
                "figures": [vars(figure) for figure in result.figures],
                "summary": dict(result.summary),
                "notes": list(result.notes),
            }
            for result in results
        ],
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return path


def merged(results: Sequence[Result]) -> dict[str, float]:
    """Return all summaries as one."""
    return {name: value for result in results for name, value in result.summary.items()}


def rounded(value: float) -> str:
    """Return a number as a person reads it: three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
