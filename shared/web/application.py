"""The HTTP application of a service: everything that its routes have in common is set here once."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from litestar import Litestar, get
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.middleware import DefineMiddleware
from litestar.types import ControllerRouterHandler

from shared.contracts.envelope import MAXIMUM_BYTES
from shared.observability.health import Health
from shared.web.after import NotReachedError, answer_not_reached
from shared.web.authentication import PUBLIC, Authentication, TokenVerifier, provide_actor
from shared.web.body import MessageBody
from shared.web.correlation import Correlation, provide_cause
from shared.web.description import describe
from shared.web.health import health_routes
from shared.web.idempotency import provide_idempotency
from shared.web.problem import EXCEPTION_HANDLERS

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]

Application = Litestar
"""What `build_application` makes and `serve` serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the OpenAPI description says of the service; `asyncapi` is served at /asyncapi.json where it is given."""

    title: str
    version: str
    description: str
    asyncapi: Mapping[str, object] | None = field(default=None, repr=False)


def build_application(
    about: About,
    routes: Sequence[ControllerRouterHandler],
    *,
    verifier: TokenVerifier,
    health: Health,
    dependencies: Mapping[str, Provide] | None = None,
    lifespan: Sequence[Lifespan] = (),
) -> Litestar:
    """Return the application.

    A handler may declare `data: JSONBody[SomeMessage]` (decoded with every field error), `actor: Caller`,
    `cause: RequestCause`, `idempotency: Idempotency`, `after: After` and, as `NamedDependency[…]`, whatever
    `dependencies` provide. Every route needs a token unless it has `opt={PUBLIC: True}`.

    Args:
        about: the texts of the description.
        routes: the service's own handlers, controllers and routers.
        verifier: verifies tokens.
        health: the checks behind /readyz.
        dependencies: what the service's handlers need, by parameter name.
        lifespan: context managers that surround serving, entered in order.
    """
    common = {
        "actor": Provide(provide_actor),
        "cause": Provide(provide_cause),
        "idempotency": Provide(provide_idempotency),
    }
    own = [*health_routes(health), *([_asyncapi_route(about.asyncapi)] if about.asyncapi is not None else [])]
    app = Litestar(
        route_handlers=[*own, *routes],
        dependencies={**common, **(dependencies or {})},
        dto=MessageBody,
        return_dto=None,
        exception_handlers={**EXCEPTION_HANDLERS, NotReachedError: answer_not_reached},
        middleware=[DefineMiddleware(Authentication, verifier=verifier)],
        request_max_body_size=MAXIMUM_BYTES,
        lifespan=list(lifespan),
        logging_config=None,
        openapi_config=describe(about.title, about.version, about.description),
    )
    app.asgi_handler = Correlation(app.asgi_handler)
    return app


def _asyncapi_route(document: Mapping[str, object]) -> HTTPRouteHandler:
    @get("/asyncapi.json", opt={PUBLIC: True}, include_in_schema=False)
    async def asyncapi() -> dict[str, object]:
        return dict(document)

    return asyncapi
