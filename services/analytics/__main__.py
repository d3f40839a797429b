"""The roles of analytics: `python -m services.analytics api | worker | migrate`."""

import sys

import uvloop

from services.analytics.api.application import build
from services.analytics.app import SERVICE, Analytics, build_worker, compose, kafka_of
from services.analytics.settings import Settings
from services.analytics.tables import migrate
from shared.kernel.clock import SystemClock
from shared.observability import crash
from shared.observability.health import Health
from shared.observability.logging import configure_logging
from shared.observability.tracing import configure_tracing
from shared.web.authentication import TokenVerifier
from shared.web.health import serve_health
from shared.web.server import serve

ROLES = ("api", "worker", "migrate")


def main(arguments: list[str]) -> int:
    """Run one role until it is told to stop; return the exit code."""
    if len(arguments) != 1 or arguments[0] not in ROLES:
        sys.stderr.write(f"Say which role: python -m services.{SERVICE} {' | '.join(ROLES)}\n")
        return 2
    (role,) = arguments
    settings = Settings()  # type: ignore[call-arg]  # the environment gives what has no default
    configure_logging(settings.log_format, service=SERVICE)
    configure_tracing(SERVICE)
    crash.configure(settings.crash_at)
    analytics = compose(settings, role=role)
    match role:
        case "api":
            run_api(analytics, settings)
        case "worker":
            uvloop.run(run_worker(analytics, settings))
        case _:
            uvloop.run(run_migrations(analytics))
    return 0


def run_api(analytics: Analytics, settings: Settings) -> None:
    """Serve the HTTP interface.

    Raises:
        SystemExit: if no key file or issuer of tokens is configured.
    """
    if settings.jwks_file is None or settings.token_issuer is None:
        raise SystemExit("The api role needs JOINT_JWKS_FILE and JOINT_TOKEN_ISSUER.")
    verifier = TokenVerifier(jwks_file=settings.jwks_file, issuer=settings.token_issuer, clock=SystemClock())
    app = build(analytics.read_model, analytics.references, city=analytics.city, verifier=verifier, health=Health())
    serve(app, host=settings.host, port=settings.http_port)


async def run_worker(analytics: Analytics, settings: Settings) -> None:
    """Count, copy and relay."""
    health = Health()

    async def answer_health() -> None:
        await serve_health(health, settings.host, settings.health_port)

    kafka = kafka_of(settings, role="worker")
    await build_worker(analytics, kafka, health=health, beside=(answer_health,)).run()
    await analytics.engine.dispose()


async def run_migrations(analytics: Analytics) -> None:
    """Bring the service's schema up to date."""
    async with analytics.engine.begin() as connection:
        await connection.run_sync(migrate)
    await analytics.engine.dispose()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
