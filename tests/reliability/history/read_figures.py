"""Read what analytics answers over HTTP: every group's figures, and the rows behind them page by page."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import httpx

from tests.reliability.history.facts import Figures
from tests.reliability.history.recount import BESIDE

GROUPS: Final = ("street", "community", "department", "category", "source", "campaign", "day", "level")
KINDS: Final = ("reported", "closed", "open", "voided", "merged", "rejected", *BESIDE)
LEG_KINDS: Final = ("assigned", "fed_back", "waived", "open", "suspended", "overdue", "exempted")
_PAGE: Final = "500"
_SECONDS: Final = 60.0
_TRIES: Final = 10


async def read_figures(address: str, token: str) -> Figures:
    """Ask the analytics API at `address` for everything."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=_SECONDS, trust_env=False) as client:
        closure = {"": await _get(client, "/v1/indicators/closure", {})}
        for group in GROUPS:
            closure[group] = await _get(client, "/v1/indicators/closure", {"group": group})
        behind: dict[str, list[str]] = {}
        for counted in KINDS:
            await _open(client, closure[""]["total"]["cases"], counted, behind)
        for group in GROUPS:
            for row in closure[group]["groups"]:
                await _open(client, row["cases"], "reported", behind)
        for row in closure["department"]["legs"]:
            for counted in LEG_KINDS:
                await _open(client, row["legs"], counted, behind)
        return Figures(closure=closure, behind=behind)


async def _open(client: httpx.AsyncClient, address: str, counted: str, behind: dict[str, list[str]]) -> None:
    """Add what opens at this address; `counted` is told beside the address."""
    items = [item async for item in _pages(client, address, counted)]
    behind[f"{address}&counted={counted}"] = [
        f"{item['case_id']}:{item['leg']['leg']}" if "leg" in item else str(item["case_id"]) for item in items
    ]
    if counted == "open" and not any("leg" in item for item in items):
        behind[f"{address}&reasons"] = [item["case_id"] for item in items if item["reasons"]]


async def _pages(client: httpx.AsyncClient, address: str, counted: str) -> AsyncIterator[Mapping[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        url = httpx.URL(address).copy_merge_params({"counted": counted, "limit": _PAGE, **cursor})
        page = await _get(client, str(url), None)
        for item in page["items"]:
            yield item
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}


async def _get(client: httpx.AsyncClient, path: str, parameters: dict[str, str] | None) -> Mapping[str, Any]:
    """Ask, and ask again while the service says that it is unavailable, as its clients are told to do."""
    answer = await client.get(path, params=parameters)
    tries = 1
    while answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and tries < _TRIES:
        await asyncio.sleep(float(answer.headers["Retry-After"]))
        answer = await client.get(path, params=parameters)
        tries += 1
    assert answer.is_success, answer.text
    document: Mapping[str, Any] = answer.json()
    return document
