"""Each accepted request has one effect, each effect one request; each filed report opens one case (I-1, I-2, I-6)."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.reliability.history.copies import Streams, held_by
from tests.reliability.history.facts import Facts, Finding, Published, Requested
from tests.reliability.history.merges import check_merges
from tests.reliability.history.news import TELLINGS, check_news
from tests.reliability.history.recount import kind_of
from tests.reliability.history.tasks import check_tasks
from tests.reliability.history.time import TELLING

_POLICY: Final = {"opened", "opening_declined"}
_TO_ANOTHER: Final = {
    "merge_admitted",
    "merge_declined",
    "merged",
    "merge_confirmed",
    "merge_abandoned",
    "merge_released",
    "unmerged",
}
"""What the system does because another case, or report, asked: each is the effect of a request of its service's own."""
_ITSELF: Final = {"/joint/services/dispatch": "dispatch.cases:", "/joint/services/intake": "intake.reports:"}
"""How the positions begin of what each service does at its own request."""
_FILED: Final = "jointenforcement.report.filed.v1"
_NOBODYS_ACT: Final = TELLINGS.union(TELLING, {"clock_recomputed"})
"""What dispatch's events, time and newer documents do to a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one decision made of a stream: an actor's event, and what the system did at once because of it."""

    position: str
    causations: frozenset[str | None]
    client: str
    unit: str


def check_effects(facts: Facts, streams: Streams) -> Iterator[Finding]:
    """Match effects with the requests that were accepted, cases with filed reports, tasks with events."""
    effects = [effect for place, events in streams.items() for effect in _effects(place[0], events)]
    yield from _match(facts, effects)
    yield from _openings(facts, streams)
    yield from check_tasks(facts, streams)
    yield from check_merges(facts, streams)
    yield from check_news(facts, streams)


def _effects(topic: str, events: Sequence[Published]) -> Iterator[Effect]:
    """Cut a stream into effects; what a policy or time did is left out, what an act led to by rule is not.

    What one case, or report, did because another asked is an effect too.
    """
    run: list[Published] = []
    actor: Mapping[str, Any] = {}
    for event in events:
        if topic == "intake.reports" and kind_of(event) in _NOBODYS_ACT:
            continue
        by = json.loads(event.document)["by"]
        if by["post"] == "system" and kind_of(event) in _TO_ANOTHER:
            yield _effect([event], by)
            continue
        if topic == "dispatch.cases" and by["post"] == "system":
            if run and (event.time, event.correlation) == (run[-1].time, run[-1].correlation):
                run.append(event)
            continue
        if by["post"] != "system" and run:
            yield _effect(run, actor)
            run = []
        actor = actor if run else by
        run.append(event)
    if run:
        yield _effect(run, actor)


def _effect(run: Sequence[Published], actor: Mapping[str, Any]) -> Effect:
    last = run[-1]
    return Effect(
        position=f"{last.topic}:{last.stream}:{last.sequence}",
        causations=frozenset(event.causation for event in run),
        client=actor["client"],
        unit=actor["unit"],
    )


def _match(facts: Facts, effects: Sequence[Effect]) -> Iterator[Finding]:
    told: dict[str, list[Requested]] = defaultdict(list)
    refused = {row.key for row in facts.requests if row.answer.outcome == "refused"}
    for row in facts.requests:
        if row.answer.position is not None:
            told[row.answer.position].append(row)
        if (row.answer.position is None) != (row.answer.outcome == "refused"):
            where = f"{row.party} {row.key}"
            yield Finding(invariant="I-2", what=f"{row.answer.outcome}, at {row.answer.position}", where=where)
    for effect in effects:
        rows = told.pop(effect.position, [])
        if not rows:
            told_no = bool(effect.causations & refused)
            what = "a refused request had an effect" if told_no else "an effect that no answer tells of"
            yield Finding(invariant="I-2", what=what, where=f"{effect.position} {set(effect.causations)}")
        for row in rows[1:]:
            what = f"two requests tell of one effect, {rows[0].party} {rows[0].key} too"
            yield Finding(invariant="I-2", what=what, where=f"{row.party} {row.key}")
        for row in rows[:1]:
            yield from _asked_for_it(effect, row)
    for position, rows in told.items():
        for row in rows:
            what = f"acknowledged, and {position} is not on the topic"
            yield Finding(invariant="I-1", what=what, where=f"{row.party} {row.key}")


def _asked_for_it(effect: Effect, row: Requested) -> Iterator[Finding]:
    """Compare an effect with its request: who asked, and on a topic with which message."""
    asked_by_another = row.party in _ITSELF and effect.position.startswith(_ITSELF[row.party])
    by_message = asked_by_another or row.party.startswith(("/joint/sources/", "/joint/departments/"))
    where = f"{row.party} {row.key}"
    if by_message and effect.causations != {row.key}:
        yield Finding(invariant="I-2", what=f"its effect was caused by {set(effect.causations)}", where=where)
    speaker = row.party.rsplit("/", 1)[-1]
    if not row.party.startswith("/joint/services/") and speaker not in {effect.client, effect.unit}:
        yield Finding(invariant="I-13", what=f"its effect is in the name of {effect.client}", where=where)


def _openings(facts: Facts, streams: Streams) -> Iterator[Finding]:
    """Each filed report has one answer of dispatch on its stream, and dispatch opens nothing else."""
    held = held_by(facts)
    wanted: Counter[tuple[str, str | None]] = Counter()
    found: Counter[tuple[str, str | None]] = Counter()
    for (topic, stream), events in streams.items():
        stopped = held.get(("dispatch.events", topic, stream))
        for event in events:
            given_up = ("dispatch.events", topic, stream, event.sequence) in facts.given_up
            if event.type == _FILED and not given_up and (not stopped or event.sequence < stopped[0].sequence):
                wanted[stream, event.id] += 1
            if topic == "dispatch.cases" and kind_of(event) in _POLICY:
                found[stream, event.causation] += 1
    for stream, cause in (wanted - found) + (found - wanted):
        count = found[stream, cause]
        what = f"filing {cause} opened {count} cases, not {wanted[stream, cause]}"
        yield Finding(invariant="I-6", what=what, where=f"dispatch.cases {stream}")
