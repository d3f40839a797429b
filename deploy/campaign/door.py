"""One party's way to the public HTTP API: its token, a key for every write, and patience with a service that is away.

A write that got no answer is sent again with the same Idempotency-Key, so it has one effect however often it is sent.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx
import msgspec

_PATIENCE_SECONDS: Final = 120.0
_PAUSE_SECONDS: Final = 0.3
_PAGE: Final = 200
_AGAIN: Final = frozenset({202, 429, 500, 502, 503, 504})
"""Answers that mean "not now": waits behind something, too many, a fault or a stop of ours."""


class Unreachable(Exception):
    """A service did not answer for as long as a party waits; the text says which and what it said last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back: HTTP status and JSON document."""

    status: int
    document: Mapping[str, Any]

    @property
    def accepted(self) -> bool:
        """Whether the write was done (now, or when it was first sent)."""
        return self.status < httpx.codes.BAD_REQUEST

    @property
    def code(self) -> str:
        """Return the refusal's code, "" when there is none."""
        return str(self.document.get("code", ""))

    def __str__(self) -> str:
        return f"{self.status} {self.code} {self.document.get('detail', '')}".strip()


class Door:
    """Calls of one party. `api` are the addresses by service, `transport` replaces the network. Use as `async with`."""

    def __init__(
        self,
        api: Mapping[str, str],
        token: str,
        *,
        patience_seconds: float = _PATIENCE_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._api = api
        self._patience = patience_seconds
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"}, timeout=30.0, trust_env=False, transport=transport
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._client.aclose()

    async def post(self, service: str, path: str, body: object, *, key: str) -> Reply:
        """Write; the answer is that of the first time this key was used.

        Raises:
            Unreachable: when the service did not answer in time.
        """
        return await self.post_raw(service, path, msgspec.json.encode(body), key=key)

    async def post_raw(self, service: str, path: str, body: bytes, *, key: str | None) -> Reply:
        """Write exactly these bytes, under a key where one is given.

        Raises:
            Unreachable: when the service did not answer in time.
        """
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key is not None else {})
        return await self._patiently("POST", service, path, content=body, headers=headers)

    async def get(self, service: str, path: str, **parameters: str | int | None) -> Reply:
        """Read one document.

        Raises:
            Unreachable: when the service did not answer in time.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        return await self._patiently("GET", service, path, params=given)

    async def items(self, service: str, path: str, **parameters: str | int | None) -> AsyncIterator[dict[str, Any]]:
        """Yield the entries of every page of a list.

        Raises:
            Unreachable: when the service does not list them.
        """
        cursor: str | None = None
        while True:
            reply = await self.get(service, path, limit=_PAGE, cursor=cursor, **parameters)
            if not reply.accepted:
                raise Unreachable(f"{service} does not list {path}: {reply}")
            for item in reply.document["items"]:
                yield item
            cursor = reply.document.get("next")
            if cursor is None:
                return

    async def _patiently(self, method: str, service: str, path: str, **arguments: Any) -> Reply:  # noqa: ANN401
        deadline = time.monotonic() + self._patience
        last = "nothing"
        while True:
            try:
                response = await self._client.request(method, f"{self._api[service]}{path}", **arguments)
            except httpx.TransportError as error:
                last = f"{type(error).__name__} {error}"
            else:
                if response.status_code not in _AGAIN:
                    return Reply(status=response.status_code, document=_document(response))
                last = f"{response.status_code} {response.text[:200]}"
            if time.monotonic() > deadline:
                raise Unreachable(f"{service} did not answer {method} {path} for {self._patience:.0f} s: {last}")
            await asyncio.sleep(_PAUSE_SECONDS)


def _document(response: httpx.Response) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return {"detail": response.text[:200]}
    return document if isinstance(document, dict) else {}
