"""How a route's act becomes a command: one call, one command, one answer after its commit."""

from typing import Any
from uuid import UUID

from litestar import Request as HttpRequest
from litestar import Response
from litestar.di import NamedDependency
from msgspec import structs

from services.dispatch.api.bodies import Act
from services.dispatch.api.statuses import status_of_refusal
from services.dispatch.domain.commands import CaseCommand, LegCommand
from services.dispatch.domain.reference import PublishReference
from services.dispatch.tables import CASE, REFERENCE
from shared.contracts.common import Actor, Answer
from shared.contracts.reference import reference_stream
from shared.ledger.batcher import GroupCommit
from shared.ledger.commands import Cause, Command, Request
from shared.web.answers import respond
from shared.web.correlation import cause_of
from shared.web.idempotency import KeyHeader, read_request
from shared.web.problem import Problem

Answered = Response[Answer] | Response[Problem]


class Writer:
    """Submits the command of one call, in the name of its caller; concurrent calls share commits."""

    def __init__(self, commit: GroupCommit, actor: Actor, cause: Cause, idempotency: Request) -> None:
        self._commit = commit
        self._actor = actor
        self._cause = cause
        self._idempotency = idempotency

    async def on_case(self, command: type[CaseCommand], case_id: UUID, said: Act) -> Answered:
        """Return what became of an act on the case's own part; `said` has the rest of the command's fields."""
        body = command(case_id=case_id, **structs.asdict(said))
        return respond(await self._submit(CASE, case_id, body), status_of=status_of_refusal)

    async def on_leg(self, command: type[LegCommand], case_id: UUID, leg: int, said: Act) -> Answered:
        """Return what became of an act on a leg; `said` has the rest of the command's fields."""
        body = command(case_id=case_id, leg=leg, **structs.asdict(said))
        return respond(await self._submit(CASE, case_id, body), status_of=status_of_refusal)

    async def publish(self, command: PublishReference) -> Answered:
        """Return what became of a new version of a reference document."""
        stream = reference_stream(command.kind, command.name)
        return respond(await self._submit(REFERENCE, stream, command), created=True)

    async def _submit(self, aggregate: str, stream: UUID, body: object) -> Answer:
        return await self._commit.submit(
            Command(
                aggregate=aggregate,
                stream=stream,
                body=body,
                actor=self._actor,
                cause=self._cause,
                request=self._idempotency,
            )
        )


Writing = NamedDependency[Writer]
"""A handler declares `writer: Writing`."""


async def provide_writer(
    request: HttpRequest[Actor, Any, Any], commit: NamedDependency[GroupCommit], idempotency_key: KeyHeader = None
) -> Writer:
    """Give a handler the writer of its call."""
    # One dependency and not one for each part: Litestar resolves several in a task group, a tenth of a request's time.
    return Writer(commit, request.user, cause_of(request), await read_request(request, idempotency_key))
