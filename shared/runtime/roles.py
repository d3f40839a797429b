"""The three roles of every service: `python -m services.<service> api | worker | migrate`."""

from __future__ import annotations

import gc
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import uvloop
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.kernel.clock import SystemClock
from shared.messaging.worker import Task, Worker
from shared.observability import crash
from shared.observability.health import Health
from shared.observability.logging import configure_logging
from shared.observability.tracing import configure_tracing
from shared.runtime.settings import ProcessSettings

if TYPE_CHECKING:
    from shared.web.application import Application
    from shared.web.authentication import TokenVerifier

ROLES: Final = ("api", "worker", "migrate")

_COLLECT_AFTER: Final = 500_000
"""Objects that a process has made and not yet let go before it looks for cycles. A batch or a round of the relay has up
to two hundred thousand, none of them cyclic: with Python's 700 a fifth of a worker's time went there
(docs/performance.md)."""

S = TypeVar("S", bound=ProcessSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What a service makes for each role. The worker takes its health and a task that answers for it over HTTP."""

    engine: AsyncEngine
    api: Callable[[TokenVerifier, Health], Application]
    worker: Callable[[Health, Task], Worker]
    migrate: Callable[[], Awaitable[None]]


def run(service: str, arguments: Sequence[str], read: type[S], make: Callable[[S, str], Roles]) -> int:
    """Run one role until it is told to stop.

    Args:
        service: its name.
        arguments: of the command line: the role.
        read: the class of its settings.
        make: composes the service for the role.

    Returns:
        The exit code: 0 when it ended as told, 2 when the arguments name no role.
    """
    if len(arguments) != 1 or arguments[0] not in ROLES:
        sys.stderr.write(f"Say which role: python -m services.{service} {' | '.join(ROLES)}\n")
        return 2
    (role,) = arguments
    settings = read()  # type: ignore[call-arg]  # the environment gives what has no default
    configure_logging(settings.log_format, service=service)
    configure_tracing(service)
    crash.configure(settings.crash_at)
    roles = make(settings, role)
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 50)
    gc.enable()
    match role:
        case "api":
            _serve(roles, settings)
        case "worker":
            uvloop.run(_work(roles, settings))
        case _:
            uvloop.run(_migrate(roles))
    return 0


# Each role imports what it alone needs: the web framework is a fifth of a start, and migrations are run without it.


def _serve(roles: Roles, settings: ProcessSettings) -> None:
    from shared.web.server import serve  # noqa: PLC0415

    serve(roles.api(_verifier(settings), Health()), host=settings.host, port=settings.http_port)


def _verifier(settings: ProcessSettings) -> TokenVerifier:
    from shared.web.authentication import TokenVerifier  # noqa: PLC0415

    if settings.jwks_file is None or settings.token_issuer is None:
        raise SystemExit("The api role needs JOINT_JWKS_FILE and JOINT_TOKEN_ISSUER.")
    return TokenVerifier(jwks_file=settings.jwks_file, issuer=settings.token_issuer, clock=SystemClock())


async def _work(roles: Roles, settings: ProcessSettings) -> None:
    from shared.web.health import serve_health  # noqa: PLC0415

    health = Health()

    async def answer_health() -> None:
        await serve_health(health, settings.host, settings.health_port)

    await roles.worker(health, answer_health).run()
    await roles.engine.dispose()


async def _migrate(roles: Roles) -> None:
    await roles.migrate()
    await roles.engine.dispose()
