"""The quick look after each fault: what was acknowledged is there once, in order, and nothing is held or left over.

The history checker proves more and takes longer.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from deploy.embedded.credentials import SERVICES
from shared.contracts.envelope import read_event
from shared.contracts.registry import DISPATCH_CASES, INTAKE_REPORTS
from tests.reliability.city import City
from tests.reliability.load import EVENTS_OF_A_CASE
from tests.support.kafka import everything_on

_STREAMS: Final = {INTAKE_REPORTS: "intake", DISPATCH_CASES: "dispatch"}


async def assert_essentials(city: City, cases: Sequence[UUID]) -> None:
    """Fail if a case that was closed is not closed once everywhere, or if anything of the city is held or in disorder.

    The city must be quiet.
    """
    assert len(set(cases)) == len(cases), "two reports got one id"
    for service in SERVICES:
        held = await city.fetch(f"SELECT consumer, topic, stream, sequence, reason, detail FROM {service}.held")
        assert not held, f"{service} holds {held}"
    for topic, service in _STREAMS.items():
        assert await _published(city, topic) == await _stored(city, service), f"{topic} is not what {service} stored"
    await _assert_closed_once(city, cases)


async def _stored(city: City, service: str) -> dict[str, list[int]]:
    """Return the sequences of each stream as the service stores them."""
    query = (
        "SELECT stream::text, array_agg(sequence ORDER BY sequence) AS sequences FROM {}.events "
        "WHERE aggregate <> 'reference' GROUP BY stream"
    )
    found = {row["stream"]: list(row["sequences"]) for row in await city.fetch(query.format(service))}
    gaps = {stream: numbers for stream, numbers in found.items() if numbers != list(range(1, len(numbers) + 1))}
    assert not gaps, f"{service} has gaps: {gaps}"
    return found


async def _published(city: City, topic: str) -> dict[str, list[int]]:
    """Return the sequences of each key's first copies in the order in which they are on the topic."""
    found: dict[str, dict[int, None]] = defaultdict(dict)
    for record in await everything_on(city.connection, topic):
        event = read_event(record.headers, record.value)
        found[(record.key or b"").decode()].setdefault(int(event.sequence or 0))
    return {key: list(numbers) for key, numbers in found.items()}


async def _assert_closed_once(city: City, cases: Sequence[UUID]) -> None:
    events = Counter(
        {
            row["stream"]: row["count"]
            for row in await city.fetch(
                "SELECT stream, count(*) FROM dispatch.events WHERE stream = ANY($1) GROUP BY stream", list(cases)
            )
        }
    )
    assert events == dict.fromkeys(cases, EVENTS_OF_A_CASE)
    closed = await city.fetch("SELECT stream FROM dispatch.cases WHERE status = 'closed'")
    counted = await city.fetch("SELECT stream FROM analytics.case_facts WHERE closed_at IS NOT NULL")
    assert {row["stream"] for row in closed} == {row["stream"] for row in counted} >= set(cases)
