"""What the operator's own commands say: `joint verify` of both ledgers, `joint rebuild` of the read model (I-9)."""

from collections.abc import Iterator

from services.analytics.consumers.rebuild import RebuildReport, rebuild_beside
from shared.contracts.registry import Service
from shared.ledger.verify import Verification, verify
from tests.reliability.history.city import CheckedCity
from tests.reliability.history.facts import Finding

_LEDGERS: tuple[Service, ...] = ("intake", "dispatch")
_PATIENCE_SECONDS = 60.0


async def read_verdicts(city: CheckedCity) -> list[Finding]:
    """Run both and return what they find different."""
    found: list[Finding] = []
    for service in _LEDGERS:
        inside = city.inside(service)
        async with inside.engine() as engine:
            result = await verify(engine, service=service, aggregates=inside.aggregates, read_topic=inside.read_topic)
        found += verified(result)
    inside = city.inside("analytics")
    report = await rebuild_beside(
        inside.database_url,
        inside.vault,
        inside.read_topics,
        progress=lambda _records: None,
        patience_seconds=_PATIENCE_SECONDS,
    )
    return [*found, *rebuilt(report)]


def verified(result: Verification) -> Iterator[Finding]:
    """Yield what `joint verify` finds."""
    for difference in result.differences:
        yield Finding(invariant="I-9", what=difference, where=f"joint verify {result.service}")
    if result.unpublished or result.later:
        what = f"{result.unpublished} events not published, {result.later} written meanwhile: the city is not quiet"
        yield Finding(invariant="I-9", what=what, where=f"joint verify {result.service}")


def rebuilt(report: RebuildReport) -> Iterator[Finding]:
    """Yield what `joint rebuild` finds."""
    compared = report.comparison
    where = "joint rebuild"
    for one in compared.differences:
        yield Finding(invariant="I-9", what=f"{one.table} {one.key}: {dict(one.columns)}", where=where)
    if not report.equal and not compared.differences:
        what = f"{compared.streams_behind} streams behind, {compared.differing_figures} figures differ"
        yield Finding(invariant="I-9", what=what, where=where)
