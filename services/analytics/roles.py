"""What analytics is in each role. What only one role needs is imported by it alone: a start is mostly imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.analytics.app import SERVICE, build_worker, compose
from services.analytics.settings import Settings
from services.analytics.tables import migrate
from shared.messaging.worker import Task, Worker
from shared.observability.health import Health
from shared.runtime.roles import Roles

if TYPE_CHECKING:
    from shared.web.application import Application
    from shared.web.authentication import TokenVerifier


def roles(settings: Settings, role: str) -> Roles:
    """Return what analytics is in each role."""
    analytics = compose(settings, role=role)

    def api(verifier: TokenVerifier, health: Health) -> Application:
        from services.analytics.api.application import build  # noqa: PLC0415 - only the role `api` needs it

        return build(analytics.read_model, analytics.references, city=analytics.city, verifier=verifier, health=health)

    def worker(health: Health, answer_health: Task) -> Worker:
        return build_worker(analytics, settings.kafka(f"{SERVICE}.worker"), health=health, beside=(answer_health,))

    async def migrate_schema() -> None:
        async with analytics.engine.begin() as connection:
            await connection.run_sync(migrate)

    return Roles(engine=analytics.engine, api=api, worker=worker, migrate=migrate_schema)
