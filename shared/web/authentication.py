"""Who calls: a bearer token (JWT, ES256) verified against the public keys of the issuer becomes an `Actor`."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NoReturn

import msgspec
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError
from joserfc.jwk import KeySet
from litestar import Request
from litestar.di import NamedDependency
from litestar.types import ASGIApp, Receive, Scope, Send

from shared.contracts.common import Actor
from shared.kernel.clock import Clock
from shared.web.problem import ProblemError

AUDIENCE: Final = "joint"
PUBLIC: Final = "public"
"""The `opt` of a route that needs no token."""

Caller = NamedDependency[Actor]
"""Who calls: a handler declares `actor: Caller`."""

_ASKED_BEFORE: Final = "OPTIONS"
"""Browsers ask with it before a request, without a token."""
_ALGORITHMS: Final = ("ES256",)
_SKEW_SECONDS: Final = 30
_MAXIMUM_TOKEN: Final = 8 * 1024
_MAXIMUM_CACHED: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    actor: Actor
    expires_at: float


class TokenVerifier:
    """Verifies tokens. What was verified is remembered until it expires, or until the key file changes."""

    def __init__(self, *, jwks_file: Path, issuer: str, clock: Clock) -> None:
        self._file = jwks_file
        self._issuer = issuer
        self._clock = clock
        self._keys = KeySet([])
        self._read_version: tuple[int, int] | None = None
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        self._read_keys()

    def verify(self, token: str) -> Actor:
        """Return whom the token stands for.

        Raises:
            ProblemError: 401, with a code that says what is wrong.
        """
        if len(token) > _MAXIMUM_TOKEN:
            _refuse("token_malformed", f"The token is longer than {_MAXIMUM_TOKEN} characters.")
        self._read_keys()
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._verified.get(digest)
        if known is not None and known.expires_at > self._now():
            return known.actor
        found = self._verify(token)
        self._verified[digest] = found
        if len(self._verified) > _MAXIMUM_CACHED:
            self._verified.popitem(last=False)
        return found.actor

    def _verify(self, token: str) -> _Verified:
        try:
            claims = jwt.decode(token, self._keys, algorithms=_ALGORITHMS).claims
        except (JoseError, ValueError) as error:
            _refuse("token_not_trusted", f"The token is not one of this issuer's: {_say(error)}.")
        try:
            self._rules().validate(claims)
        except ExpiredTokenError:
            _refuse("token_expired", "The token has expired; get a new one.")
        except ClaimError as error:
            _refuse("token_not_trusted", f"The token is not meant for this service: {_say(error)}.")
        return _Verified(actor=_actor(claims), expires_at=float(claims["exp"]))

    def _rules(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(self._now()),
            leeway=_SKEW_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            sub={"essential": True},
        )

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _read_keys(self) -> None:
        """Read the key file if it changed: a rotated key counts from the next request on."""
        status = self._file.stat()
        version = (status.st_mtime_ns, status.st_ino)
        if version == self._read_version:
            return
        self._keys = KeySet.import_key_set(msgspec.json.decode(self._file.read_bytes()))
        self._verified.clear()
        self._read_version = version


class Authentication:
    """Every route needs a token unless it is marked `opt={PUBLIC: True}`; `request.user` is the `Actor`.

    Not Litestar's base class: that makes a connection object with all headers decoded only to ask for one of them.
    """

    def __init__(self, app: ASGIApp, verifier: TokenVerifier) -> None:
        self._app = app
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection as the actor of its bearer token.

        Raises:
            ProblemError: 401, when there is none or it is not to be trusted.
        """
        if scope.get("method") != _ASKED_BEFORE and not scope["route_handler"].opt.get(PUBLIC):
            scope["user"] = self._verifier.verify(_bearer_token(scope))
        await self._app(scope, receive, send)


def _bearer_token(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    scheme, _, token = given.decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        _refuse("token_missing", "Send the header Authorization: Bearer <token>.")
    return token.strip()


async def provide_actor(request: Request[Actor, Any, Any]) -> Actor:
    """Give a handler who calls."""
    return request.user


def _actor(claims: dict[str, Any]) -> Actor:
    found = {
        "client": claims.get("sub"),
        "unit": claims.get("unit"),
        "post": claims.get("post"),
        "person": claims.get("person"),
    }
    try:
        return msgspec.convert(found, Actor)
    except msgspec.ValidationError as error:
        _refuse("token_incomplete", f"The token does not say who acts (sub, unit, post): {error}.")


def _refuse(code: str, detail: str) -> NoReturn:
    raise ProblemError(HTTPStatus.UNAUTHORIZED, code, detail, headers={"WWW-Authenticate": "Bearer"})


def _say(error: Exception) -> str:
    return (getattr(error, "description", "") or str(error)).rstrip(".")
