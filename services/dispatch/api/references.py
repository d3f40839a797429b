"""Routes of the reference documents: everybody reads them, an administrator publishes the next version."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.params import FromPath, QueryParameter

from services.dispatch.api.parameters import Reads
from services.dispatch.api.views import ReferenceDocument
from services.dispatch.api.writing import Answered, Writing
from services.dispatch.domain.reference import PublishReference
from shared.contracts.reference import Kind
from shared.web.after import After, wait_until_reached
from shared.web.problem import ProblemError, status_of

Version = Annotated[int | None, QueryParameter(name="version", ge=1, description="Without it the version in force.")]
ExpectedVersion = Annotated[
    int | None,
    QueryParameter(name="expected_version", ge=0, description="Refused where another is in force; 0: none."),
]


class References(Controller):
    """Catalogues, routing, units, places, calendars and limit policies; every version stays readable."""

    path = "/v1/reference/{kind:str}/{name:str}"
    tags = ("reference",)

    @get("/")
    async def read(
        self,
        kind: FromPath[Kind],
        name: FromPath[str],
        database: Reads,
        version: Version = None,
        after: After = None,
    ) -> ReferenceDocument:
        """Read a version of a document."""
        await wait_until_reached(after, database.reached)
        found = await database.reference(kind, name, version)
        if found is None:
            wanted = f"{kind}/{name}" + (f" version {version}" if version else "")
            raise ProblemError(status_of("unknown_reference"), "unknown_reference", f"There is no {wanted}.")
        number, document = found
        return ReferenceDocument(kind=kind, name=name, version=number, document=msgspec.to_builtins(document))

    @post("/")
    async def publish(
        self,
        kind: FromPath[Kind],
        name: FromPath[str],
        request: Request[Any, Any, Any],
        writer: Writing,
        expected_version: ExpectedVersion = None,
    ) -> Answered:
        """Publish the next version; the body is the document itself.

        Cases already dispatched keep their legs. Running clocks are computed again after a calendar or a limit policy.
        """
        document = await request.body()
        command = PublishReference(kind=kind, name=name, document=document, expected_version=expected_version)
        return await writer.publish(command)
