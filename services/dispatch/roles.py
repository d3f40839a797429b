"""What dispatch is in each role. What only one role needs is imported by it alone: a start is mostly imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.dispatch.app import SERVICE, Dispatch, build_worker, compose, migrate_and_seed, reference_watch
from services.dispatch.settings import Settings
from shared.ledger.batcher import GroupCommit
from shared.messaging.worker import Task, Worker
from shared.observability.health import Health
from shared.runtime.roles import Roles

if TYPE_CHECKING:
    from shared.web.application import Application
    from shared.web.authentication import TokenVerifier


def roles(settings: Settings, role: str) -> Roles:
    """Return what dispatch is in each role."""
    dispatch = compose(settings, role=role)

    def worker(health: Health, answer_health: Task) -> Worker:
        return build_worker(dispatch, settings.kafka(f"{SERVICE}.worker"), health=health, beside=(answer_health,))

    return Roles(
        engine=dispatch.engine,
        api=lambda verifier, health: _api(dispatch, verifier, health),
        worker=worker,
        migrate=lambda: migrate_and_seed(dispatch),
    )


def _api(dispatch: Dispatch, verifier: TokenVerifier, health: Health) -> Application:
    from services.dispatch.api.application import application  # noqa: PLC0415 - only the role `api` needs it

    watch = reference_watch(dispatch)
    health.add("references", watch.problem)
    commit = GroupCommit(dispatch.ledger)
    return application(commit, dispatch.database, verifier=verifier, health=health, around=watch.watching)
