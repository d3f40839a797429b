"""Routes that read cases and legs. A case that changes is in the lists in the same transaction as its event."""

from typing import Annotated, Final
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter

from services.dispatch.api.dossier import Dossier, HistoryPage, dossier_of, history_page
from services.dispatch.api.parameters import (
    STORABLE,
    Counted,
    Cursor,
    Limit,
    Reads,
    TaskCursor,
    WorkListQuery,
    case_cursor,
    provide_query,
    task_cursor,
    task_place,
)
from services.dispatch.api.views import CaseList, LegList, TaskList, counts_of, summary_of, task_of
from services.dispatch.domain.legs import LegStage
from services.dispatch.domain.sight import may_read_content, sees_only
from shared.contracts.common import Actor
from shared.web.after import After, wait_until_reached
from shared.web.authentication import Caller
from shared.web.clockviews import Watch
from shared.web.problem import ProblemError, status_of

_EVENTS: Final = 200
"""How many events of its history a dossier begins with."""


class CaseReads(Controller):
    """The work list, the dossier and the history."""

    path = "/v1/cases"
    tags = ("cases",)

    @get("/", dependencies={"asked": Provide(provide_query)})
    async def list_cases(self, database: Reads, asked: NamedDependency[WorkListQuery], after: After = None) -> CaseList:
        """List cases, newest first or the most urgent first.

        The pages of one order follow one another by key: what comes, goes or changes meanwhile shifts nothing. A case
        whose deadline moves while somebody pages by deadline stands where its new deadline puts it.
        """
        await wait_until_reached(after, database.reached)
        page = await database.cases(
            asked.wanted, order=asked.order, limit=asked.limit, after=asked.after, counted=asked.counted
        )
        return CaseList(
            as_of=page.as_of,
            items=tuple(summary_of(known, page.as_of) for known in page.found),
            next=case_cursor(page.following, asked.order),
            counts=counts_of(page.counts),
        )

    @get("/{case_id:uuid}")
    async def read_case(self, case_id: FromPath[UUID], actor: Caller, database: Reads, after: After = None) -> Dossier:
        """Read everything about a case: legs with clocks and reasons, history with actors, whom it waits for."""
        await wait_until_reached(after, database.reached)
        file = await database.file(case_id, events=_EVENTS + 1)
        if file is None or sees_only(actor) not in {None, file.known.case.opened.source}:
            raise _unknown_case(case_id)
        watch = Watch(now=file.as_of, library=await database.library(), city=database.city)
        return dossier_of(file, watch, events=_EVENTS, with_content=may_read_content(actor, file.known.case))

    @get("/{case_id:uuid}/history")
    async def read_history(
        self,
        case_id: FromPath[UUID],
        actor: Caller,
        database: Reads,
        after_sequence: Annotated[int, QueryParameter(ge=0, description="`next` of the page before.")] = 0,
        limit: Limit = 100,
        after: After = None,
    ) -> HistoryPage:
        """Read a case's history, oldest first: who did what, when and why, and the receipts that were sent."""
        await wait_until_reached(after, database.reached)
        found = await database.history(case_id, after=after_sequence, limit=limit + 1)
        if found is None or sees_only(actor) not in {None, found[0]}:
            raise _unknown_case(case_id)
        return history_page(found[1], limit=limit)


class TaskReads(Controller):
    """What a unit has to do."""

    path = "/v1/tasks"
    tags = ("legs",)

    @get("/")
    async def list_tasks(
        self,
        actor: Caller,
        database: Reads,
        counted: Counted = False,
        limit: Limit = 50,
        cursor: TaskCursor = None,
        after: After = None,
    ) -> TaskList:
        """List the open legs of the caller's unit, the most urgent first; those of which no clock runs come last."""
        _refuse_sources(actor)
        await wait_until_reached(after, database.reached)
        page = await database.tasks(actor.unit, limit=limit, after=task_place(cursor), counted=counted)
        return TaskList(
            as_of=page.as_of,
            unit=actor.unit,
            items=tuple(task_of(one, page.as_of) for one in page.found),
            next=task_cursor(page.following),
            counts=counts_of(page.counts),
        )


class LegReads(Controller):
    """The legs of any unit."""

    path = "/v1/legs"
    tags = ("legs",)

    @get("/")
    async def list_legs(
        self,
        actor: Caller,
        database: Reads,
        unit: Annotated[str | None, QueryParameter(description="Whose legs.", pattern=STORABLE)] = None,
        state_: Annotated[LegStage | None, QueryParameter(name="state")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
        after: After = None,
    ) -> LegList:
        """List legs, newest case first; without `state` those of which something is expected."""
        _refuse_sources(actor)
        await wait_until_reached(after, database.reached)
        as_of, found, following = await database.legs(unit=unit, state=state_, limit=limit, before=cursor)
        return LegList(as_of=as_of, items=tuple(task_of(one, as_of) for one in found), next=following)


def _refuse_sources(actor: Actor) -> None:
    if sees_only(actor) is not None:
        raise ProblemError(status_of("not_entitled"), "not_entitled_post", "A source has no tasks.")


def _unknown_case(case_id: UUID) -> ProblemError:
    return ProblemError(status_of("unknown_case"), "unknown_case", f"There is no case {case_id}.")
