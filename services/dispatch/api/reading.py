"""Routes that read cases and legs. A case that changes is in the lists in the same transaction as its event."""

from collections.abc import Mapping
from typing import Annotated, Final
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter

from services.dispatch.api.views import CasePage, Dossier, TaskPage, dossier_of, summary_of, task_of
from services.dispatch.domain.case import CaseStage
from services.dispatch.domain.legs import LegStage
from services.dispatch.domain.sight import may_read_content, sees_only
from services.dispatch.queries import CaseFilter, Database
from shared.web.after import After, wait_until_reached
from shared.web.authentication import Caller
from shared.web.problem import ProblemError, status_of

STORABLE: Final = r"^[^\x00]{1,200}$"
"""PostgreSQL holds no U+0000, not even to look for it."""

Reads = NamedDependency[Database]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=500, description="The most cases on the page.")]
Cursor = Annotated[UUID | None, QueryParameter(name="cursor", description="`next` of the page before.")]


async def provide_filter(
    actor: Caller,
    wanted_state: Annotated[CaseStage | None, QueryParameter(name="state")] = None,
    unit: Annotated[str | None, QueryParameter(description="Has a leg in the case.", pattern=STORABLE)] = None,
    street: Annotated[str | None, QueryParameter(description="9-digit code.", pattern=STORABLE)] = None,
    category: Annotated[str | None, QueryParameter(description="Code of the category.", pattern=STORABLE)] = None,
    campaign: Annotated[str | None, QueryParameter(description="Its code.", pattern=STORABLE)] = None,
) -> CaseFilter:
    """Read which cases are wanted; a source sees only those that it reported."""
    return CaseFilter(
        state=wanted_state,
        unit=unit,
        street=street,
        category=category,
        campaign=campaign,
        source=sees_only(actor),
    )


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
        return CasePage(items=tuple(summary_of(known) for known in found), next=following)

    @get("/{case_id:uuid}")
    async def read_case(self, case_id: FromPath[UUID], actor: Caller, database: Reads, after: After = None) -> Dossier:
        """Read everything about a case: state, legs, why it went where it went, history with actors, content."""
        await wait_until_reached(after, database.reached)
        file = await database.file(case_id)
        if file is None or sees_only(actor) not in {None, file.known.case.opened.source}:
            raise ProblemError(status_of("unknown_case"), "unknown_case", f"There is no case {case_id}.")
        return dossier_of(file, with_content=may_read_content(actor, file.known.case))


class LegReads(Controller):
    """The work list of a department."""

    path = "/v1/legs"
    tags = ("legs",)

    @get("/")
    async def list_legs(
        self,
        actor: Caller,
        database: Reads,
        unit: Annotated[str | None, QueryParameter(description="Whose legs.", pattern=STORABLE)] = None,
        wanted_state: Annotated[LegStage | None, QueryParameter(name="state")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
        after: After = None,
    ) -> TaskPage:
        """List legs, newest case first; without `state` those of which something is expected."""
        if sees_only(actor) is not None:
            raise ProblemError(status_of("not_entitled"), "not_entitled_post", "A source has no tasks.")
        await wait_until_reached(after, database.reached)
        found, following = await database.legs(unit=unit, state=wanted_state, limit=limit, before=cursor)
        return TaskPage(items=tuple(task_of(one) for one in found), next=following)
