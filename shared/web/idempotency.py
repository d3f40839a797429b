"""The Idempotency-Key of a write (I-2): the same client and key have one effect and always the same answer."""

import re
from http import HTTPStatus
from typing import Annotated, Any, Final

from litestar import Request as HttpRequest
from litestar.di import NamedDependency
from litestar.params import HeaderParameter

from shared.contracts.common import Actor
from shared.contracts.validation import canonical_digest
from shared.ledger.commands import Request
from shared.web.problem import ProblemError

HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile("[!-~]{1,200}")

Idempotency = NamedDependency[Request]
"""The ledger's request of a write: a handler declares `idempotency: Idempotency`."""

KeyHeader = Annotated[
    str | None,
    HeaderParameter(
        name=HEADER,
        description="Chosen by the client, one for each act: 1 to 200 visible ASCII characters, best a UUID. "
        "A repeat with the same body gets the same answer; with another body it is refused.",
    ),
]


def request_of(*, key: str | None, actor: Actor, method: str, path: str, body: bytes) -> Request:
    """Return the ledger's request: the party is the token's client; field order and white space do not count.

    Raises:
        ProblemError: 400, when the key is missing or is none.
    """
    if not key:
        detail = f"A write needs the header {HEADER}, so that repeating it is safe."
        raise ProblemError(HTTPStatus.BAD_REQUEST, "idempotency_key_missing", detail)
    if not _KEY.fullmatch(key):
        detail = f"The header {HEADER} must have 1 to 200 visible ASCII characters."
        raise ProblemError(HTTPStatus.BAD_REQUEST, "idempotency_key_invalid", detail)
    return Request(party=actor.client, key=key, digest=canonical_digest(method, path, data=body))


async def provide_idempotency(request: HttpRequest[Actor, Any, Any], idempotency_key: KeyHeader = None) -> Request:
    """Give a handler the request of its call."""
    return await read_request(request, idempotency_key)


async def read_request(request: HttpRequest[Actor, Any, Any], key: str | None) -> Request:
    """Return the ledger's request of a call (raises as `request_of`)."""
    return request_of(
        key=key,
        actor=request.user,
        method=request.method,
        path=request.scope["path"],
        body=await request.body(),
    )
