"""Routes of the indicators: a ratio with its parts, its counting rule, its cut-off and what it counts (I-15)."""

from collections.abc import Mapping
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from services.analytics import queries
from services.analytics.api.parameters import provide_filters
from services.analytics.api.presenting import closure_view
from services.analytics.api.views import ClosureView
from services.analytics.domain.names import Names
from services.analytics.queries import Filters, Group, ReadModel
from shared.web.after import After, wait_until_reached

By = Annotated[Group | None, QueryParameter(name="group", description="Also by one of these.")]


class Indicators(Controller):
    """Figures of the city's joint enforcement."""

    path = "/v1/indicators"
    tags = ("indicators",)
    dependencies: Mapping[str, Provide] = {"filters": Provide(provide_filters)}

    @get("/closure")
    async def closure(
        self,
        read_model: NamedDependency[ReadModel],
        names: NamedDependency[Names],
        filters: NamedDependency[Filters],
        group: By = None,
        after: After = None,
    ) -> ClosureView:
        """Return the cumulative closure rate 累计办结率 (closed / reported), which is not 结案率 (closed / due)."""
        await wait_until_reached(after, read_model.reached)
        async with read_model.snapshot() as connection:
            total = await queries.figures(connection, filters)
            groups = await queries.figures_by(connection, group, filters) if group else []
            legs = await queries.leg_figures(connection, filters) if group == "department" else []
            progress = await queries.progress(connection)
        return closure_view(filters, total, group, groups, legs, progress, names)
