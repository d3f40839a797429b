"""How a route's act becomes a command: one call, one command, one answer after its commit."""

from typing import NamedTuple
from uuid import UUID

from litestar import Response

from services.dispatch.domain.commands import ActorCommand
from services.dispatch.domain.reference import PublishReference
from services.dispatch.tables import CASE, REFERENCE
from shared.contracts.common import Actor, Answer
from shared.contracts.reference import reference_stream
from shared.ledger.batcher import GroupCommit
from shared.ledger.commands import Cause, Command, Request
from shared.web.answers import respond
from shared.web.problem import Problem

Answered = Response[Answer] | Response[Problem]


class Caller(NamedTuple):
    """Who asks, in which matter, under which key."""

    actor: Actor
    cause: Cause
    idempotency: Request


class Writer:
    """Submits commands; concurrent callers share commits."""

    def __init__(self, commit: GroupCommit) -> None:
        self._commit = commit

    async def act(self, command: ActorCommand, caller: Caller) -> Answered:
        """Return what became of an act on a case."""
        return respond(await self._submit(CASE, command.case_id, command, caller))

    async def publish(self, command: PublishReference, caller: Caller) -> Answered:
        """Return what became of a new version of a reference document."""
        stream = reference_stream(command.kind, command.name)
        return respond(await self._submit(REFERENCE, stream, command, caller), created=True)

    async def _submit(self, aggregate: str, stream: UUID, body: object, caller: Caller) -> Answer:
        return await self._commit.submit(
            Command(
                aggregate=aggregate,
                stream=stream,
                body=body,
                actor=caller.actor,
                cause=caller.cause,
                request=caller.idempotency,
            )
        )


async def provide_caller(actor: Actor, cause: Cause, idempotency: Request) -> Caller:
    """Give a handler everything about its caller: declare `caller: Caller`."""
    return Caller(actor, cause, idempotency)
