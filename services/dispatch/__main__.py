"""The roles of dispatch: `python -m services.dispatch api | worker | migrate`."""

import sys

from services.dispatch.api.application import application
from services.dispatch.app import SERVICE, Dispatch, build_worker, compose, migrate_and_seed, reference_watch
from services.dispatch.settings import Settings
from shared.ledger.batcher import GroupCommit
from shared.messaging.worker import Task, Worker
from shared.observability.health import Health
from shared.runtime.roles import Roles, run
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
    watch = reference_watch(dispatch)
    health.add("references", watch.problem)
    commit = GroupCommit(dispatch.ledger)
    return application(commit, dispatch.database, verifier=verifier, health=health, around=watch.watching)


if __name__ == "__main__":
    raise SystemExit(run(SERVICE, sys.argv[1:], Settings, roles))
