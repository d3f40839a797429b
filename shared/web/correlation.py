"""One id for a matter from the caller to the last event: X-Correlation-Id and traceparent in, the former out.

Every request is counted and timed. One that was not answered with success is a line of the log; of the others nobody
reads lines, and what they wrote stands in the ledger with this id.
"""

import re
import time
from http import HTTPStatus
from typing import Any, Final

import structlog
from litestar import Request
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry.trace import SpanKind

from shared.kernel.identifiers import new_id
from shared.ledger.commands import Cause
from shared.observability.logging import bind
from shared.observability.tracing import current_traceparent, read_traceparent, span
from shared.web.measuring import RequestMeter

RequestCause = NamedDependency[Cause]
"""The cause of the commands that a handler makes: it declares `cause: RequestCause`."""

HEADER: Final = "X-Correlation-Id"
_HEADER: Final = HEADER.lower().encode()
"""As ASGI servers give names."""
_STATE: Final = "joint_correlation"
_CORRELATION: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_QUIET_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})

log = structlog.get_logger()


class Correlation:
    """Wraps a whole application, so that refusals and failures carry the id too; counts each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._meter = RequestMeter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(_HEADER, b"").decode("latin-1")
        correlation = given if _CORRELATION.fullmatch(given) else str(new_id())
        scope["state"][_STATE] = correlation
        traceparent = headers.get(b"traceparent")
        parent = None if traceparent is None else read_traceparent(traceparent.decode("latin-1"))
        with span("http.request", parent=parent, kind=SpanKind.SERVER), bind(correlation=correlation):
            await self._serve(scope, receive, send, correlation)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, correlation: str) -> None:
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (_HEADER, correlation.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            self._meter.observe(scope, status, seconds)
            succeeded = HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST
            write = log.debug if succeeded or scope["path"] in _QUIET_PATHS else log.info
            write(
                "http.answered",
                method=scope.get("method"),
                path=scope["path"],
                status=status,
                milliseconds=round(seconds * 1000, 1),
            )


async def provide_cause(request: Request[Any, Any, Any]) -> Cause:
    """Give a handler the cause of the commands that it makes."""
    return cause_of(request)


def cause_of(request: Request[Any, Any, Any]) -> Cause:
    """Return the cause of the commands that a request makes."""
    return Cause(correlation=request.scope["state"][_STATE], traceparent=current_traceparent())
