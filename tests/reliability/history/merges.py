"""Each case, and each report, that is asked something in a merge answers once, on its own stream (I-6)."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.reliability.history.copies import Streams
from tests.reliability.history.facts import Facts, Finding
from tests.reliability.history.recount import kind_of

_ASKED: Final = {"dispatch.cases": "dispatch.merges", "intake.reports": "intake.merges"}
"""The topic on which those ask each other that answer on this one."""
_ANSWERS: Final = {
    "merge_admitted": "taking on",
    "merge_declined": "taking on",
    "merged": "going",
    "merge_confirmed": "having come",
    "merge_abandoned": "going",
    "unmerged": "going",
    "merge_released": "letting go",
}
"""What an answer of the system is about."""


def check_merges(facts: Facts, streams: Streams) -> Iterator[Finding]:
    """Compare what was asked in merges with what was answered; both carry the correlation of the first act.

    What is held, or was given up by an operator, has no answer, and an operator knows.
    """
    unanswered = {row.topic for row in facts.held} | {topic for _, topic, _, _ in facts.given_up}
    for answers, asked in _ASKED.items():
        if asked not in unanswered:
            yield from _check(answers, streams)


def _check(answers: str, streams: Streams) -> Iterator[Finding]:
    wanted: Counter[tuple[str, str, str | None]] = Counter()
    found: Counter[tuple[str, str, str | None]] = Counter()
    for (topic, stream), events in streams.items():
        for event in events if topic == answers else ():
            kind, body = kind_of(event), json.loads(event.document)
            if kind in _ANSWERS and body["by"]["post"] == "system":
                found[stream, _ANSWERS[kind], event.correlation] += 1
            wanted.update((asked, about, event.correlation) for asked, about in _asks(answers, kind, body))
    for place in (wanted - found) + (found - wanted):
        stream, about, correlation = place
        what = f"answered {found[place]} times about {about} ({correlation}), not {wanted[place]} times"
        yield Finding(invariant="I-6", what=what, where=f"{answers} {stream}")


def _asks(topic: str, kind: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield which case, or report, the event asks, and about what."""
    match kind:
        case "merged" if topic == "intake.reports":
            yield body["master"], "having come"
        case "merge_requested":
            yield body["master"], "taking on"
        case "merge_admitted" | "merge_declined":
            yield body["merged"], "going"
        case "unmerged":
            yield body["master"], "letting go"
        case "merge_abandoned" if body["admitted"]:
            yield body["master"], "letting go"
        case "voided":
            yield from ((stream, "going") for stream in body.get("unmerges", ()))
