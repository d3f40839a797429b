"""Intake as its HTTP clients see it, in this process: tokens of any post, keys that never repeat."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from httpx import ASGITransport, AsyncClient, Response

from services.intake.api.application import application
from services.intake.api.writing import Writer
from services.intake.app import Intake
from shared.kernel.clock import ManualClock
from shared.kernel.identifiers import new_id
from shared.ledger.batcher import GroupCommit
from shared.observability.health import Health
from shared.web.authentication import TokenVerifier
from tests.support import reports
from tests.support.reports import HOME_UNITS, UNTRUSTED
from tests.support.web import ISSUER, NOON, Keys

BODY: Final[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(reports.submission()))


class IntakeClient:
    """Intake as its clients see it."""

    def __init__(self, client: AsyncClient, keys: Keys, intake: Intake) -> None:
        self.client = client
        self.keys = keys
        self.intake = intake

    async def get(self, path: str, post: str = "acceptor", client: str = "console") -> Response:
        return await self.client.get(path, headers=self._headers(post, client))

    async def act(self, report_id: str, act: str, post: str, body: object = None) -> Response:
        return await self.post(f"/v1/reports/{report_id}/{act}", body or {}, post, "console")

    async def report(self, body: object = None, client: str = UNTRUSTED, *, key: str | None = None) -> Response:
        return await self.post("/v1/reports", body or BODY, "source", client, key=key)

    async def post(self, path: str, body: object, post: str, client: str, *, key: str | None = None) -> Response:
        headers = {**self._headers(post, client), "Idempotency-Key": key or str(new_id())}
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.client.post(path, content=content, headers=headers)

    def _headers(self, post: str, client: str) -> dict[str, str]:
        unit = client if post == "source" else dict(HOME_UNITS)[post]  # type: ignore[index]
        token = self.keys.token(sub=client, unit=unit, post=post)
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


@asynccontextmanager
async def serving(intake: Intake, folder: Path) -> AsyncIterator[IntakeClient]:
    """Serve without Litestar's lifespan: it must end in the task that began it, which a fixture cannot promise."""
    keys, commits = Keys(folder), GroupCommit(intake.ledger)
    app: Any = application(
        Writer(commits=commits, references=intake.references, city=intake.city),
        intake.queries,
        verifier=TokenVerifier(jwks_file=keys.file, issuer=ISSUER, clock=ManualClock(NOON)),
        health=Health(),
    )
    async with commits, AsyncClient(transport=ASGITransport(app=app), base_url="http://intake") as client:
        yield IntakeClient(client, keys, intake)
