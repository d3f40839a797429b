"""What reporters wait for of a case is told once each, on the report that became it (I-6)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from tests.reliability.history.copies import Streams, held_by
from tests.reliability.history.facts import Facts, Finding
from tests.reliability.history.recount import kind_of

_READER: Final = "intake.cases"
_TOLD_AS: Final[Mapping[str, str]] = {
    "merged": "merge_told",
    "unmerged": "unmerge_told",
    "closed": "outcome_told",
    "reopened": "outcome_told",
    "voided": "outcome_told",
}
TELLINGS: Final = frozenset(_TOLD_AS.values())
"""What intake says of a report because something happened to its case."""


def check_news(facts: Facts, streams: Streams) -> Iterator[Finding]:
    """Compare what happened to cases with what reporters were told, each by the event that it follows from."""
    held = held_by(facts)
    wanted: Counter[tuple[str, str, str | None]] = Counter()
    found: Counter[tuple[str, str, str | None]] = Counter()
    for (topic, stream), events in streams.items():
        stopped = held.get((_READER, topic, stream))
        for event in events:
            kind = kind_of(event)
            given_up = (_READER, topic, stream, event.sequence) in facts.given_up
            taken = not given_up and (not stopped or event.sequence < stopped[0].sequence)
            if topic == "dispatch.cases" and kind in _TOLD_AS and taken:
                wanted[stream, _TOLD_AS[kind], event.id] += 1
            if topic == "intake.reports" and kind in TELLINGS:
                found[stream, kind, event.causation] += 1
    for place in (wanted - found) + (found - wanted):
        stream, kind, cause = place
        what = f"{kind} of {cause} {found[place]} times, not {wanted[place]} times"
        yield Finding(invariant="I-6", what=what, where=f"intake.reports {stream}")
