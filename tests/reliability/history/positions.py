"""Who has read how far, what is held and why, what waits to be sent (I-5, I-6, I-7)."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Final

from tests.reliability.history.copies import Streams, held_by
from tests.reliability.history.facts import CONTENTS, Facts, Finding, Place

READERS: Final = {
    "intake.reports": ("dispatch.events", "analytics.events"),
    "dispatch.cases": ("intake.cases", "analytics.events"),
    "dispatch.reference": ("intake.reference", "dispatch.reference", "analytics.reference"),
}
"""Who takes the events of each topic, in order."""


def check_positions(facts: Facts, streams: Streams) -> Iterator[Finding]:
    """Compare what was taken with what there is to take."""
    yield from _positions(facts, streams)
    yield from _held(facts, streams)
    for service, count in facts.outbox.items():
        if count:
            yield Finding(invariant="I-5", what=f"{count} messages were never sent", where=f"{service}.outbox")
    yield from _documents(facts, streams)
    yield from _contents(facts)


def _positions(facts: Facts, streams: Streams) -> Iterator[Finding]:
    held = held_by(facts)
    wanted: dict[Place, int] = {}
    for (topic, stream), events in streams.items():
        for consumer in READERS[topic]:
            stopped = held.get((consumer, topic, stream))
            last = max(event.sequence for event in events)
            wanted[consumer, topic, stream] = stopped[0].sequence - 1 if stopped else last
    for place in sorted(wanted.keys() | facts.positions.keys()):
        found, expected = facts.positions.get(place, 0), wanted.get(place, 0)
        if found != expected:
            what = f"the position is {found}; what there is to take ends at {expected}"
            yield Finding(invariant="I-6", what=what, where=" ".join(place))


def _held(facts: Facts, streams: Streams) -> Iterator[Finding]:
    """Nothing waits but for a gap, for a dead letter before it, or for a document that is not there."""
    for (consumer, topic, stream), rows in held_by(facts).items():
        position = facts.positions.get((consumer, topic, stream), 0)
        service = rows[0].service
        there = {f"{kind}/{name}/{version}" for kind, name, version, _ in facts.documents.get(service, ())}
        stopped = False
        for row in rows:
            where = f"{consumer} {topic} {stream}:{row.sequence}"
            after_a_gap = row.sequence > position + 1
            if row.sequence <= position:
                yield Finding(invariant="I-7", what=f"held, though the position is {position}", where=where)
            if row.reason is None and row.waits_for is not None and row.waits_for in there:
                yield Finding(invariant="I-7", what=f"waits for {row.waits_for}, which is there", where=where)
            if row.reason is None and row.waits_for is None and not (stopped or after_a_gap):
                yield Finding(invariant="I-7", what="waits without a reason and without a gap", where=where)
            stopped = stopped or row.reason is not None or row.waits_for is not None
        if not stopped and (topic, stream) in streams:
            what = "waits for an event that is on the topic"
            yield Finding(invariant="I-7", what=what, where=f"{consumer} {topic} {stream}:{rows[0].sequence}")


def _documents(facts: Facts, streams: Streams) -> Iterator[Finding]:
    """Each service's copy of the reference documents is what dispatch published."""
    published = dict(
        _document(event.document)
        for (topic, _), events in streams.items()
        if topic == "dispatch.reference"
        for event in events
    )
    for service, documents in facts.documents.items():
        held = {row.stream for row in facts.held if row.consumer == f"{service}.reference"}
        copied = {(kind, name, version): _canonical(raw) for kind, name, version, raw in documents}
        for name in published.keys() ^ copied.keys() if not held else ():
            yield Finding(invariant="I-6", what="published and copied differ", where=f"{service} {name}")
        for name in published.keys() & copied.keys():
            if published[name] != copied[name]:
                yield Finding(invariant="I-6", what="the copy is another document", where=f"{service} {name}")


@cache
def _document(published: bytes) -> tuple[tuple[str, str, int], str]:
    body = json.loads(published)
    return (body["kind"], body["name"], body["version"]), json.dumps(body["document"], sort_keys=True)


@cache
def _canonical(raw: bytes) -> str:
    return json.dumps(json.loads(raw), sort_keys=True)


def _contents(facts: Facts) -> Iterator[Finding]:
    """Dispatch's copy of the contents is what intake said last of each report."""
    held = {row.stream for row in facts.held if row.topic == CONTENTS}
    for stream in (facts.contents.keys() | facts.copied.keys()) - held:
        if facts.contents.get(stream) != facts.copied.get(stream):
            yield Finding(invariant="I-6", what="the copy is not the newest revision", where=f"{CONTENTS} {stream}")
