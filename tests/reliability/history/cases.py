"""A case closes only as the law of the field allows, judged from its events on the topic alone (I-10, I-11, I-13)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.reliability.history.copies import Streams
from tests.reliability.history.facts import Finding, Published
from tests.reliability.history.recount import Case, kind_of

_OWN_ACTS: Final = {"leg_signed", "leg_fed_back", "leg_return_requested"}
_RULINGS: Final = {"leg_return_upheld", "leg_return_refused", "leg_waived", "checked", "closed"}
_MAY_WAIVE: Final = {"duty_leader", "leader"}

Body = Mapping[str, Any]


def check_cases(streams: Streams) -> Iterator[Finding]:
    """Walk every case event by event, and judge each by what stood before it."""
    for (topic, stream), events in streams.items():
        if topic == "dispatch.cases":
            yield from _walk(stream, events)


def _walk(stream: str, events: list[Published]) -> Iterator[Finding]:
    case = Case()
    for event in events:
        kind, body = kind_of(event), json.loads(event.document)
        where = f"{stream}:{event.sequence}"
        if case.closed and kind != "opening_declined":
            yield Finding(invariant="I-11", what=f"{kind} after the case was closed", where=where)
        if "leg" in body and body["leg"] not in case.legs:
            yield Finding(invariant="I-11", what=f"{kind} of leg {body['leg']}, which was never assigned", where=where)
            return
        yield from _judge(case, kind, body, where)
        case.follow(kind, body)


def _judge(case: Case, kind: str, body: Body, where: str) -> Iterator[Finding]:
    actor = body["by"]
    if kind in _RULINGS and actor["unit"] in case.units:
        yield Finding(invariant="I-10", what=f"{kind} by {actor['unit']}, which handles the case", where=where)
    if kind in _RULINGS and actor.get("person") and actor["person"] in _persons(case):
        yield Finding(invariant="I-10", what=f"{kind} by a person who handled the case", where=where)
    if kind in _OWN_ACTS and actor["unit"] != case.legs[body["leg"]].unit:
        yield Finding(invariant="I-13", what=f"{kind} by {actor['unit']} on another's leg", where=where)
    match kind:
        case "dispatched":
            yield from _dispatch(case, body, where)
        case "leg_waived":
            yield from _waiver(case, body, where)
        case "checked" if not all(leg.done for leg in case.legs.values()):
            yield Finding(invariant="I-11", what="checked before every leg was done", where=where)
        case "closed":
            yield from _closing(case, where)


def _persons(case: Case) -> set[str | None]:
    return {leg.fed_back_by for leg in case.legs.values()}


def _dispatch(case: Case, body: Body, where: str) -> Iterator[Finding]:
    leads = sum(leg["role"] == "lead" for leg in body["legs"])
    if leads != 1 or case.dispatched:
        what = f"dispatch {case.dispatched + 1} of the case, with {leads} lead legs"
        yield Finding(invariant="I-11", what=what, where=where)


def _waiver(case: Case, body: Body, where: str) -> Iterator[Finding]:
    role, post = case.legs[body["leg"]].role, body["by"]["post"]
    if role == "lead" or post not in _MAY_WAIVE:
        yield Finding(invariant="I-11", what=f"a {role} leg waived by a {post}", where=where)


def _closing(case: Case, where: str) -> Iterator[Finding]:
    if len(case.leads) != 1:
        yield Finding(invariant="I-11", what=f"closed with {len(case.leads)} lead legs", where=where)
    for number, leg in case.legs.items():
        if not leg.done:
            yield Finding(invariant="I-11", what=f"closed while leg {number} is {leg.state}", where=where)
    if not case.passed_check:
        yield Finding(invariant="I-11", what="closed without a check that passed", where=where)
