"""Problem details (RFC 9457): the one form in which the HTTP interface says no, with every field error at once."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final, cast

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from shared.contracts.common import Answer, FieldProblem, Message
from shared.kernel.errors import FieldError, Refusal, Unavailable, Unreadable
from shared.ledger.batcher import CommandFailedError

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 2
_TYPE_PREFIX: Final = "urn:joint:problem:"
_STATUS_OF_CODE: Final = {
    "not_json": HTTPStatus.BAD_REQUEST,
    "not_found": HTTPStatus.NOT_FOUND,
    "unknown_case": HTTPStatus.NOT_FOUND,
    "unknown_leg": HTTPStatus.NOT_FOUND,
    "unknown_reference": HTTPStatus.NOT_FOUND,
    "unknown_report": HTTPStatus.NOT_FOUND,
    "stale_revision": HTTPStatus.CONFLICT,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
_CODE_OF_STATUS: Final = {
    HTTPStatus.BAD_REQUEST: "invalid_parameter",
    HTTPStatus.UNAUTHORIZED: "unauthenticated",
    HTTPStatus.FORBIDDEN: "not_entitled",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
}

log = structlog.get_logger()


class Problem(Message, frozen=True, kw_only=True):
    """What an HTTP error says. `code` is stable and public, `detail` is for a person.

    `revision` is the current one where the request named a stale one.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[FieldProblem, ...] = ()
    revision: int | None = None


class ProblemError(Exception):
    """A request that cannot be served, found before anything was decided."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        errors: Iterable[FieldProblem] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = problem(code, detail, status=status, errors=errors)
        self.headers = headers or {}


def status_of(code: str) -> HTTPStatus:
    """Return the HTTP status of a refusal."""
    if code.startswith("not_entitled"):
        return HTTPStatus.FORBIDDEN
    if code.startswith("wrong_state"):
        return HTTPStatus.CONFLICT
    return _STATUS_OF_CODE.get(code, HTTPStatus.UNPROCESSABLE_ENTITY)


StatusOf = Callable[[str], HTTPStatus]


def problem(
    code: str,
    detail: str,
    *,
    status: HTTPStatus | None = None,
    errors: Iterable[FieldProblem] = (),
    revision: int | None = None,
) -> Problem:
    """Return the problem of that code; its status follows from the code where none is given."""
    return Problem(
        type=_TYPE_PREFIX + code,
        title=code.replace("_", " ").capitalize(),
        status=int(status or status_of(code)),
        detail=detail,
        code=code,
        errors=tuple(errors),
        revision=revision,
    )


def problem_of_refusal(refusal: Refusal) -> Problem:
    """Return the problem that tells a refusal."""
    errors = _field_problems(refusal.errors)
    return problem(refusal.code, refusal.detail, errors=errors, revision=refusal.revision)


def problem_of_answer(answer: Answer, status_of: StatusOf = status_of) -> Problem:
    """Return the problem that tells a refused answer of the ledger; `status_of` knows the service's own codes."""
    code = answer.code or "refused"
    return problem(code, answer.detail or "", status=status_of(code), errors=answer.errors, revision=answer.revision)


def problem_response(found: Problem, headers: dict[str, str] | None = None) -> Response[Problem]:
    """Return the response that carries a problem."""
    return Response(found, status_code=found.status, media_type=MEDIA_TYPE, headers=headers or {})


def _field_problems(errors: Iterable[FieldError]) -> list[FieldProblem]:
    return [FieldProblem(field=error.field, code=error.code, message=error.message) for error in errors]


# ------------------------------------------------------------------------------------------ exception handlers

_AnyRequest = Request[Any, Any, Any]


def _known(_request: _AnyRequest, error: ProblemError) -> Response[Problem]:
    return problem_response(error.problem, error.headers)


def _unreadable(_request: _AnyRequest, error: Unreadable) -> Response[Problem]:
    return problem_response(problem_of_refusal(error.refusal()))


def _unavailable(_request: _AnyRequest, error: Unavailable) -> Response[Problem]:
    log.warning("http.unavailable", reason=str(error))
    found = problem(
        "unavailable",
        "Something that this service needs does not answer. Send the same request again; its key makes that safe.",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
    )
    return problem_response(found, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def _failed(_request: _AnyRequest, error: Exception) -> Response[Problem]:
    log.error("http.failed", exc_info=error)
    found = problem(
        "failed",
        "This service made an error. It is in its log under the correlation id of this answer.",
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    return problem_response(found)


def _http(_request: _AnyRequest, error: HTTPException) -> Response[Problem]:
    status = HTTPStatus(error.status_code)
    found = problem(_CODE_OF_STATUS.get(status, f"http_{status}"), error.detail, status=status)
    return problem_response(found, dict(error.headers or {}))


def _invalid_parameters(_request: _AnyRequest, error: ValidationException) -> Response[Problem]:
    """Name every parameter that Litestar refused. A body is only ever refused here when there is none."""
    found = [cast("dict[str, str]", entry) for entry in error.extra or () if isinstance(entry, dict)]
    if any(entry.get("source") == "body" for entry in found):
        return problem_response(problem("not_json", "The request has no body; send JSON."))
    # Litestar says the name of the argument, which ends in _ where the parameter's own name is taken.
    errors = [
        FieldProblem(field=entry.get("key", "").rstrip("_"), code="invalid", message=entry.get("message", ""))
        for entry in found
    ]
    detail = "The request has parameters that are not valid." if errors else error.detail
    return problem_response(problem("invalid_parameter", detail, status=HTTPStatus.BAD_REQUEST, errors=errors))


EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = {
    ProblemError: _known,
    Unreadable: _unreadable,
    Unavailable: _unavailable,
    CommandFailedError: _failed,
    ValidationException: _invalid_parameters,
    HTTPException: _http,
    Exception: _failed,
}
"""For an application: every exception becomes a problem, and none shows a stack trace."""
