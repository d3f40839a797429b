"""A report that was merged ends there, no merges form a chain, and a master speaks for all that it carries (I-6).

None is merged into a rejected one.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tests.reliability.history.copies import Streams
from tests.reliability.history.facts import Finding, Published
from tests.reliability.history.news import TELLINGS
from tests.reliability.history.recount import kind_of

_FOR_ALL: Final = TELLINGS | {"rejected"}
"""What is told to the reporters of merged reports too."""
_AFTER_MERGED: Final = {"content_forgotten", "merge_declined", "merge_released", "merge_abandoned"}
"""What can still happen to a report that goes on as another one."""


def check_reports(streams: Streams) -> Iterator[Finding]:
    """Walk every report event by event, then look where the masters of merged ones stand."""
    masters: dict[str, str] = {}
    for (topic, stream), events in streams.items():
        if topic == "intake.reports":
            yield from _walk(stream, events, masters)
    for stream, master in masters.items():
        if master in masters:
            yield _finding(f"merged into {master}, which is merged itself", stream)
        if ("intake.reports", master) not in streams:
            yield _finding(f"merged into {master}, which is no report", stream)


def _walk(stream: str, events: Sequence[Published], masters: dict[str, str]) -> Iterator[Finding]:
    carries: list[str] = []
    expects: set[str] = set()
    for event in events:
        kind, body = kind_of(event), json.loads(event.document)
        where = f"{stream}:{event.sequence}"
        if stream in masters and kind not in _AFTER_MERGED:
            yield _finding(f"{kind} after it was merged", where)
        if kind == "rejected" and expects:
            yield _finding(f"rejected while {sorted(expects)} were about to be merged into it", where)
        match kind:
            case "merge_admitted":
                carries.append(body["merged"])
                expects.add(body["merged"])
            case "merge_confirmed":
                expects.discard(body["merged"])
            case "merge_released":
                carries = [one for one in carries if one != body["merged"]]
                expects.discard(body["merged"])
            case "merged":
                masters[stream] = body["master"]
                if carries:
                    yield _finding(f"merged while it carried {carries}", where)
            case _ if kind in _FOR_ALL:
                yield from _told(kind, body, carries, where)


def _told(kind: str, body: Mapping[str, object], carries: Sequence[str], where: str) -> Iterator[Finding]:
    told = body.get("merged_reports", [])
    if told != carries:
        yield _finding(f"{kind} for the reporters of {told}, not of {carries}", where)


def _finding(what: str, where: str) -> Finding:
    return Finding(invariant="I-6", what=what, where=f"intake.reports {where}")
