"""Routes of the rows behind the figures (I-16): as many as the figure says, found with the same filters."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from services.analytics import queries
from services.analytics.api.parameters import Cursor, Limit, bad_cursor, provide_filters
from services.analytics.api.presenting import case_view, leg_view
from services.analytics.api.views import CasesView, LegsView, UnitLegView
from services.analytics.domain.names import Names
from services.analytics.queries import Counted, Filters, LegCounted, ReadModel
from shared.web.after import After, wait_until_reached

CountedAs = Annotated[Counted, QueryParameter(name="counted", description="Which of the figures.")]
LegCountedAs = Annotated[LegCounted, QueryParameter(name="counted", description="Which of the unit's figures.")]


class Cases(Controller):
    """The problems behind a figure."""

    path = "/v1/cases"
    tags = ("cases",)
    dependencies: Mapping[str, Provide] = {"filters": Provide(provide_filters)}

    @get("/")
    async def list_cases(
        self,
        read_model: NamedDependency[ReadModel],
        names: NamedDependency[Names],
        filters: NamedDependency[Filters],
        counted: CountedAs = "reported",
        limit: Limit = 50,
        cursor: Cursor = None,
        after: After = None,
    ) -> CasesView:
        """List problems by ascending id; each open one says what it waits for."""
        await wait_until_reached(after, read_model.reached)
        last = _case_cursor(cursor)
        async with read_model.snapshot() as connection:
            rows, following = await queries.cases(connection, counted, filters, after=last, limit=limit)
        return CasesView(items=tuple(case_view(row, names) for row in rows), next=str(following) if following else None)


class Legs(Controller):
    """The legs behind a unit's figure."""

    path = "/v1/legs"
    tags = ("legs",)
    dependencies: Mapping[str, Provide] = {"filters": Provide(provide_filters)}

    @get("/")
    async def list_legs(
        self,
        read_model: NamedDependency[ReadModel],
        names: NamedDependency[Names],
        filters: NamedDependency[Filters],
        unit: Annotated[str | None, QueryParameter(description="Whose legs.")] = None,
        counted: LegCountedAs = "assigned",
        limit: Limit = 50,
        cursor: Cursor = None,
        after: After = None,
    ) -> LegsView:
        """List legs by ascending case and number."""
        await wait_until_reached(after, read_model.reached)
        last = _leg_cursor(cursor)
        async with read_model.snapshot() as connection:
            rows, following = await queries.legs(connection, unit, counted, filters, after=last, limit=limit)
        items = tuple(UnitLegView(case_id=row.stream, leg=leg_view(row.leg, names)) for row in rows)
        return LegsView(items=items, next=following and f"{following[0]}:{following[1]}")


def _case_cursor(cursor: str | None) -> UUID | None:
    try:
        return None if cursor is None else UUID(cursor)
    except ValueError as error:
        raise bad_cursor(str(cursor)) from error


def _leg_cursor(cursor: str | None) -> tuple[UUID, int] | None:
    if cursor is None:
        return None
    case, _, leg = cursor.partition(":")
    try:
        return UUID(case), int(leg)
    except ValueError as error:
        raise bad_cursor(cursor) from error
