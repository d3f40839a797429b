"""The HTTP application of intake: its routes, and what they need."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Final

from litestar import Litestar
from litestar.di import Provide

from services.intake.api.reports import ROUTES
from services.intake.api.writing import Writer, provide_call
from services.intake.queries import ReportQueries
from shared.contracts.asyncapi import asyncapi_document
from shared.observability.health import Health
from shared.web.application import About, build_application
from shared.web.authentication import TokenVerifier

VERSION: Final = "1.0.0"
_DESCRIPTION: Final = (
    "Every problem comes in by one door: report it, complete it, let it be verified (核实), accept it (受理), merge it "
    "(并案), file it (立案) or reject it. "
    "A filed report becomes a case of dispatch under the same id, and shows what becomes of it. "
    "Every POST needs an Idempotency-Key."
)


def application(
    writer: Writer,
    queries: ReportQueries,
    *,
    verifier: TokenVerifier,
    health: Health,
    around: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
) -> Litestar:
    """Return the application; it commits while it is served, and drains at the end, inside `around`."""

    @asynccontextmanager
    async def committing(_app: Litestar) -> AsyncIterator[None]:
        async with around(), writer.commits:
            yield

    async def provide_writer() -> Writer:
        return writer

    async def provide_queries() -> ReportQueries:
        return queries

    return build_application(
        About(
            title="Joint intake (上报受理)",
            version=VERSION,
            description=_DESCRIPTION,
            asyncapi=asyncapi_document("intake", VERSION),
        ),
        ROUTES,
        verifier=verifier,
        health=health,
        dependencies={
            "call": Provide(provide_call),
            "writer": Provide(provide_writer),
            "queries": Provide(provide_queries),
        },
        lifespan=[committing],
    )
