"""Reads that wait for a write: `after=topic:stream:sequence` is answered when this service has got there."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from litestar import Request, Response
from litestar.params import QueryParameter

from shared.contracts.common import Message, Position
from shared.ledger.positions import Reached
from shared.web.answers import position_text
from shared.web.problem import ProblemError

PATIENCE_SECONDS: Final = 2.0
_FIRST_PAUSE_SECONDS: Final = 0.01
_LONGEST_PAUSE_SECONDS: Final = 0.2
_RETRY_AFTER_SECONDS: Final = 1
_LARGEST_SEQUENCE: Final = 2**63 - 1

After = Annotated[
    str | None,
    QueryParameter(
        name="after",
        description="topic:stream:sequence, as the header Joint-Position of a write says it. "
        "Where this service has not got there within 2 s, the answer is 202 with Retry-After.",
    ),
]
"""The query parameter: declare `after: After = None`."""


class Pending(Message, frozen=True, kw_only=True):
    """The body of a 202: the read must be tried again.

    `behind`: the position has not come here yet. `waiting`: it has, and what must come before it has not; that goes
    on by itself. `held`: an operator has to deal with a dead letter first.
    """

    after: str
    state: Literal["behind", "waiting", "held"]
    detail: str


class NotReachedError(Exception):
    """This service has not got to the position in time; the application answers 202."""

    def __init__(self, pending: Pending) -> None:
        super().__init__(pending.detail)
        self.pending = pending


def parse_after(text: str) -> Position:
    """Read topic:stream:sequence.

    Raises:
        ProblemError: 400 `bad_after`.
    """
    topic, _, rest = text.partition(":")
    stream, _, sequence = rest.partition(":")
    try:
        if not topic.isprintable() or not topic or not sequence.isascii() or not sequence.isdigit():
            raise ValueError(text)
        number = int(sequence)
        if number > _LARGEST_SEQUENCE:
            raise ValueError(text)
        return Position(topic=topic, stream=UUID(stream), sequence=number)
    except ValueError as error:
        detail = "`after` must be topic:stream:sequence, as the header Joint-Position says it."
        raise ProblemError(HTTPStatus.BAD_REQUEST, "bad_after", detail) from error


async def wait_until_reached(
    after: str | None,
    reached: Callable[[Position], Awaitable[Reached]],
    *,
    patience: float = PATIENCE_SECONDS,
) -> None:
    """Return when this service has reached `after`, at once where there is none.

    Args:
        after: the parameter as it came.
        reached: tells whether this service has reached a position.
        patience: the longest wait in seconds.

    Raises:
        ProblemError: 400 `bad_after`.
        NotReachedError: after `patience`, or as soon as a dead letter is in the way.
    """
    if after is None:
        return
    position = parse_after(after)
    clock = asyncio.get_running_loop().time
    deadline = clock() + patience
    pause = _FIRST_PAUSE_SECONDS
    while (state := await reached(position)) != "reached":
        if state == "held" or clock() >= deadline:
            raise NotReachedError(_pending(position, state))
        await asyncio.sleep(min(pause, max(deadline - clock(), 0)))
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _pending(position: Position, state: Literal["behind", "waiting", "held"]) -> Pending:
    detail = {
        "behind": "This service has not got there yet; try again.",
        "waiting": "Waiting for an earlier message, or for a reference document, that has not arrived; try again.",
        "held": "Waiting behind a held message, which an operator has to release.",
    }[state]
    return Pending(after=position_text(position), state=state, detail=detail)


def answer_not_reached(_request: Request[Any, Any, Any], error: NotReachedError) -> Response[Pending]:
    """Return the 202 (exception handler)."""
    headers = {"Retry-After": str(_RETRY_AFTER_SECONDS)}
    return Response(error.pending, status_code=HTTPStatus.ACCEPTED, headers=headers)
