"""Each department heard of each change of its leg, with the event or not at all (I-5)."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from tests.reliability.history.copies import Streams
from tests.reliability.history.facts import Facts, Finding, Published
from tests.reliability.history.recount import Case, kind_of

_OF_ITS_LEG: Final = {
    "leg_signed": "signed",
    "leg_counted_as_signed": "counted_as_signed",
    "leg_fed_back": "fed_back",
    "leg_sent_back": "sent_back",
    "leg_return_requested": "return_requested",
    "leg_return_refused": "return_refused",
    "leg_waived": "waived",
    "leg_extension_requested": "extension_requested",
    "leg_extended": "extended",
    "leg_extension_refused": "extension_refused",
    "leg_suspension_requested": "suspension_requested",
    "leg_suspension_endorsed": "suspension_endorsed",
    "leg_suspension_refused": "suspension_refused",
    "leg_suspended": "suspended",
    "leg_resumed": "resumed",
    "leg_rectification_ordered": "rectification_ordered",
    "leg_rectification_claimed": "rectification_claimed",
    "leg_rectification_expired": "rectification_expired",
    "leg_enforcement_recorded": "enforced",
    "clock_warned": "warned",
    "clock_breached": "breached",
    "supervision_answered": "supervision_answered",
    "leg_appealed": "appealed",
}
_OF_EVERY_LEG: Final = {
    "dispatched": "assigned",
    "closed": "closed",
    "voided": "voided",
    "merged": "merged",
    "unmerged": "unmerged",
}
_Told = tuple[int, str, str]
"""Leg, unit, change."""


def check_tasks(facts: Facts, streams: Streams) -> Iterator[Finding]:
    """Compare what departments heard with the events of their legs."""
    distinct = {task.id: task for task in facts.tasks}
    found = Counter((task.event, task.case, task.leg, task.unit, task.change) for task in distinct.values())
    wanted = Counter(
        (event, stream, *told)
        for (topic, stream), events in streams.items()
        if topic == "dispatch.cases"
        for event, told in _wanted(events)
    )
    for task in (wanted - found) + (found - wanted):
        event, case, leg, unit, change = task
        what = f"{unit} was told {found[task]} times of leg {leg} {change} ({event}), not {wanted[task]} times"
        yield Finding(invariant="I-5", what=what, where=case)


def _wanted(events: Sequence[Published]) -> Iterator[tuple[str, _Told]]:
    case = Case()
    for event in events:
        kind, body = kind_of(event), json.loads(event.document)
        if body.get("leg") is not None and body["leg"] not in case.legs:
            return  # what is wrong with the case is told elsewhere
        case.follow(kind, body)
        for told in (*_of_one_or_all(case, kind, body), *_of_some(case, kind, body)):
            yield event.id, told


def _of_one_or_all(case: Case, kind: str, body: Mapping[str, Any]) -> Iterator[_Told]:
    """Yield who hears of an event of one leg, or of all; `case` is as it stands after it."""
    if kind in _OF_ITS_LEG and body.get("leg") is not None:
        yield from _all(case, [body["leg"]], _OF_ITS_LEG[kind])
    if kind in _OF_EVERY_LEG:
        yield from _all(case, case.legs, _OF_EVERY_LEG[kind])


def _of_some(case: Case, kind: str, body: Mapping[str, Any]) -> Iterator[_Told]:
    match kind:
        case "leg_return_upheld" | "leg_ruled":
            yield from _handed_over(kind, body)
        case "redispatched":
            yield from _all(case, case.legs, "assigned")
            yield from ((gone["leg"], gone["unit"], "withdrawn") for gone in body["withdrawn"])
        case "legs_added":
            yield from _all(case, [added["leg"] for added in body["legs"]], "assigned")
        case "checked":
            yield from _all(case, body["rework"], "rework")
        case "reopened":
            yield from _all(case, body["legs"], "reopened")
        case "supervised":
            yield from _all(case, [number for number, one in case.legs.items() if one.state != "waived"], "supervised")
        case "clocks_recomputed":
            yield from _all(case, {moved["leg"] for moved in body["moved"]}, "recomputed")
        case "leg_reinspected":
            change = "reinspection_passed" if body["passed"] else "reinspection_failed"
            yield from _all(case, [body["leg"]], change)
        case "leg_appeal_reviewed" if body["decision"] is not None:
            yield from _all(case, [body["leg"]], f"appeal_{body['decision']}")


def _handed_over(kind: str, body: Mapping[str, Any]) -> Iterator[_Told]:
    leg, unit, to_unit = body["leg"], body["unit"], body["to_unit"]
    if kind == "leg_ruled" and unit == to_unit:
        yield leg, unit, "ruled"
    else:
        yield leg, to_unit, "assigned"
        yield leg, unit, "withdrawn" if kind == "leg_ruled" else "return_upheld"


def _all(case: Case, legs: Iterable[int], change: str) -> Iterator[_Told]:
    return ((number, case.legs[number].unit, change) for number in legs if number in case.legs)
