"""The first copies of a topic's events, as a reader who drops repeats sees them."""

from collections.abc import Iterator, Mapping

from tests.reliability.history.facts import Facts, Held, Published

Streams = Mapping[tuple[str, str], list[Published]]
"""Topic and stream -> its events, each once, in the order in which they are on the topic."""


def first_copies(facts: Facts) -> Streams:
    """Return every stream's first copies."""
    seen: set[tuple[str, str, int]] = set()
    streams: dict[tuple[str, str], list[Published]] = {}
    for event in facts.published:
        place = (event.topic, event.stream, event.sequence)
        if place not in seen:
            seen.add(place)
            streams.setdefault((event.topic, event.stream), []).append(event)
    return streams


def later_copies(facts: Facts) -> Iterator[tuple[Published, Published]]:
    """Yield each repeat, after the first copy that it repeats."""
    first: dict[tuple[str, str, int], Published] = {}
    for event in facts.published:
        known = first.setdefault((event.topic, event.stream, event.sequence), event)
        if known is not event:
            yield known, event


def held_by(facts: Facts) -> dict[tuple[str, str, str], list[Held]]:
    """Return what is held, by consumer, topic and stream, in order."""
    found: dict[tuple[str, str, str], list[Held]] = {}
    for row in sorted(facts.held, key=lambda row: row.sequence):
        found.setdefault((row.consumer, row.topic, row.stream), []).append(row)
    return found
