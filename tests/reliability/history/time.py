"""What time does: the wakes are those that states need; no limit is told early or twice (I-5, I-12)."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from tests.reliability.history.copies import Streams
from tests.reliability.history.facts import Facts, Finding, Published
from tests.reliability.history.recount import kind_of

_BREACHED: Final = "clock_breached"
TELLING: Final = ("clock_warned", _BREACHED)
"""The events in which clocks tell how much of a limit is used."""
_BEGINS_ANEW: Final = {"leg_rectification_ordered": "rectification", "verification_assigned": "verify"}
"""Events that begin a new limit, and its stage: it may end at the instant at which the one before ended."""


def check_time(facts: Facts, streams: Streams) -> Iterator[Finding]:
    """Compare wakes with states, and judge every warning and breach by the limit that it names."""
    yield from _wakes(facts)
    for (topic, stream), events in streams.items():
        if topic in {"intake.reports", "dispatch.cases"}:
            yield from _told(stream, events)


def _wakes(facts: Facts) -> Iterator[Finding]:
    found, needed = Counter(facts.wakes), Counter(facts.needed_wakes)
    for wake in (found - needed) + (needed - found):
        what = f"the wake {wake.kind} is there {found[wake]} times and needed {needed[wake]} times"
        yield Finding(invariant="I-5", what=what, where=f"{wake.service} {wake.stream}")


def _told(stream: str, events: list[Published]) -> Iterator[Finding]:
    seen: set[tuple[Any, ...]] = set()
    for event in events:
        kind = kind_of(event)
        if kind in _BEGINS_ANEW:
            seen = {limit for limit in seen if limit[0] != _BEGINS_ANEW[kind]}
        if kind not in TELLING:
            continue
        body, where = json.loads(event.document), f"{stream}:{event.sequence}"
        percent = 100 if kind == _BREACHED else body["percent"]
        limit = (body["stage"], body.get("leg"), percent, body["due_at"])
        if limit in seen:
            yield Finding(invariant="I-12", what=f"{percent} % of one limit was told twice", where=where)
        seen.add(limit)
        if kind == _BREACHED and datetime.fromisoformat(body["at"]) < datetime.fromisoformat(body["due_at"]):
            yield Finding(invariant="I-12", what=f"told at {body['at']} that {body['due_at']} has passed", where=where)
