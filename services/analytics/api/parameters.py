"""The query parameters that figures and lists share, so that a list is asked for exactly like its figure."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from litestar.params import QueryParameter

from services.analytics.queries import Filters
from shared.contracts.common import FieldProblem, Level
from shared.web.problem import ProblemError

_NONE: Final = "An empty text asks for those without one."

AsOf = Annotated[
    datetime | None,
    QueryParameter(
        name="as_of",
        description="The cut-off, inclusive, RFC 3339 with zone. Without it everything that has arrived counts.",
    ),
]
Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=500, description="The most rows of the page.")]
Cursor = Annotated[str | None, QueryParameter(name="cursor", description="`next` of the page before.")]


async def provide_filters(  # noqa: PLR0913, PLR0917 - one argument a query parameter
    street: Annotated[str | None, QueryParameter(description=f"9-digit code. {_NONE}")] = None,
    community: Annotated[str | None, QueryParameter(description=f"12-digit code. {_NONE}")] = None,
    department: Annotated[str | None, QueryParameter(description=f"The lead unit (主办). {_NONE}")] = None,
    category: Annotated[str | None, QueryParameter(description="<code system>:<code>.")] = None,
    source: Annotated[str | None, QueryParameter(description="Who reported it.")] = None,
    campaign: Annotated[str | None, QueryParameter(description=f"Code of the campaign. {_NONE}")] = None,
    day: Annotated[date | None, QueryParameter(description="Day of the report, Beijing time.")] = None,
    level: Annotated[
        Level | Literal[""] | None,
        QueryParameter(description=f"Where the case was or is to be solved (网格, 社区, 街道, 市级). {_NONE}"),
    ] = None,
    as_of: AsOf = None,
) -> Filters:
    """Read which problems are meant; what is not named does not matter.

    Raises:
        ProblemError: 400 `invalid_parameter`, when the cut-off has no zone.
    """
    if as_of is not None and as_of.tzinfo is None:
        message = "The time has no zone; write +08:00 (as %2B08:00) or Z."
        problem = FieldProblem(field="as_of", code="no_zone", message=message)
        raise ProblemError(HTTPStatus.BAD_REQUEST, "invalid_parameter", message, [problem])
    return Filters(
        street=street,
        community=community,
        department=department,
        category=category,
        source=source,
        campaign=campaign,
        day=day,
        level=level,
        as_of=as_of,
    )


def address(path: str, filters: Filters, **more: str) -> str:
    """Return the address of what these filters name."""
    texts = {
        "street": filters.street,
        "community": filters.community,
        "department": filters.department,
        "category": filters.category,
        "source": filters.source,
        "campaign": filters.campaign,
        "day": filters.day and filters.day.isoformat(),
        "level": filters.level,
        "as_of": filters.as_of and filters.as_of.isoformat(),
    }
    return f"{path}?{urlencode({name: text for name, text in {**more, **texts}.items() if text is not None})}"


def bad_cursor(cursor: str) -> ProblemError:
    """Return the problem of a cursor that no page gave."""
    message = f"{cursor!r} is not the `next` of a page."
    problem = FieldProblem(field="cursor", code="bad_cursor", message=message)
    return ProblemError(HTTPStatus.BAD_REQUEST, "invalid_parameter", message, [problem])
