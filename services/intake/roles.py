"""What intake is in each role. What only one role needs is imported by it alone: a start is mostly imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.intake.app import SERVICE, Intake, build_worker, compose, reference_watch
from services.intake.settings import Settings
from services.intake.tables import migrate
from shared.ledger.batcher import GroupCommit
from shared.messaging.worker import Task, Worker
from shared.observability.health import Health
from shared.runtime.roles import Roles

if TYPE_CHECKING:
    from shared.web.application import Application
    from shared.web.authentication import TokenVerifier


def roles(settings: Settings, role: str) -> Roles:
    """Return what intake is in each role."""
    intake = compose(settings, role=role)

    def worker(health: Health, answer_health: Task) -> Worker:
        return build_worker(intake, settings.kafka(f"{SERVICE}.worker"), health=health, beside=(answer_health,))

    async def migrate_schema() -> None:
        async with intake.engine.begin() as connection:
            await connection.run_sync(migrate)

    return Roles(
        engine=intake.engine,
        api=lambda verifier, health: _api(intake, verifier, health),
        worker=worker,
        migrate=migrate_schema,
    )


def _api(intake: Intake, verifier: TokenVerifier, health: Health) -> Application:
    from services.intake.api.application import application  # noqa: PLC0415 - only the role `api` needs it
    from services.intake.api.writing import Writer  # noqa: PLC0415

    watch = reference_watch(intake)
    health.add("references", watch.problem)
    writer = Writer(commits=GroupCommit(intake.ledger), references=intake.references, city=intake.city)
    return application(writer, intake.queries, verifier=verifier, health=health, around=watch.watching)
