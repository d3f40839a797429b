"""What a caller may send for an act, as the OpenAPI description shows it, and what that is answered with.

The name of an example begins with the status that it is answered with; a refused one goes on with the code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example, Operation
from litestar.openapi.spec import OpenAPIMediaType as MediaType
from litestar.openapi.spec import OpenAPIResponse as Response

from shared.contracts.common import Answer
from shared.web.problem import MEDIA_TYPE, StatusOf, problem, status_of

_ACCEPTED: Final = ResponseSpec(
    data_container=Answer, generate_examples=False, description="Done; the position is that of the last event."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActExample:
    """A body, and what it is answered with; `code` None where it is accepted."""

    summary: str
    body: Mapping[str, object]
    status: HTTPStatus = HTTPStatus.OK
    code: str | None = None

    @property
    def name(self) -> str:
        """Return the key in the description."""
        return str(self.status.value) if self.code is None else f"{self.status.value} {self.code}"


def done(summary: str, **body: object) -> ActExample:
    """Return an example that is accepted."""
    return ActExample(summary=summary, body=body)


def refused(code: str, summary: str, body: Mapping[str, object], status_of: StatusOf = status_of) -> ActExample:
    """Return an example that is refused; `status_of` knows the service's own codes."""
    return ActExample(summary=summary, body=body, status=status_of(code), code=code)


def act(path: str, examples: tuple[ActExample, ...]) -> post:
    """Return the decorator of the route of an act, which shows what is answered, and its examples."""
    return post(path, status_code=HTTPStatus.OK, operation_class=_shown(examples), responses={HTTPStatus.OK: _ACCEPTED})


def _shown(examples: tuple[ActExample, ...]) -> type[Operation]:
    @dataclass
    class Shown(Operation):
        def __post_init__(self) -> None:
            _show(self, examples)

    return Shown


def _show(operation: Operation, examples: tuple[ActExample, ...]) -> None:
    body: Any = operation.request_body
    for content in body.content.values():
        content.examples = {one.name: Example(summary=one.summary, value=dict(one.body)) for one in examples}
    responses: Any = operation.responses
    for one in examples:
        if one.code is not None:
            answer = problem(one.code, one.summary, status=one.status)
            responses[str(one.status.value)] = Response(
                description=f"{one.status.phrase}, such as `{one.code}`.",
                content={MEDIA_TYPE: MediaType(examples={one.code: Example(value=msgspec.to_builtins(answer))})},
            )
