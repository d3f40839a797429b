"""Dispatch as its HTTP clients see it, in this process: tokens of any unit and post, keys that never repeat."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from httpx import ASGITransport, AsyncClient, Response

from services.dispatch.api.application import application
from services.dispatch.app import Dispatch
from shared.kernel.clock import ManualClock
from shared.kernel.identifiers import new_id
from shared.ledger.batcher import GroupCommit
from shared.observability.health import Health
from shared.web.authentication import TokenVerifier
from tests.support.web import ISSUER, NOON, Keys

SUPERVISION, COMMAND = "supervision-centre", "command-centre"


class DispatchClient:
    """Asks dispatch in the name of any unit and post."""

    def __init__(self, client: AsyncClient, keys: Keys) -> None:
        self.plain = client
        self._keys = keys

    async def get(self, path: str, unit: str = COMMAND, post: str = "dispatcher") -> Response:
        return await self.plain.get(path, headers=self._headers(unit, post))

    async def post(self, path: str, body: object, unit: str, post: str, *, key: str | None = None) -> Response:
        headers = {**self._headers(unit, post), "Idempotency-Key": key or str(new_id())}
        return await self.plain.post(path, json=body, headers=headers)

    async def leg(self, case_id: UUID, leg: int, act: str, unit: str, body: object = None) -> Response:
        """Act on a leg as the department `unit`."""
        return await self.post(f"/v1/cases/{case_id}/legs/{leg}/{act}", body or {}, unit, "department")

    async def check(self, case_id: UUID, **body: object) -> Response:
        """Check as a collector of the unit that is to check."""
        unit = (await self.get(f"/v1/cases/{case_id}")).json()["case"]["check_unit"]
        return await self.post(f"/v1/cases/{case_id}/checks", body, unit or SUPERVISION, "collector")

    async def close(self, case_id: UUID) -> Response:
        """Close as a duty leader of the supervision centre."""
        return await self.post(f"/v1/cases/{case_id}/close", {}, SUPERVISION, "duty_leader")

    def _headers(self, unit: str, post: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._keys.token(sub=f'client-of-{unit}', unit=unit, post=post)}"}


@asynccontextmanager
async def dispatch_client(dispatch: Dispatch, keys: Keys) -> AsyncIterator[DispatchClient]:
    """Serve dispatch's API to a client while the block runs."""
    commit = GroupCommit(dispatch.ledger)
    app: Any = application(
        commit,
        dispatch.database,
        verifier=TokenVerifier(jwks_file=keys.file, issuer=ISSUER, clock=ManualClock(NOON)),
        health=Health(),
    )
    transport = ASGITransport(app=app)
    # Litestar's own lifespan must end in the task that began it, which a fixture cannot promise.
    async with commit, AsyncClient(transport=transport, base_url="http://dispatch") as client:
        yield DispatchClient(client, keys)


def problem(response: Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem that the response tells, which must be this one."""
    found: dict[str, Any] = response.json()
    assert (response.status_code, found.get("code")) == (status, code), response.text
    return found
