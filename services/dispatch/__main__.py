"""The roles of dispatch: `python -m services.dispatch api | worker | migrate`."""

import sys

import uvloop

from services.dispatch.api.application import application
from services.dispatch.app import (
    SERVICE,
    Dispatch,
    ReferenceWatch,
    build_worker,
    compose,
    migrate_and_seed,
    running,
)
from services.dispatch.settings import Settings
from shared.kernel.clock import SystemClock
from shared.ledger.batcher import GroupCommit
from shared.messaging.connection import KafkaConnection
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
    dispatch = compose(settings, role=role)
    match role:
        case "api":
            run_api(dispatch, settings)
        case "worker":
            uvloop.run(run_worker(dispatch, settings))
        case _:
            uvloop.run(run_migrations(dispatch))
    return 0


def run_api(dispatch: Dispatch, settings: Settings) -> None:
    """Serve the HTTP interface.

    Raises:
        SystemExit: if no key file or issuer of tokens is configured.
    """
    if settings.jwks_file is None or settings.token_issuer is None:
        raise SystemExit("The api role needs JOINT_JWKS_FILE and JOINT_TOKEN_ISSUER.")
    verifier = TokenVerifier(jwks_file=settings.jwks_file, issuer=settings.token_issuer, clock=SystemClock())
    health = Health()
    watch = ReferenceWatch(dispatch)
    health.add("references", watch.problem)
    app = application(
        GroupCommit(dispatch.ledger),
        dispatch.database,
        verifier=verifier,
        health=health,
        around=lambda: running(dispatch, watch),
    )
    serve(app, host=settings.host, port=settings.http_port)


async def run_worker(dispatch: Dispatch, settings: Settings) -> None:
    """Consume, relay and seal."""
    health = Health()

    async def answer_health() -> None:
        await serve_health(health, settings.host, settings.health_port)

    password = settings.kafka_password
    kafka = KafkaConnection(
        bootstrap=tuple(settings.kafka_bootstrap.split(",")),
        client_id=f"{SERVICE}.worker",
        username=settings.kafka_username,
        password=password.get_secret_value() if password else None,
    )
    await build_worker(dispatch, kafka, health=health, beside=(answer_health,)).run()
    await dispatch.engine.dispose()


async def run_migrations(dispatch: Dispatch) -> None:
    """Bring the service's schema up to date and publish the first reference documents."""
    await migrate_and_seed(dispatch)
    await dispatch.engine.dispose()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
