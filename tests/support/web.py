"""A small application with everything that services share, keys and tokens of invented parties, and a client."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import ECKey
from litestar import Litestar, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.testing import TestClient

from shared.contracts.common import Actor, Answer, Message, Position
from shared.contracts.dispatch import SignLeg
from shared.kernel.clock import ManualClock
from shared.kernel.errors import Unavailable
from shared.ledger.batcher import CommandFailedError
from shared.ledger.positions import Reached
from shared.observability.health import Health
from shared.web.after import After, wait_until_reached
from shared.web.answers import respond
from shared.web.application import About, build_application
from shared.web.authentication import Caller, TokenVerifier
from shared.web.correlation import RequestCause
from shared.web.idempotency import Idempotency
from shared.web.problem import Problem

ISSUER: Final = "https://issuer.example"
NOON: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CASE: Final = "01939393-9393-7939-9393-939393939393"
POSITION: Final = Position(topic="dispatch.cases", stream=UUID(CASE), sequence=3)
SIGN: Final = {"case_id": CASE, "leg": 1}
CLAIMS: Final[Mapping[str, object]] = {
    "iss": ISSUER,
    "aud": "joint",
    "sub": "console",
    "unit": "fire-rescue",
    "post": "department",
    "exp": int((NOON + timedelta(hours=1)).timestamp()),
}


class Seen(Message, frozen=True, kw_only=True):
    """What a handler was given."""

    actor: Actor
    correlation: str
    traceparent: str | None
    party: str
    key: str
    digest: str


class Keys:
    """A signing key, and the key file that knows it."""

    def __init__(self, folder: Path, kid: str = "first") -> None:
        self.file = folder / "jwks.json"
        self.rotate(kid)

    def rotate(self, kid: str) -> None:
        """Sign with a new key from now on; the file knows only that one."""
        self.key = ECKey.generate_key("P-256", {"kid": kid})
        self.file.write_text(json.dumps({"keys": [self.key.as_dict(private=False)]}), encoding="utf-8")

    def token(self, **changes: object) -> str:
        """Return a token with these claims changed; None leaves a claim out."""
        return token_by(self.key, **changes)


def token_by(key: ECKey, **changes: object) -> str:
    """Return a token signed by that key."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key, algorithms=["ES256"])


@post("/v1/cases/{case:uuid}/legs/{leg:int}/sign", status_code=HTTPStatus.OK)
async def sign(
    case: FromPath[UUID],
    leg: FromPath[int],
    data: JSONBody[SignLeg],
    actor: Caller,
    cause: RequestCause,
    idempotency: Idempotency,
) -> Seen:
    """Say what the handler was given."""
    assert (case, leg) == (data.case_id, data.leg)
    return Seen(
        actor=actor,
        correlation=cause.correlation,
        traceparent=cause.traceparent,
        party=idempotency.party,
        key=idempotency.key,
        digest=idempotency.digest.hex(),
    )


@get("/v1/list")
async def listed(limit: Annotated[int, QueryParameter(ge=1, le=5)] = 3, page: FromQuery[int] = 1) -> dict[str, int]:
    """Say which parameters came."""
    return {"limit": limit, "page": page}


@get("/v1/broken")
async def broken() -> None:
    """Fail by a bug."""
    raise RuntimeError("a secret of the inside")


@get("/v1/failed")
async def failed() -> None:
    """Fail as a command does that crashed its handler."""
    raise CommandFailedError("a secret of the inside")


@get("/v1/unavailable")
async def unavailable() -> None:
    """Fail as a database does that does not answer."""
    raise Unavailable("the database at a secret place")


@get("/v1/answers/{code:str}")
async def answered(code: FromPath[str]) -> Response[Answer] | Response[Problem]:
    """Answer as the ledger would: `accepted`, or refused with that code."""
    if code == "accepted":
        return respond(Answer(outcome="accepted", subject=UUID(CASE), position=POSITION), created=True)
    return respond(Answer(outcome="refused", code=code, detail="Because.", revision=4))


def reading(states: list[Reached]) -> Any:  # noqa: ANN401 - Litestar's decorated handler
    """Return a handler of a read whose service is in these states, one after the other; the last one stays."""

    async def reached(_position: Position) -> Reached:
        return states.pop(0) if len(states) > 1 else states[0]

    @get("/v1/read")
    async def read(after: After = None) -> dict[str, bool]:
        await wait_until_reached(after, reached, patience=0.05)
        return {"read": True}

    return read


@contextmanager
def client_of(
    keys: Keys, *, health: Health | None = None, reached: list[Reached] | None = None, token: str | None = None
) -> Iterator[TestClient[Litestar]]:
    """Serve the application to a client that sends a good token, or `token`; "" sends none."""
    app = build_application(
        About(title="Test", version="1", description="A test.", asyncapi={"asyncapi": "3.0.0"}),
        [sign, listed, broken, failed, unavailable, answered, reading(reached or ["reached"])],
        verifier=TokenVerifier(jwks_file=keys.file, issuer=ISSUER, clock=ManualClock(NOON)),
        health=health or Health(),
    )
    with TestClient(app) as client:
        chosen = keys.token() if token is None else token
        if chosen:
            client.headers["Authorization"] = f"Bearer {chosen}"
        yield client
