"""Read the three databases with plain SQL, each as of one instant."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
import msgspec

from services.dispatch.domain.case import CaseState
from services.dispatch.domain.clocks import wakes
from services.intake.domain import report
from shared.kernel import decider
from tests.reliability.history.facts import Held, Place, Requested, State, Stored, Wake, heard

SERVICES: Final = ("intake", "dispatch", "analytics")
_STATES: Final = {"intake": ("reports",), "dispatch": ("cases", "reference_versions"), "analytics": ()}
_WAKING: Final[Mapping[str, tuple[str, type[Any], Callable[[Any], Sequence[decider.Wake]]]]] = {
    "intake": ("reports", report.Report, report.wakes),
    "dispatch": ("cases", CaseState, wakes),
}
"""The states that time changes: their table, their type, and what should wake one."""
_ROWS_AT_ONCE: Final = 2000

Row = Any


@dataclass(slots=True)
class Tables:
    """What the tables hold."""

    stored: list[Stored] = field(default_factory=list)
    requests: list[Requested] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    positions: dict[Place, int] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    given_up: set[tuple[str, str, str, int]] = field(default_factory=set)
    outbox: dict[str, int] = field(default_factory=dict)
    wakes: list[Wake] = field(default_factory=list)
    needed_wakes: list[Wake] = field(default_factory=list)
    documents: dict[str, frozenset[tuple[str, str, int, bytes]]] = field(default_factory=dict)
    copied: dict[str, tuple[int, bytes | None]] = field(default_factory=dict)


async def read_tables(database_url: str) -> Tables:
    """Read everything, as the owner of the schemas."""
    found = Tables()
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for service in SERVICES:
                await _read_service(connection, service, found)
            rows = await connection.fetch("SELECT stream::text, revision, data FROM dispatch.contents")
            found.copied = {row["stream"]: (row["revision"], row["data"]) for row in rows}
    finally:
        await connection.close()
    return found


async def _read_service(connection: Any, service: str, found: Tables) -> None:  # noqa: ANN401 - asyncpg is untyped
    async for row in connection.cursor(f"SELECT * FROM {service}.events", prefetch=_ROWS_AT_ONCE):
        found.stored.append(stored(service, row))
    async for row in connection.cursor(f"SELECT party, key, answer FROM {service}.requests", prefetch=_ROWS_AT_ONCE):
        found.requests.append(_requested(service, row))
    for table in _STATES[service]:
        async for row in connection.cursor(
            f"SELECT stream::text, sequence, head FROM {service}.{table}", prefetch=_ROWS_AT_ONCE
        ):
            found.states.append(State(service=service, **row))
    for row in await connection.fetch(f"SELECT consumer, topic, stream::text, sequence FROM {service}.positions"):
        found.positions[row["consumer"], row["topic"], row["stream"]] = row["sequence"]
    columns = "consumer, topic, stream::text, sequence"
    for row in await connection.fetch(f"SELECT {columns}, reason, waits_for FROM {service}.held"):
        found.held.append(Held(service=service, **row))
    for row in await connection.fetch(f"SELECT {columns} FROM {service}.interventions WHERE act = 'skip'"):
        found.given_up.add((row["consumer"], row["topic"], row["stream"], row["sequence"]))
    for row in await connection.fetch(f"SELECT stream::text, kind, due_at FROM {service}.wakes"):
        found.wakes.append(Wake(service=service, **row))
    if service in _WAKING:
        found.needed_wakes += [wake async for wake in _needed(connection, service)]
    found.outbox[service] = await connection.fetchval(f"SELECT count(*) FROM {service}.outbox")
    documents = await connection.fetch(f"SELECT kind, name, version, document FROM {service}.reference_documents")
    found.documents[service] = frozenset(map(tuple, documents))


async def _needed(connection: Any, service: str) -> AsyncIterator[Wake]:  # noqa: ANN401 - asyncpg is untyped
    """Yield what the state of each report or case, as it is stored, says should wake it."""
    table, state, wakes_of = _WAKING[service]
    query = f"SELECT stream::text, state FROM {service}.{table}"
    async for row in connection.cursor(query, prefetch=_ROWS_AT_ONCE):
        for wake in wakes_of(msgspec.json.decode(row["state"], type=state)):
            yield Wake(service=service, stream=row["stream"], kind=wake.kind, due_at=wake.due_at)


def stored(service: str, row: Row) -> Stored:
    """Return a row of `events`."""
    return Stored(
        service=service,
        stream=str(row["stream"]),
        sequence=row["sequence"],
        aggregate=row["aggregate"],
        id=str(row["event"]),
        type=row["type"],
        at=row["occurred_at"].isoformat(),
        correlation=row["correlation"],
        causation=row["causation"],
        traceparent=row["traceparent"],
        data=row["data"],
        hash=row["hash"],
    )


def _requested(service: str, row: Row) -> Requested:
    answer = json.loads(row["answer"])
    return Requested(
        service=service,
        party=row["party"],
        key=row["key"],
        answer=heard(answer),
        content=json.dumps(answer, sort_keys=True).encode(),
    )
