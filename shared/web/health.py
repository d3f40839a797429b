"""Whether a process lives (/healthz), can work (/readyz) and what it counts (/metrics)."""

from http import HTTPStatus

from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler

from shared.contracts.common import Message
from shared.observability.health import Health
from shared.observability.metrics import exposition
from shared.web.authentication import PUBLIC
from shared.web.problem import EXCEPTION_HANDLERS
from shared.web.server import serve_beside


class Liveness(Message, frozen=True, kw_only=True):
    """The process answers."""

    alive: bool = True


class ReadinessReport(Message, frozen=True, kw_only=True):
    """Whether the process can do its work; `problems` says what is wrong by the name of the check.

    `notices` are for people: what they have to look at though the process does its work, such as held messages.
    """

    ready: bool
    problems: dict[str, str]
    notices: dict[str, str]


def health_routes(health: Health) -> list[HTTPRouteHandler]:
    """Return the three routes; they need no token and are not in the API's description."""

    @get("/healthz", opt={PUBLIC: True}, include_in_schema=False)
    async def healthz() -> Liveness:
        return Liveness()

    @get("/readyz", opt={PUBLIC: True}, include_in_schema=False)
    async def readyz() -> Response[ReadinessReport]:
        found = health.readiness()
        status = HTTPStatus.OK if found.ready else HTTPStatus.SERVICE_UNAVAILABLE
        report = ReadinessReport(ready=found.ready, problems=dict(found.problems), notices=dict(found.notices))
        return Response(report, status_code=status)

    @get("/metrics", opt={PUBLIC: True}, include_in_schema=False)
    async def metrics() -> Response[bytes]:
        content, content_type = exposition()
        return Response(content, media_type=content_type)

    return [healthz, readyz, metrics]


def health_application(health: Health) -> Litestar:
    """Return an application that has only the three routes."""
    return Litestar(
        route_handlers=health_routes(health),
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
    )


async def serve_health(health: Health, host: str, port: int) -> None:
    """Serve the three routes beside a worker's work, until cancelled."""
    await serve_beside(health_application(health), host=host, port=port)
