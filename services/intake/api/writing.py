"""How the API writes: one command a request, committed before the answer; nothing before the references are here."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request as HttpRequest
from litestar.di import NamedDependency

from services.intake.domain.admission import missing_documents
from services.intake.domain.commands import Act, Submit
from services.intake.domain.report import AGGREGATE
from shared.contracts.common import Actor, Answer
from shared.kernel.errors import Unavailable
from shared.ledger.batcher import GroupCommit
from shared.ledger.commands import Cause, Command, Request
from shared.ledger.references import References
from shared.web.correlation import cause_of
from shared.web.idempotency import KeyHeader, read_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """The API's way into the write path."""

    commits: GroupCommit
    references: References
    city: str

    async def write(self, command: Command) -> Answer:
        """Return the command's answer after its commit.

        Raises:
            Unavailable: while reference documents have not arrived yet, or the database is away.
            CommandFailedError: when the command crashed its handler.
        """
        if missing_documents(self.references.library, self.city):
            problem = missing_documents(await self.references.refresh(), self.city)
            if problem is not None:
                raise Unavailable(problem)
        return await self.commits.submit(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One writing request: who asks, why, and under which key."""

    actor: Actor
    cause: Cause
    request: Request
    writer: Writer

    async def ask(self, report_id: UUID, body: Submit | Act) -> Answer:
        """Ask this of the report and return the answer (raises as `Writer.write`)."""
        command = Command(
            aggregate=AGGREGATE,
            stream=report_id,
            body=body,
            actor=self.actor,
            cause=self.cause,
            request=self.request,
        )
        return await self.writer.write(command)


Calling = NamedDependency[Call]
"""A handler declares `call: Calling`."""


async def provide_call(
    request: HttpRequest[Actor, Any, Any], writer: NamedDependency[Writer], idempotency_key: KeyHeader = None
) -> Call:
    """Give a handler the call."""
    # One dependency and not one for each part: Litestar resolves several in a task group, a tenth of a request's time.
    return Call(
        actor=request.user,
        cause=cause_of(request),
        request=await read_request(request, idempotency_key),
        writer=writer,
    )
