"""The HTTP application of dispatch: its routes, and what they need."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Final

from litestar import Litestar
from litestar.di import Provide

from services.dispatch.api.case_acts import CaseActs
from services.dispatch.api.leg_acts import DepartmentActs, LegDecisions, RectificationActs
from services.dispatch.api.reading import CaseReads, LegReads, TaskReads
from services.dispatch.api.references import References
from services.dispatch.api.routing import CaseRoutingReads, RoutingReads
from services.dispatch.api.writing import provide_writer
from services.dispatch.queries import Database
from shared.contracts.asyncapi import asyncapi_document
from shared.ledger.batcher import GroupCommit
from shared.observability.health import Health
from shared.web.application import About, build_application
from shared.web.authentication import TokenVerifier

VERSION: Final = "1.0.0"
_DESCRIPTION: Final = (
    "Who must do what about a filed problem, and whether it is done. Departments sign and feed back their legs; "
    "the centres dispatch, rule, check and close. Every POST that changes something needs an Idempotency-Key."
)


def application(
    commit: GroupCommit,
    database: Database,
    *,
    verifier: TokenVerifier,
    health: Health,
    around: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
) -> Litestar:
    """Return the application; it commits while it is served, and drains at the end, inside `around`."""

    @asynccontextmanager
    async def committing(_app: Litestar) -> AsyncIterator[None]:
        async with around(), commit:
            yield

    async def provide_commit() -> GroupCommit:
        return commit

    async def provide_database() -> Database:
        return database

    return build_application(
        About(
            title="Joint dispatch (派遣处置)",
            version=VERSION,
            description=_DESCRIPTION,
            asyncapi=asyncapi_document("dispatch", VERSION),
        ),
        [
            CaseReads,
            CaseActs,
            DepartmentActs,
            RectificationActs,
            LegDecisions,
            LegReads,
            TaskReads,
            CaseRoutingReads,
            RoutingReads,
            References,
        ],
        verifier=verifier,
        health=health,
        dependencies={
            "commit": Provide(provide_commit),
            "writer": Provide(provide_writer),
            "database": Provide(provide_database),
        },
        lifespan=[committing],
    )
