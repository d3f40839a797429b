"""核实: the unit that was let look says what is there, and acceptance stands still meanwhile (I-12, I-13)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.reliability.history.copies import Streams
from tests.reliability.history.facts import Finding, Published
from tests.reliability.history.recount import kind_of
from tests.reliability.history.time import TELLING


def check_verifications(streams: Streams) -> Iterator[Finding]:
    """Compare each result with the assignment before it, and what clocks told between the two."""
    for (topic, stream), events in streams.items():
        if topic == "intake.reports":
            yield from _of_report(stream, events)


def _of_report(stream: str, events: Sequence[Published]) -> Iterator[Finding]:
    assigned: Mapping[str, Any] | None = None
    for event in events:
        kind, body, where = kind_of(event), json.loads(event.document), f"{stream}:{event.sequence}"
        if kind == "verification_assigned":
            # Acceptance stands still since the first of those who were told to look.
            assigned = {**body, "at": assigned["at"]} if assigned else body
        elif kind == "verified":
            yield from _result(assigned, body, where)
            assigned = None
        elif kind == "rejected":
            assigned = None
        elif assigned is not None and kind in TELLING and body["stage"] == "accept":
            yield Finding(invariant="I-12", what="acceptance told something while somebody was to verify", where=where)


def _result(assigned: Mapping[str, Any] | None, body: Mapping[str, Any], where: str) -> Iterator[Finding]:
    unit = assigned["unit"] if assigned else "nobody"
    if assigned is None or body["by"]["unit"] != unit:
        yield Finding(invariant="I-13", what=f"verified by {body['by']['unit']}; {unit} was to look", where=where)
        return
    pauses = body["accept_clock"].get("pauses", []) if "accept_clock" in body else None
    span = {"started_at": assigned["at"], "ended_at": body["at"]}
    if pauses is not None and span not in pauses:
        yield Finding(invariant="I-12", what="the time of the verification is no pause of acceptance", where=where)
