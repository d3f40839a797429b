"""What reports and cases come to, counted anew from the bytes on the topics: nothing here is the services' own code."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from tests.reliability.history.copies import Streams, held_by
from tests.reliability.history.facts import Facts, Published

_BEIJING: Final = timezone(timedelta(hours=8))
_READER: Final = "analytics.events"


BESIDE: Final = (
    "suspended",
    "reopened",
    "overdue",
    "exempted",
    "extended",
    "returned",
    "reworked",
    "supervised",
    "escalated",
)
"""What is counted beside the figures."""
_STAGES: Final = {
    "leg_signed": "handling",
    "leg_return_refused": "handling",
    "leg_sent_back": "handling",
    "leg_resumed": "handling",
    "leg_fed_back": "fed_back",
    "leg_return_requested": "return_pending",
    "leg_suspended": "suspended",
    "leg_waived": "waived",
}
"""In which state an event leaves the leg that it names."""
_COUNTED: Final = {
    "leg_extended": "extended",
    "leg_return_upheld": "returned",
    "leg_sent_back": "reworked",
    "supervised": "supervised",
    "escalated": "escalated",
    "reopened": "reopened",
}
"""Events that are counted for good, each once."""
_TAKEN_OVER: Final = ("leg_return_upheld", "leg_ruled")


@dataclass(slots=True)
class Leg:
    """A department's part of a case. `breaches` are of its handling limit, `exempt` those that an appeal exempted.

    `under_order`: what it has ordered by law has not passed its re-inspection.
    """

    unit: str
    role: str
    state: str = "assigned"
    fed_back_by: str | None = None
    breaches: int = 0
    exempt: int = 0
    under_order: bool = False

    @property
    def done(self) -> bool:
        """Whether nothing more is expected of the unit."""
        return self.state in {"fed_back", "waived"}

    @property
    def kinds(self) -> set[str]:
        """As what it is counted beside: its unit is overdue, exempted for all of it, or need not act now."""
        found = {"suspended"} if self.state == "suspended" else set()
        found |= {"overdue"} if self.breaches else set()
        return found | ({"exempted"} if self.breaches and self.exempt == self.breaches else set())


@dataclass(slots=True)
class Case:
    """A case as its events tell it. `ended` is closed, voided or merged while it is so; `check_unit` is to check it."""

    legs: dict[int, Leg] = field(default_factory=dict)
    dispatched: int = 0
    level: str = ""
    check_unit: str | None = None
    passed_check: bool = False
    ended: str = ""
    counted: Counter[str] = field(default_factory=Counter)

    @property
    def closed(self) -> bool:
        """Whether it is closed now."""
        return self.ended == "closed"

    @property
    def units(self) -> set[str]:
        """The handling units."""
        return {leg.unit for leg in self.legs.values()}

    @property
    def leads(self) -> list[str]:
        """The units of lead legs."""
        return [leg.unit for leg in self.legs.values() if leg.role == "lead"]

    def times(self, beside: str) -> int:
        """Return how often this happened to it, or holds of it now."""
        legs = self.legs.values()
        match beside:
            case "suspended":
                return 0 if self.ended else sum(leg.state == "suspended" for leg in legs)
            case "overdue":
                return sum(leg.breaches for leg in legs)
            case "exempted":
                return sum(leg.exempt for leg in legs)
            case _:
                return self.counted[beside]

    def follow(self, kind: str, body: Mapping[str, Any]) -> None:
        """Take the next event of the case; what is about a leg that it does not have changes nothing."""
        if kind in _COUNTED:
            self.counted[_COUNTED[kind]] += 1
        match kind:
            case "dispatched" | "redispatched" | "legs_added":
                self._dispatch(kind, body)
            case "check_assigned":
                self.check_unit = body["unit"]
            case "checked":
                self.passed_check = body["passed"]
                self.counted["reworked"] += len(body["rework"])
                self._go_on(body["rework"])
            case "closed" | "voided" | "merged":
                self.ended = kind
                self.level = body.get("level", "city") if kind == "closed" else self.level
            case "unmerged":
                self.ended = ""
            case "reopened":
                self.ended = ""
                self.passed_check = False
                self._go_on(body["legs"])
            case "escalated":
                self.level = body["to_level"]
            case _ if body.get("leg") in self.legs:
                self._follow_leg(kind, body, self.legs[body["leg"]])

    def _dispatch(self, kind: str, body: Mapping[str, Any]) -> None:
        assigned = {leg["leg"]: Leg(unit=leg["unit"], role=leg["role"]) for leg in body["legs"]}
        self.legs = {**self.legs, **assigned} if kind == "legs_added" else assigned
        self.passed_check = False
        if kind == "dispatched":
            self.dispatched += 1
            self.level = body.get("level", "city")

    def _go_on(self, legs: Iterable[int]) -> None:
        for number in self.legs.keys() & set(legs):
            self.legs[number].state = "handling"

    def _follow_leg(self, kind: str, body: Mapping[str, Any], leg: Leg) -> None:
        if kind in _STAGES:
            leg.state = _STAGES[kind]
            self.passed_check = False
        match kind:
            case "leg_fed_back":
                leg.fed_back_by = body["by"].get("person")
            case "leg_counted_as_signed" if leg.state == "assigned":
                leg.state = "handling"
            case "clock_breached" if body["stage"] == "handle":
                leg.breaches += 1
            case "leg_rectification_ordered":
                leg.under_order = True
            case "leg_reinspected":
                leg.under_order = not body["passed"]
            case "leg_appeal_reviewed" if body["decision"] == "upheld":
                leg.exempt = leg.breaches
            case _ if kind in _TAKEN_OVER:
                self.legs[body["leg"]] = Leg(unit=body["to_unit"], role=leg.role)
                self.passed_check = False


@dataclass(slots=True)
class Problem:
    """One report and its case, as figures group and count it."""

    groups: dict[str, str] = field(default_factory=dict)
    reported: bool = False
    ended: str = ""
    """How intake ended it before it was a case: rejected or merged."""
    case: Case = field(default_factory=Case)

    @property
    def kind(self) -> str:
        """Whether it counts as closed, voided, merged, rejected or open."""
        return self.case.ended or self.ended or "open"

    def counts_as(self, counted: str) -> bool:
        """Tell whether this figure counts it."""
        if counted in BESIDE:
            return self.case.times(counted) > 0
        return counted in {"reported", self.kind}

    def follow(self, event: Published) -> None:
        """Take the next event of the report or of the case."""
        name, body = kind_of(event), json.loads(event.document)
        if event.topic == "dispatch.cases":
            self.case.follow(name, body)
            return
        if name in {"rejected", "merged"}:
            self.ended = name
        if name == "reported":
            self.reported = True
            day = datetime.fromisoformat(body["at"]).astimezone(UTC).astimezone(_BEIJING).date()
            self.groups |= {"source": body["source"], "campaign": body["campaign"] or "", "day": day.isoformat()}
        if name in {"reported", "completed", "filed"}:
            category = body["category"] or body["named_category"]
            self.groups["category"] = f"{category['system']}:{category['code']}"
            self.groups |= {place: body["place"].get(place) or "" for place in ("street", "community")}


def kind_of(event: Published) -> str:
    """Return what happened: the third part of the type."""
    return event.type.split(".")[2]


def problems_of(facts: Facts, streams: Streams) -> dict[str, Problem]:
    """Return every problem whose report analytics may have counted, by id, as its events tell it.

    What is held there, or was given up there, is left out.
    """
    held = held_by(facts)
    found: dict[str, Problem] = {}
    for (topic, stream), events in streams.items():
        if topic in {"intake.reports", "dispatch.cases"}:
            stopped = held.get((_READER, topic, stream))
            before = stopped[0].sequence if stopped else None
            for event in _counted(facts, events, before):
                found.setdefault(stream, Problem()).follow(event)
    for problem in found.values():
        problem.groups |= {"department": (problem.case.leads or [""])[0], "level": problem.case.level}
    return {stream: problem for stream, problem in found.items() if problem.reported}


def _counted(facts: Facts, events: Iterable[Published], before: int | None) -> Iterable[Published]:
    for event in events:
        given_up = (_READER, event.topic, event.stream, event.sequence) in facts.given_up
        if not given_up and (before is None or event.sequence < before):
            yield event
