"""What a write answers: the ledger's answer and the position of its last event, or the problem that it met."""

from http import HTTPStatus
from typing import Final

from litestar import Response

from shared.contracts.common import Answer, Position
from shared.web.problem import Problem, StatusOf, problem_of_answer, problem_response, status_of

POSITION_HEADER: Final = "Joint-Position"


def position_text(position: Position) -> str:
    """Return topic:stream:sequence, which `after=` takes."""
    return f"{position.topic}:{position.stream}:{position.sequence}"


def respond(
    answer: Answer, *, created: bool = False, status_of: StatusOf = status_of
) -> Response[Answer] | Response[Problem]:
    """Return 201 (`created`) or 200 with the answer where it was accepted, else its problem with that status."""
    if answer.outcome == "refused":
        return problem_response(problem_of_answer(answer, status_of))
    headers = {POSITION_HEADER: position_text(answer.position)} if answer.position is not None else {}
    return Response(answer, status_code=HTTPStatus.CREATED if created else HTTPStatus.OK, headers=headers)
