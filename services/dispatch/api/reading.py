"""Routes that read cases and legs. A case that changes is in the lists in the same transaction as its event."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, QueryParameter

from services.dispatch.api.views import CasePage, Dossier, TaskPage, dossier_of, summary_of, task_of
from services.dispatch.domain.case import CaseStage
from services.dispatch.domain.legs import LegStage
from services.dispatch.queries import CaseFilter, Database
from shared.web.after import After, wait_until_reached
from shared.web.problem import ProblemError, status_of

Reads = NamedDependency[Database]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=500, description="The most cases on the page.")]
Cursor = Annotated[UUID | None, QueryParameter(name="cursor", description="`next` of the page before.")]


async def provide_filter(
    wanted_state: Annotated[CaseStage | None, QueryParameter(name="state")] = None,
    unit: Annotated[str | None, QueryParameter(description="Has a leg in the case, whatever its state.")] = None,
    street: Annotated[str | None, QueryParameter(description="9-digit code.")] = None,
    category: Annotated[str | None, QueryParameter(description="Code of the category.")] = None,
    campaign: FromQuery[str | None] = None,
) -> CaseFilter:
    """Read which cases are wanted; what is not named does not matter."""
    return CaseFilter(state=wanted_state, unit=unit, street=street, category=category, campaign=campaign)


class CaseReads(Controller):
    """Lists and the dossier."""

    path = "/v1/cases"
    tags = ("cases",)
    dependencies: Mapping[str, Provide] = {"wanted": Provide(provide_filter)}

    @get("/")
    async def list_cases(
        self,
        database: Reads,
        wanted: NamedDependency[CaseFilter],
        limit: Limit = 50,
        cursor: Cursor = None,
        after: After = None,
    ) -> CasePage:
        """List cases, newest first."""
        await wait_until_reached(after, database.reached)
        found, following = await database.cases(wanted, limit=limit, before=cursor)
        return CasePage(cases=tuple(summary_of(known) for known in found), next=following)

    @get("/{case_id:uuid}")
    async def read_case(self, case_id: FromPath[UUID], database: Reads, after: After = None) -> Dossier:
        """Read everything about a case: state, legs, why it went where it went, history with actors, content."""
        await wait_until_reached(after, database.reached)
        file = await database.file(case_id)
        if file is None:
            raise ProblemError(status_of("unknown_case"), "unknown_case", f"There is no case {case_id}.")
        return dossier_of(file)


class LegReads(Controller):
    """The work list of a department."""

    path = "/v1/legs"
    tags = ("legs",)

    @get("/")
    async def list_legs(
        self,
        database: Reads,
        unit: FromQuery[str | None] = None,
        wanted_state: Annotated[LegStage | None, QueryParameter(name="state")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
        after: After = None,
    ) -> TaskPage:
        """List legs, newest case first; without `state` those of which something is expected."""
        await wait_until_reached(after, database.reached)
        found, following = await database.legs(unit=unit, state=wanted_state, limit=limit, before=cursor)
        return TaskPage(legs=tuple(task_of(one) for one in found), next=following)
