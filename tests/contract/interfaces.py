"""The HTTP interfaces as documents: each service's application is composed, nothing is connected."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from joserfc.jwk import ECKey
from litestar import Litestar
from sqlalchemy.ext.asyncio import AsyncEngine

from services.analytics.api import application as analytics_api
from services.analytics.app import compose_on as compose_analytics
from services.dispatch.api import application as dispatch_api
from services.dispatch.app import compose_on as compose_dispatch
from services.intake.api import application as intake_api
from services.intake.api.writing import Writer
from services.intake.app import compose_on as compose_intake
from shared.kernel.clock import SystemClock
from shared.ledger.batcher import GroupCommit
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault
from shared.observability.health import Health
from shared.web.authentication import TokenVerifier
from shared.web.description import with_problems

CITY: Final = "jiaohe"
_NOWHERE: Final = "postgresql+asyncpg://nobody:nothing@127.0.0.1:1/nothing"


def _intake(engine: AsyncEngine, vault: Vault, verifier: TokenVerifier) -> Litestar:
    parts = compose_intake(engine, vault, CITY)
    writer = Writer(commits=GroupCommit(parts.ledger), references=parts.references, city=CITY)
    return intake_api.application(writer, parts.queries, verifier=verifier, health=Health())


def _dispatch(engine: AsyncEngine, vault: Vault, verifier: TokenVerifier) -> Litestar:
    parts = compose_dispatch(engine, vault, CITY)
    return dispatch_api.application(GroupCommit(parts.ledger), parts.database, verifier=verifier, health=Health())


def _analytics(engine: AsyncEngine, vault: Vault, verifier: TokenVerifier) -> Litestar:
    parts = compose_analytics(engine, vault, CITY)
    return analytics_api.build(parts.read_model, parts.references, city=CITY, verifier=verifier, health=Health())


APPLICATIONS: Final[dict[str, Callable[[AsyncEngine, Vault, TokenVerifier], Litestar]]] = {
    "intake": _intake,
    "dispatch": _dispatch,
    "analytics": _analytics,
}


def openapi_document(service: str) -> dict[str, Any]:
    """Return the OpenAPI document that the service serves."""
    engine = create_ledger_engine(_NOWHERE, application="contract")
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "jwks.json"
        keys.write_text(json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=False)]}))
        verifier = TokenVerifier(jwks_file=keys, issuer="contract", clock=SystemClock())
        application = APPLICATIONS[service](engine, Vault(bytes(32)), verifier)
    document: dict[str, Any] = json.loads(
        json.dumps(with_problems(application.openapi_schema.to_schema()), default=str)
    )
    # The framework keeps its own two routes in a set: their order is another one in every process.
    document["paths"] = dict(sorted(document["paths"].items()))
    return document
