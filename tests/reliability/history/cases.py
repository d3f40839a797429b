"""A case closes only as the law of the field allows, judged from its events on the topic alone (I-10, I-11, I-13)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.reliability.history.copies import Streams
from tests.reliability.history.facts import Finding, Published
from tests.reliability.history.recount import Case, kind_of

_OWN_ACTS: Final = {
    "leg_signed",
    "leg_fed_back",
    "leg_return_requested",
    "leg_extension_requested",
    "leg_suspension_requested",
    "leg_appealed",
    "supervision_answered",
}
_RULINGS: Final = {
    "leg_return_upheld",
    "leg_return_refused",
    "leg_ruled",
    "leg_waived",
    "leg_sent_back",
    "leg_extended",
    "leg_extension_refused",
    "leg_suspension_endorsed",
    "leg_suspended",
    "leg_suspension_refused",
    "leg_appeal_reviewed",
    "checked",
    "closed",
    "void_proposed",
    "void_refused",
    "voided",
    "reopened",
    "merge_requested",
}
_ANSWERS: Final = {"opening_declined", "merge_declined", "merge_released", "merge_abandoned", "clocks_recomputed"}
"""What a policy or a newer calendar makes of a case in every state."""
_AFTER: Final[Mapping[str, set[str]]] = {
    "closed": _ANSWERS | {"reopened", "leg_appealed", "leg_appeal_reviewed"},
    "voided": _ANSWERS,
    "merged": _ANSWERS | {"unmerged"},
}
"""What can still happen to a case that has ended."""
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
        if case.ended and kind not in _AFTER[case.ended]:
            yield Finding(invariant="I-11", what=f"{kind} after the case was {case.ended}", where=where)
        if body.get("leg") is not None and body["leg"] not in case.legs:
            yield Finding(invariant="I-11", what=f"{kind} of leg {body['leg']}, which was never assigned", where=where)
            return
        yield from _judge_actor(case, kind, body, where)
        yield from _judge_act(case, kind, body, where)
        case.follow(kind, body)


def _judge_actor(case: Case, kind: str, body: Body, where: str) -> Iterator[Finding]:
    actor = body["by"]
    if kind in _RULINGS and actor["unit"] in case.units:
        yield Finding(invariant="I-10", what=f"{kind} by {actor['unit']}, which handles the case", where=where)
    if kind in _RULINGS and actor.get("person") and actor["person"] in _persons(case):
        yield Finding(invariant="I-10", what=f"{kind} by a person who handled the case", where=where)
    if kind in _OWN_ACTS and actor["unit"] != case.legs[body["leg"]].unit:
        yield Finding(invariant="I-13", what=f"{kind} by {actor['unit']} on another's leg", where=where)


def _judge_act(case: Case, kind: str, body: Body, where: str) -> Iterator[Finding]:
    actor = body["by"]
    match kind:
        case "dispatched" | "redispatched":
            yield from _dispatch(case, kind, body, where)
        case "legs_added" if any(leg["role"] == "lead" for leg in body["legs"]):
            yield Finding(invariant="I-11", what="a lead leg was added", where=where)
        case "check_assigned" if body["unit"] in case.units:
            yield Finding(invariant="I-10", what=f"{body['unit']}, which handles the case, is to check it", where=where)
        case "leg_waived":
            yield from _waiver(case, body, where)
        case "checked" if not all(leg.done for leg in case.legs.values()):
            yield Finding(invariant="I-11", what="checked before every leg was done", where=where)
        case "checked" if case.check_unit is not None and actor["unit"] != case.check_unit:
            yield Finding(invariant="I-10", what=f"checked by another unit than {case.check_unit}", where=where)
        case "closed":
            yield from _closing(case, where, on_papers=body.get("on_papers", False))


def _persons(case: Case) -> set[str | None]:
    return {leg.fed_back_by for leg in case.legs.values()}


def _dispatch(case: Case, kind: str, body: Body, where: str) -> Iterator[Finding]:
    leads = sum(leg["role"] == "lead" for leg in body["legs"])
    if leads != 1 or bool(case.dispatched) != (kind == "redispatched"):
        what = f"dispatch {case.dispatched + 1} of the case, with {leads} lead legs"
        yield Finding(invariant="I-11", what=what, where=where)


def _waiver(case: Case, body: Body, where: str) -> Iterator[Finding]:
    role, post = case.legs[body["leg"]].role, body["by"]["post"]
    if role == "lead" or post not in _MAY_WAIVE:
        yield Finding(invariant="I-11", what=f"a {role} leg waived by a {post}", where=where)


def _closing(case: Case, where: str, *, on_papers: bool) -> Iterator[Finding]:
    if len(case.leads) != 1:
        yield Finding(invariant="I-11", what=f"closed with {len(case.leads)} lead legs", where=where)
    for number, leg in case.legs.items():
        if not leg.done:
            yield Finding(invariant="I-11", what=f"closed while leg {number} is {leg.state}", where=where)
        if leg.under_order:
            yield Finding(invariant="I-11", what=f"closed before the re-inspection of leg {number} passed", where=where)
    if not (case.passed_check or on_papers):
        yield Finding(invariant="I-11", what="closed without a check that passed", where=where)
