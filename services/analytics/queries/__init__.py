"""Every SELECT of the API. A figure, its groups and the positions it counts up to are read in one snapshot."""

from services.analytics.queries.conditions import (
    BESIDE,
    LEG_BESIDE,
    Beside,
    Counted,
    Filters,
    Group,
    LegBeside,
    LegCounted,
)
from services.analytics.queries.counting import Figures, LegFigures, Times, figures, figures_by, leg_figures
from services.analytics.queries.listing import CaseRow, LegRow, cases, legs
from services.analytics.queries.progress import PartitionProgress, Progress, ReadModel, progress, snapshot

__all__ = [
    "BESIDE",
    "LEG_BESIDE",
    "Beside",
    "CaseRow",
    "Counted",
    "Figures",
    "Filters",
    "Group",
    "LegBeside",
    "LegCounted",
    "LegFigures",
    "LegRow",
    "PartitionProgress",
    "Progress",
    "ReadModel",
    "Times",
    "cases",
    "figures",
    "figures_by",
    "leg_figures",
    "legs",
    "progress",
    "snapshot",
]
