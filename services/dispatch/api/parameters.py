"""The query parameters of the work list: what is wrong with them is told at once, with every name."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from services.dispatch.domain.case import CaseStage
from services.dispatch.domain.sight import sees_only
from services.dispatch.queries import CaseFilter, CasePlace, Database, Order, TaskPlace
from shared.contracts.common import FieldProblem, Level, Post
from shared.deadlines.colours import Colour
from shared.web.authentication import Caller
from shared.web.problem import ProblemError

STORABLE: Final = r"^[^\x00]{1,200}$"
"""PostgreSQL holds no U+0000, not even to look for it."""

_UUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_DUE: Final = r"(none|[0-9]{1,17})"
_CASE_CURSOR: Final = rf"^({_DUE}\.)?{_UUID}$"
_TASK_CURSOR: Final = rf"^{_DUE}\.{_UUID}$"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NO_DEADLINE: Final = "none"
_KNOWN: Final = frozenset(
    {
        *("open", "state", "unit", "lead", "post", "check_unit", "colour", "street", "community", "category"),
        *("campaign", "level", "supervised", "text", "order", "counts", "limit", "cursor", "after"),
    }
)

Reads = NamedDependency[Database]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=500, description="The most cases on the page.")]
Cursor = Annotated[UUID | None, QueryParameter(name="cursor", description="`next` of the page before.")]
TaskCursor = Annotated[
    str | None, QueryParameter(name="cursor", pattern=_TASK_CURSOR, description="`next` of the page before.")
]
Counted = Annotated[
    bool, QueryParameter(name="counts", description="Count too, by state and by colour, everything that is found.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkListQuery:
    """What a page of the work list is asked for."""

    wanted: CaseFilter
    order: Order
    limit: int
    after: CasePlace | None
    counted: bool


async def provide_query(  # noqa: PLR0913, PLR0917 - one argument a query parameter, so that all are refused at once
    request: Request[Any, Any, Any],
    actor: Caller,
    database: Reads,
    state_: Annotated[
        list[CaseStage] | None, QueryParameter(name="state", description="Repeat it for several states.")
    ] = None,
    open_: Annotated[bool | None, QueryParameter(name="open", description="false: closed, voided or merged.")] = None,
    unit: Annotated[str | None, QueryParameter(description="Has a leg in the case.", pattern=STORABLE)] = None,
    lead: Annotated[str | None, QueryParameter(description="Has the lead leg 主办.", pattern=STORABLE)] = None,
    post: Annotated[Post | None, QueryParameter(description="Must act next.")] = None,
    check_unit: Annotated[str | None, QueryParameter(description="Is to check 核查.", pattern=STORABLE)] = None,
    colour: Annotated[
        Colour | None,
        QueryParameter(description="Of the most urgent clock, by the database's time; of open cases only."),
    ] = None,
    street: Annotated[str | None, QueryParameter(description="9-digit code.", pattern=STORABLE)] = None,
    community: Annotated[str | None, QueryParameter(description="12-digit code.", pattern=STORABLE)] = None,
    category: Annotated[str | None, QueryParameter(description="Code of the category.", pattern=STORABLE)] = None,
    campaign: Annotated[str | None, QueryParameter(description="Its code.", pattern=STORABLE)] = None,
    level: Annotated[Level | None, QueryParameter(description="Who has to solve it.")] = None,
    supervised: Annotated[bool | None, QueryParameter(description="督办.")] = None,
    text: Annotated[
        str | None,
        QueryParameter(
            description="A part of the name of a category or place, or a case's number or id.", pattern=STORABLE
        ),
    ] = None,
    order: Annotated[
        Order, QueryParameter(description="`deadline`: open cases, the most urgent first, those without one last.")
    ] = "newest",
    counted: Counted = False,
    limit: Limit = 50,
    cursor: Annotated[
        str | None, QueryParameter(description="`next` of the page before.", pattern=_CASE_CURSOR)
    ] = None,
) -> WorkListQuery:
    """Read which cases are wanted; a source sees only those that it reported.

    Whatever is asked for is found by an index: some questions are of open cases only.

    Raises:
        ProblemError: 400 `invalid_parameter`, with everything that does not fit together.
    """
    of_open_ones = (colour, lead, check_unit, level, supervised)
    only_open = open_ or order == "deadline" or any(one is not None for one in of_open_ones)
    problems = [*_unknown(request), *_contradictions(open_, only_open=only_open, counted=counted)]
    place = None if cursor is None else _case_place(cursor)
    if cursor is not None and (_NO_DEADLINE in cursor or "." in cursor) != (order == "deadline"):
        problems.append(_problem("cursor", "bad_cursor", f"It is not the `next` of a page in the order {order}."))
    if problems:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "invalid_parameter", "The parameters do not fit.", problems)
    wanted = CaseFilter(
        open=True if only_open else open_,
        states=tuple(state_ or ()),
        unit=unit,
        lead=lead,
        post=post,
        check_unit=check_unit,
        colour=colour,
        street=street,
        community=community,
        category=category,
        campaign=campaign,
        level=level,
        supervised=supervised,
        source=sees_only(actor),
        meaning=None if text is None else await database.meaning(text),
    )
    return WorkListQuery(wanted=wanted, order=order, limit=limit, after=place, counted=counted)


def case_cursor(place: CasePlace | None, order: Order) -> str | None:
    """Return the cursor of the page that begins after this place."""
    if place is None:
        return None
    return str(place.case) if order == "newest" else f"{_due_text(place.due_at)}.{place.case}"


def task_cursor(place: TaskPlace | None) -> str | None:
    """Return the cursor of the page of tasks that begins after this place."""
    return None if place is None else f"{_due_text(place.due_at)}.{place.case}"


def task_place(cursor: str | None) -> TaskPlace | None:
    """Return the place of a cursor that has the right form."""
    if cursor is None:
        return None
    due, case = cursor.split(".")
    return TaskPlace(case=UUID(case), due_at=_due_at(due))


def _case_place(cursor: str) -> CasePlace:
    due, _, case = cursor.rpartition(".")
    return CasePlace(case=UUID(case), due_at=_due_at(due) if due else None)


def _due_text(due_at: datetime | None) -> str:
    return _NO_DEADLINE if due_at is None else str((due_at - _EPOCH) // _MICROSECOND)


def _due_at(text: str) -> datetime | None:
    return None if text == _NO_DEADLINE else _EPOCH + int(text) * _MICROSECOND


def _unknown(request: Request[Any, Any, Any]) -> list[FieldProblem]:
    names = sorted(set(request.query_params.keys()) - _KNOWN)
    return [_problem(name, "unknown_parameter", "There is no such parameter.") for name in names]


def _contradictions(open_: bool | None, *, only_open: bool, counted: bool) -> list[FieldProblem]:
    problems = []
    if open_ is False and only_open:
        message = "Ended cases are not ordered by deadline, nor found by colour, lead, check_unit, level or supervised."
        problems.append(_problem("open", "open_only", message))
    if counted and not only_open:
        message = "Only open cases are counted: ask for open=true, or the order deadline."
        problems.append(_problem("counts", "open_only", message))
    return problems


def _problem(field: str, code: str, message: str) -> FieldProblem:
    return FieldProblem(field=field, code=code, message=message)
